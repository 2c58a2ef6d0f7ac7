"""Stochastic variance-adapted gradient with momentum."""

from mhat.language import rule
from mhat.ops import clip


@rule(
    paper="Balles & Hennig 2018, M-SVAG, Algorithm 2, arXiv:1705.07774",
    knobs={"beta1": "decay rate of both averages"},
)
def msvag(x, g, t, m=0, v=0, *, lr=0.1, beta1=0.9):
    """Step along the average gradient, shortened in each coordinate by how uncertain it is.

    `spread` estimates the variance of one gradient and `rho` how much of it the average keeps. On step 1 there is no
    estimate, and nothing is shortened.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta1 * v + (1 - beta1) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta1**t)
    rho = (1 - beta1) * (1 + beta1**t) / ((1 + beta1) * (1 - beta1**t))
    spread = (v_hat - m_hat**2) / (1 - rho)
    trust = clip(m_hat**2 / (m_hat**2 + rho * spread), 0, 1) if t > 1 and v > 0 else 1
    ratio = trust * m_hat
    return x - lr * ratio
