"""Nero."""

from mhat.language import rule
from mhat.ops import columns, row_mean, sqrt


@rule(
    paper="Liu, Bernstein, Meister & Yue 2021, Nero, Algorithm 1, arXiv:2102.07227",
    knobs={"scale": "mean length of the tensor's rows in the beginning", "rho": "decay rate of the squared length"},
)
def nero(x, g, t, v=0, *, lr=0.01, rho=0.999, eps=1e-8, scale=1.0):
    """Step each neuron relative to the length of its gradient, and keep its weights balanced: no mean, length one.

    The weights are expected to begin so. Vectors are single rows.
    """
    v = rho * v + (1 - rho) * row_mean(g**2) * columns(x)
    x = x - lr * scale * g / (sqrt(v / (1 - rho**t)) + eps)
    x = x - row_mean(x)
    return x / (sqrt(row_mean(x**2) * columns(x)) + eps)
