"""Ano."""

from mhat.language import rule
from mhat.ops import sign, sqrt


@rule(paper="Kegreisz 2025, Ano, Algorithm 1, arXiv:2508.18258")
def ano(x, g, t, m=0, v=0, *, lr=1e-4, beta1=0.92, beta2=0.99, eps=1e-8, weight_decay=0.0):
    """Take the direction from the sign of the momentum and the size from the newest gradient alone.

    The second moment is Yogi's, corrected. A public port also lets it decay by beta2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * sign(v - g**2) * g**2
    v_hat = v / (1 - beta2**t)
    ratio = abs(g) * sign(m) / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)
