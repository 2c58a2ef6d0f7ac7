"""Distance over gradients, layer by layer."""

from mhat.language import rule
from mhat.ops import maximum, norm, sqrt, sum


@rule(
    paper="Ivgi, Hinder & Carmon 2023, L-DoG, section 4.1, arXiv:2302.12022",
    knobs={
        "lr": "factor of the rate that is found",
        "reps": "first distance, as a share of the length of the tensor plus one",
    },
)
def ldog(x, g, x0="x", distance="reps * (1 + norm(x))", total=0, *, lr=1.0, eps=1e-8, reps=1e-6):
    """Step each tensor by its largest distance from the start over the root of its squared gradients."""
    distance = maximum(distance, norm(x - x0))
    total = total + sum(g**2)
    ratio = distance / sqrt(total + eps) * g
    return x - lr * ratio
