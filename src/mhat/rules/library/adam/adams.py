"""AdamS."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Zhang, Yang, Ji & Wang 2025, AdamS, Algorithm 1, arXiv:2505.16363",
    knobs={"beta2": "weight of the squared momentum against the squared gradient in the denominator"},
)
def adams(x, g, m=0, *, lr=1e-3, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    """Let the momentum stand for the second moment too, so that Adam needs the memory of plain momentum.

    The denominator mixes the square of the momentum before this step with that of the newest gradient.
    """
    v = beta2 * m**2 + (1 - beta2) * g**2
    m = beta1 * m + (1 - beta1) * g
    ratio = m / (sqrt(v) + eps)
    return x - lr * (ratio + weight_decay * x)
