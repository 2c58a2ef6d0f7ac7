"""Adam without eps."""

from mhat.language import rule
from mhat.ops import atan2, sqrt


@rule(
    paper="Everett et al. 2024, Adam-atan2, section 4.3, arXiv:2407.05872",
    knobs={"alpha": "factor of the angle", "beta": "factor of the root inside the angle"},
)
def adam_atan2(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, alpha=1.27, beta=1.0):
    """Take the angle of the two moments where Adam divides them, so that no eps is needed at any scale.

    A steady gradient moves by alpha * atan(1 / beta) = 0.9975 lr with these factors, which are a public code's; the
    step is exactly independent of the gradient's unit, and zero over zero is zero.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = alpha * atan2(m_hat, beta * sqrt(v_hat))
    return x - lr * ratio
