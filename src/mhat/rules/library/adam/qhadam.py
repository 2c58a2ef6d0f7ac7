"""Quasi-hyperbolic Adam."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Ma & Yarats 2019, QHAdam, arXiv:1810.06801")
def qhadam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.995, beta2=0.999, nu1=0.7, nu2=1.0, eps=1e-8):
    """Mix the plain gradient into Adam's moments, so that a long memory need not make the step sluggish.

    With nu1 = nu2 = 1 this is Adam, with nu1 = nu2 = 0 almost `signsgd`. The defaults of beta1, nu1 and nu2
    are those the authors advise; their code starts from Adam's.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = ((1 - nu1) * g + nu1 * m_hat) / (sqrt((1 - nu2) * g**2 + nu2 * v_hat) + eps)
    return x - lr * ratio
