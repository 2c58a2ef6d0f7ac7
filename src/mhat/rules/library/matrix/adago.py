"""AdaGO."""

from mhat.language import rule
from mhat.ops import maximum, minimum, norm, orthogonal, sqrt


@rule(
    paper="Zhang, Liu & Schaeffer 2025, AdaGO, Algorithm 1, arXiv:2509.02981",
    flatten="first",
    knobs={
        "gamma": "largest length of a gradient that counts",
        "v0": "what the root of the sum of squares starts at",
        "eps": "smallest step",
    },
)
def adago(x, g, m=0, total="v0**2", *, lr=0.05, momentum=0.95, eps=5e-4, gamma=1.0, v0=1.0):
    """Set the length of Muon's step by the length of the gradient over all lengths so far, as Adagrad does.

    The direction is the orthogonalized momentum.
    """
    length = minimum(norm(g), gamma)
    total = total + length**2
    m = momentum * m + (1 - momentum) * g
    rate = maximum(eps, lr * length / sqrt(total))
    return x - rate * orthogonal(m)
