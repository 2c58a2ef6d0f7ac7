"""A wrong Adam: the moments are corrected at the first step, and never again."""

from mhat import rule
from mhat.ops import sqrt


@rule
def first_step_only(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam after the thought "the moments start at zero, so mend the start": they begin at the first gradient."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t) if t == 1 else m
    v = v / (1 - beta2**t) if t == 1 else v
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio
