"""Fromage."""

from mhat.language import rule
from mhat.ops import maximum, norm, sqrt


@rule(paper="Bernstein, Vahdat, Yue & Liu 2020, Fromage, Algorithm 1, arXiv:2002.03432")
def fromage(x, g, *, lr=0.01):
    """Turn each tensor by an angle of about lr, whatever the length of its gradient.

    The division keeps the length from growing. Lengths below 1e-6 count as 1e-6, as in optax.
    """
    scale = maximum(norm(x), 1e-6) / maximum(norm(g), 1e-6)
    return (x - lr * scale * g) / sqrt(1 + lr**2)
