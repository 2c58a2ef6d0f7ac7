"""Dion."""

from mhat.language import rule
from mhat.ops import column_mean, columns, qr, rows, sqrt, transpose


@rule(
    paper="Ahn, Xu, Abreu & Langford 2025, Dion, Algorithm 1, arXiv:2504.05295",
    knobs={"rank": "number of directions that a step takes"},
)
def dion(
    x, g, m=0, basis="leading(identity(transpose(g) @ g), rank)", *,
    lr=0.01, momentum=0.95, eps=1e-8, weight_decay=0.0, rank=2,
):  # fmt: skip
    """Step along few directions that are orthogonal, and keep what they left out in the momentum.

    One round of power iteration a step follows the strongest directions. It starts at the first coordinates here, where
    the paper draws a start. Rows are outputs.
    """
    m = m + g
    left, triangle = qr(m @ basis)
    right = transpose(m) @ left
    m = m - (1 - momentum) * (left @ transpose(right))
    basis = right / (sqrt(columns(x) * column_mean(right**2)) + eps)
    ratio = sqrt(rows(x) / columns(x)) * (left @ transpose(basis))
    return x - lr * (ratio + weight_decay * x)
