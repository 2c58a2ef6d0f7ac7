"""Aida."""

from mhat.language import rule
from mhat.ops import sqrt, sum


@rule(
    paper="Zhang, Niwa & Kleijn 2022, Aida, Algorithm 2, arXiv:2203.13273",
    knobs={"xi": "added to squared lengths, so that zero vectors divide nothing by zero"},
)
def aida(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, xi=1e-20):
    """Measure AdaBelief's surprise after projecting gradient and average on each other, so that rates spread less.

    Two rounds; in each both new vectors come from the old pair. `eps` is added to `v` at every step and to the root.
    """
    m = beta1 * m + (1 - beta1) * g
    shared = sum(g * m)
    g1 = shared / (sum(g**2) + xi) * g
    m1 = shared / (sum(m**2) + xi) * m
    left = sum(g1 * m1)
    surprise = left / (sum(m1**2) + xi) * m1 - left / (sum(g1**2) + xi) * g1
    v = beta2 * v + (1 - beta2) * surprise**2 + eps
    ratio = sqrt(1 - beta2**t) / (1 - beta1**t) * m / (sqrt(v) + eps)
    return x - lr * ratio
