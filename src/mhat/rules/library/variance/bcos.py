"""BCOS with a conditional estimator."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Jiang & Xiao 2025, BCOS-c, Algorithm 3, arXiv:2507.08963",
    knobs={"beta1": "decay rate of the average of the gradients"},
)
def bcos(x, g, m="g", *, lr=1e-3, beta1=0.9, eps=1e-6, weight_decay=0.0):
    """Estimate the square of the coming average from the last one, so that no second moment is kept.

    `v` is what the square of `m` is expected to be, given the average before this step. `m` starts at the first
    gradient.
    """
    share = 1 - (1 - beta1) ** 2
    v = share * m**2 + (1 - share) * g**2
    m = beta1 * m + (1 - beta1) * g
    ratio = m / (sqrt(v) + eps)
    return x - lr * (ratio + weight_decay * x)
