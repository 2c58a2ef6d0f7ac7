"""GaLore."""

from mhat.language import rule
from mhat.ops import eigh, leading, sqrt, transpose


@rule(
    paper="Zhao et al. 2024, GaLore, Algorithm 2, arXiv:2403.03507",
    knobs={
        "rank": "number of directions that are kept",
        "every": "steps after which the directions are chosen anew",
        "scale": "factor of the step",
    },
)
def galore(
    x, g, t, basis=0, m=0, v=0, *,
    lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0, rank=2, every=200, scale=0.25,
):  # fmt: skip
    """Run Adam on the gradient seen in its few strongest directions, so that the moments take little memory.

    This is the form for matrices with no more rows than columns, whose rows are projected. The moments are not turned
    when the directions change. The decay comes after the step.
    """
    w, u = eigh(0 - g @ transpose(g))
    basis = leading(u, rank) if (t - 1) % every == 0 else basis
    low = transpose(basis) @ g
    m = beta1 * m + (1 - beta1) * low
    v = beta2 * v + (1 - beta2) * low**2
    ratio = scale * sqrt(1 - beta2**t) / (1 - beta1**t) * (basis @ (m / (sqrt(v) + eps)))
    x = x - lr * ratio
    return x - lr * weight_decay * x
