"""Adam with positive-negative momentum."""

from mhat.language import rule
from mhat.ops import maximum, sqrt


@rule(
    paper="Xie, Yuan, Zhu & Sugiyama 2021, AdaPNM, Algorithm 3, arXiv:2103.17182",
    knobs={"beta0": "weight of the momentum that is subtracted"},
)
def adapnm(x, g, t, odd=0, even=0, v=0, v_max=0, *, lr=1e-3, beta0=1.0, beta1=0.9, beta2=0.999, eps=1e-8):
    """Divide PNM's momentum by the root of the largest second moment so far.

    The maximum is AMSGrad's, the corrections are Adam's.
    """
    is_odd = t % 2 == 1
    fresh = beta1**2 * (odd if is_odd else even) + (1 - beta1**2) * g
    other = even if is_odd else odd
    odd = fresh if is_odd else odd
    even = even if is_odd else fresh
    v = beta2 * v + (1 - beta2) * g**2
    v_max = maximum(v_max, v)
    mixed = ((1 + beta0) * fresh - beta0 * other) / sqrt((1 + beta0) ** 2 + beta0**2)
    ratio = mixed / (1 - beta1**t) / (sqrt(v_max / (1 - beta2**t)) + eps)
    return x - lr * ratio
