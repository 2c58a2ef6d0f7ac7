"""PolarGrad."""

from mhat.language import rule
from mhat.ops import orthogonal, sum


@rule(paper="Lau, Long & Su 2025, PolarGrad with momentum first, equation 14, arXiv:2505.21799", flatten="first")
def polargrad(x, g, m=0, *, lr=1e-3, momentum=0.95, weight_decay=0.0):
    """Scale the orthogonal step by the nuclear norm of the momentum, so that it vanishes with the gradient.

    The inner product of the momentum and its polar factor is that norm.
    """
    m = momentum * m + (1 - momentum) * g
    u = orthogonal(m)
    ratio = sum(m * u) * u
    return x - lr * (ratio + weight_decay * x)
