"""Positive-negative momentum."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Xie, Yuan, Zhu & Sugiyama 2021, PNM, Algorithm 2, arXiv:2103.17182",
    knobs={"beta0": "weight of the momentum that is subtracted"},
)
def pnm(x, g, t, odd=0, even=0, *, lr=1e-3, beta0=1.0, beta1=0.9):
    """Subtract the momentum of the other steps from that of these, which adds noise and changes no average.

    Odd and even steps keep a momentum each; the one at hand is renewed and weighs 1 + beta0, the other -beta0.
    """
    is_odd = t % 2 == 1
    fresh = beta1**2 * (odd if is_odd else even) + (1 - beta1**2) * g
    other = even if is_odd else odd
    odd = fresh if is_odd else odd
    even = even if is_odd else fresh
    ratio = ((1 + beta0) * fresh - beta0 * other) / sqrt((1 + beta0) ** 2 + beta0**2)
    return x - lr * ratio
