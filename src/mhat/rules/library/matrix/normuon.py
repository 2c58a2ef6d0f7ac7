"""NorMuon."""

from mhat.language import rule
from mhat.ops import columns, maximum, norm, orthogonal, row_mean, rows, sqrt


@rule(
    paper="Li, Zhang, Wang & Zhao 2025, NorMuon, Algorithm 1, arXiv:2510.05491",
    flatten="first",
    knobs={"beta2": "decay rate of the mean square of each row of the orthogonal step"},
)
def normuon(x, g, m=0, v=0, *, lr=0.02, momentum=0.95, beta2=0.95, weight_decay=0.0):
    """Give each neuron a rate of its own on top of Muon, by the mean square of its row of the orthogonal step.

    The length of the step stays that of Muon, and so does the factor of tall matrices, as in the authors' code.
    """
    m = momentum * m + (1 - momentum) * g
    o = orthogonal(momentum * m + (1 - momentum) * g)
    v = beta2 * v + (1 - beta2) * row_mean(o**2)
    u = o / (sqrt(v) + 1e-10)
    ratio = u * norm(o) / (norm(u) + 1e-10) * sqrt(maximum(1, rows(x) / columns(x)))
    return x - lr * (ratio + weight_decay * x)
