"""Distance over gradients."""

from mhat.language import rule
from mhat.ops import maximum, norm, sqrt, sum


@rule(
    paper="Ivgi, Hinder & Carmon 2023, DoG, equation 1, arXiv:2302.12022",
    knobs={
        "lr": "factor of the rate that is found",
        "reps": "first distance, as a share of the length of the parameters plus one",
    },
)
def dog(x, g, x0="x", distance="reps * (1 + norm(x, over='all'))", total=0, *, lr=1.0, eps=1e-8, reps=1e-6):
    """Step by the largest distance from the start over the root of all squared gradients: no rate to choose.

    One number for all tensors; `ldog` has one for each. What was averaged is meant to be evaluated.
    """
    distance = maximum(distance, norm(x - x0, over="all"))
    total = total + sum(g**2, over="all")
    ratio = distance / sqrt(total + eps) * g
    return x - lr * ratio
