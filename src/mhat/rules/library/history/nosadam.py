"""Nostalgic Adam."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Huang, Wang & Dong 2019, NosAdam, Algorithm 1, arXiv:1805.07557",
    knobs={"gamma": "how fast the weight of newer squares falls: 0 weighs all alike"},
)
def nosadam(x, g, t, m=0, v=0, total=0, *, lr=1e-3, beta1=0.9, eps=1e-8, gamma=0.1):
    """Give older squares more weight than newer ones, so that the rate never rises again where Adam's may.

    The weight of the square of step t is t**-gamma; with gamma = 0 `v` is the mean of all squares. The paper divides
    the learning rate by sqrt(t) in its proof, its experiments and codes do not.
    """
    weight = t ** (-gamma)
    total = total + weight
    m = beta1 * m + (1 - beta1) * g
    v = v + weight / total * (g**2 - v)
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio
