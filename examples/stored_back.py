"""A wrong Adam: the corrected moments are stored back, so the next step corrects what is corrected already."""

from mhat import rule
from mhat.ops import sqrt


@rule
def stored_back(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam as it is often written first: `m` and `v` themselves are divided, not copies of them."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio
