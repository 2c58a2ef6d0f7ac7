"""Distance over weighted gradients."""

from mhat.language import rule
from mhat.ops import maximum, sqrt, sum


@rule(
    paper="Khaled, Mishchenko & Jin 2023, DoWG, Algorithm 1, arXiv:2305.16284",
    knobs={"lr": "factor of the rate that is found", "eps": "first squared distance, and added to the root"},
)
def dowg(x, g, x0="x", square="eps", total=0, *, lr=1.0, eps=1e-4):
    """Weigh late gradients more than DoG does, by the distance reached, so that the rate falls less.

    `square` is the largest squared distance from the start, one number for all tensors. eps as in optax.
    """
    square = maximum(square, sum((x - x0) ** 2, over="all"))
    total = total + square * sum(g**2, over="all")
    ratio = square / (sqrt(total) + eps) * g
    return x - lr * ratio
