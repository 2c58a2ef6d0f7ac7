"""Adagrad with one rate."""

from mhat.language import rule
from mhat.ops import sqrt, sum


@rule(
    paper="Ward, Wu & Bottou 2019, AdaGrad-Norm, Algorithm 1, arXiv:1806.01811",
    knobs={"b0": "what the root of the sum of squares starts at"},
)
def adagrad_norm(x, g, total="b0**2", *, lr=1.0, b0=0.1):
    """Divide the learning rate by the root of all squared gradients so far, one number for the whole model.

    With it plain descent converges whatever the learning rate is, without knowing smoothness or noise.
    """
    total = total + sum(g**2, over="all")
    ratio = g / sqrt(total)
    return x - lr * ratio
