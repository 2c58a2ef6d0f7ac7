"""Grams."""

from mhat.language import rule
from mhat.ops import sign, sqrt


@rule(paper="Cao, Li, Liang & Song 2024, Grams, Algorithm 1, arXiv:2412.17107")
def grams(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0):
    """Take the length of the step from Adam and its direction from the newest gradient.

    The decay comes first and `eps` is added to the root of the uncorrected `v`, as in the authors' code.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = sqrt(1 - beta2**t) / (1 - beta1**t) * m
    ratio = sign(g) * abs(m_hat) / (sqrt(v) + eps)
    return x - lr * (ratio + weight_decay * x)
