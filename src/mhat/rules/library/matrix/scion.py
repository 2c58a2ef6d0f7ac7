"""Scion."""

from mhat.language import rule
from mhat.ops import columns, orthogonal, rows, sqrt


@rule(
    paper="Pethick et al. 2025, Scion with the spectral norm, Algorithm 2, arXiv:2502.07529",
    flatten="first",
    knobs={"alpha": "weight of the newest gradient in the average", "radius": "radius of the ball that x stays in"},
)
def scion(x, g, d=0, *, lr=3e-3, alpha=0.1, radius=50.0):
    """Walk inside a ball of the spectral norm, each step towards the point of its surface that the gradient names.

    x shrinks by lr and is drawn to an orthogonal matrix, scaled by sqrt(rows / columns): the Frank-Wolfe step. This is
    the hidden layers' form; in the last layer the sign takes its place.
    """
    d = (1 - alpha) * d + alpha * g
    ratio = radius * sqrt(rows(x) / columns(x)) * orthogonal(d) + x
    return x - lr * ratio
