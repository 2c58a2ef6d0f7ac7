"""NAMO."""

from mhat.language import rule
from mhat.ops import norm, orthogonal, sqrt, sum


@rule(
    paper="Zhang, Liu & Schaeffer 2026, NAMO, Algorithm 1, arXiv:2602.17080",
    flatten="first",
    knobs={"beta2": "decay rate of the average of the squared length of the gradient"},
)
def namo(x, g, t, m=0, v=0, *, lr=1e-3, momentum=0.95, beta2=0.99, eps=1e-8, weight_decay=0.0):
    """Scale Muon's step by how steady the gradient is: the length of its average over its typical length.

    The factor is Adam's quotient with lengths in place of coordinates, corrections included. It scales the decay too.
    """
    m = momentum * m + (1 - momentum) * g
    v = beta2 * v + (1 - beta2) * sum(g**2)
    steady = sqrt(1 - beta2**t) / (1 - momentum**t) * norm(m) / (sqrt(v) + eps)
    ratio = steady * (orthogonal(m) + weight_decay * x)
    return x - lr * ratio
