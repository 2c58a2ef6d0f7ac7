"""Row and column scaled SGD."""

from mhat.language import rule
from mhat.ops import column_mean, maximum, norm, row_mean, sqrt


@rule(
    paper="Gong, Scetbon, Ma & Meeds 2025, RACS, Algorithm 1, arXiv:2502.07752",
    knobs={
        "beta1": "decay rate of the averages of rows and columns",
        "eps": "added under the roots and to the last length",
        "scale": "factor of the step",
        "growth": "largest factor by which the step may grow",
    },
)
def racs(x, g, r=0, c=0, length=0, *, lr=1e-3, beta1=0.9, eps=1e-8, weight_decay=0.0, scale=0.05, growth=1.01):
    """Scale rows and columns of the gradient to one size, with no memory but a row and a column.

    No momentum. The step may not grow by more than `growth`.
    """
    r = beta1 * r + (1 - beta1) * row_mean(g**2)
    c = beta1 * c + (1 - beta1) * column_mean(g**2)
    d = g / (sqrt(r + eps) * sqrt(c + eps))
    limit = growth / maximum(norm(d) / (length + eps), growth) if length > 0 else 1
    length = limit * norm(d)
    ratio = scale * limit * d
    return x - lr * (ratio + weight_decay * x)
