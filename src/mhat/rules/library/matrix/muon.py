"""Muon."""

from mhat.language import rule
from mhat.ops import columns, maximum, orthogonal, rows, sqrt


@rule(paper="Jordan et al. 2024, Muon, kellerjordan.github.io/posts/muon", flatten="first")
def muon(x, g, m=0, *, lr=0.02, momentum=0.95, weight_decay=0.0):
    """Step by the nearest matrix whose singular values are all one, so that rare directions count as much as common.

    Nesterov's momentum is orthogonalized by five rounds of Newton-Schulz. Rows are outputs; a taller matrix takes a
    longer step. Moonlight and Keras scale by 0.2 sqrt(max(rows, columns)) instead, as in `muon_moonlight`.
    """
    m = momentum * m + (1 - momentum) * g
    u = momentum * m + (1 - momentum) * g
    ratio = orthogonal(u) * sqrt(maximum(1, rows(x) / columns(x)))
    return x - lr * (ratio + weight_decay * x)


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "momentum corrected, rows are inputs": (
        "optax.contrib.muon",
        ("def muon(x, g, m=0", "def muon(x, g, t, m=0"),
        (
            "u = momentum * m + (1 - momentum) * g",
            "u = momentum * m / (1 - momentum**(t + 1)) + (1 - momentum) * g / (1 - momentum**t)",
        ),
        ("rows(x) / columns(x)", "columns(x) / rows(x)"),
    ),
    "without Nesterov": (
        "torch.optim.Muon(nesterov=False)",
        ("u = momentum * m + (1 - momentum) * g", "u = m"),
    ),
}
