"""D-Adaptation of SGD."""

from mhat.language import rule
from mhat.ops import inf, maximum, minimum, norm, sum


@rule(
    paper="Defazio & Mishchenko 2023, D-Adapt SGD, Algorithm 4, arXiv:2301.07733",
    knobs={
        "lr": "factor of the learning rate that is found",
        "d0": "first guess of the distance to the solution",
        "growth": "largest factor by which the distance may grow in a step",
    },
)
def dadapt_sgd(x, g, s=0, r=0, d="d0", g0="norm(g, over='all')", *, lr=1.0, d0=1e-6, growth=inf):
    """Bound the distance to the solution from below as training goes, and take it as the learning rate.

    Gradients are measured by the length of the first one. This is the form without momentum.
    """
    rate = d * lr / g0 if g0 > 0 else 0
    r = r + rate * sum(g * s, over="all")
    s = s + rate * g
    length = norm(s, over="all")
    found = 2 * r / length if length > 0 else d
    d = maximum(d, minimum(found, d * growth))
    return x - rate * g
