"""Grokfast before Adam."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Lee, Kang, Kim & Lee 2024, Grokfast-EMA, Algorithm 2, arXiv:2405.20233",
    knobs={"alpha": "decay rate of the slow average of the gradients", "lamb": "weight of the slow average"},
)
def grokfast(x, g, t, slow="g", m=0, v=0, *, lr=1e-4, beta1=0.9, beta2=0.99, eps=1e-8, alpha=0.98, lamb=2.0):
    """Amplify the slow part of the gradients before Adam sees them, which makes late generalization come early.

    The slow average starts at the first gradient.
    """
    slow = alpha * slow + (1 - alpha) * g
    d = g + lamb * slow
    m = beta1 * m + (1 - beta1) * d
    v = beta2 * v + (1 - beta2) * d**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
