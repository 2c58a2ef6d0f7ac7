"""Adam with half of the bias correction."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="St John 2021, AdamD, section 3, arXiv:2110.10828")
def adamd(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Correct the second moment alone, so that the first steps are short ones and need no warm-up.

    The first step is (1 - beta1) lr and not lr. `eps` is added to the root of the uncorrected `v`.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    ratio = sqrt(1 - beta2**t) * m / (sqrt(v) + eps)
    return x - lr * ratio
