"""EXAdam."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Adly 2024, EXAdam, Algorithm 1 without its growing rate, arXiv:2412.20302")
def exadam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Correct each moment by the other too, and add the newest gradient to the average.

    The paper also lets the rate grow with the logarithm of the step; ports do not, and neither does this.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    d1 = 1 + v / (v + eps) * beta2**t
    d2 = 1 + m**2 / (m**2 + eps) * beta1**t
    m_hat = (m + g) / (1 - beta1**t) * d1
    v_hat = v / (1 - beta2**t) * d2
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
