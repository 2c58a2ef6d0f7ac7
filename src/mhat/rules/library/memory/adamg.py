"""AdamG."""

from mhat.language import rule
from mhat.ops import minimum, sqrt


@rule(
    paper="Pan, Li, Yang & Huang 2024, AdamG, Algorithm 3, arXiv:2405.04376",
    knobs={
        "lr": "largest learning rate; from step 1 / lr**2 on 1 / sqrt(t) takes its place",
        "beta3": "decay rate of the average of the rates",
        "p": "factor of the golden step",
        "q": "power of the golden step",
    },
)
def adamg(x, g, t, m=0, v=0, r=0, *, lr=1.0, beta1=0.95, beta2=0.999, beta3=0.95, eps=1e-8, p=0.2, q=0.24):
    """Weigh gradients by a golden step made of the second moment, so that no learning rate need be chosen.

    The golden step p * v**q uses the uncorrected `v`.
    """
    v = beta2 * v + (1 - beta2) * g**2
    r = beta3 * r + (1 - beta3) * p * v**q
    m = beta1 * m + (1 - beta1) * r * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - minimum(lr, 1 / sqrt(t)) * ratio
