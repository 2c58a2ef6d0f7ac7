"""MADGRAD."""

from mhat.language import rule
from mhat.ops import cbrt, sqrt


@rule(paper="Defazio & Jelassi 2021, MADGRAD, Algorithm 1, arXiv:2101.11075")
def madgrad(x, g, t, s=0, v=0, x0="x", *, lr=0.01, momentum=0.9, eps=1e-6):
    """Add up gradients from the start, divide by the cube root of their squares, and draw x to that point.

    Dual averaging: `z` is computed from `x0`, not from x, and x follows it as an average. Later gradients weigh more,
    by sqrt(t). The authors' code weighs by lr + eps.
    """
    weight = (lr + eps) * sqrt(t)
    s = s + weight * g
    v = v + weight * g**2
    z = x0 - s / (cbrt(v) + eps)
    return momentum * x + (1 - momentum) * z
