"""AdaNorm before Adam."""

from mhat.language import rule
from mhat.ops import norm, sqrt


@rule(
    paper="Dubey, Singh & Chaudhuri 2022, AdamNorm, equations 5 to 9, arXiv:2210.06364",
    knobs={"r": "decay rate of the average of the gradient's length"},
)
def adanorm(x, g, t, m=0, v=0, length=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, r=0.95):
    """Lengthen gradients that are shorter than they used to be before Adam's first moment averages them.

    `length` averages the gradient's length and starts at zero, so the first steps never scale. The second moment sees
    the plain gradient; `eps` is added to the root of the uncorrected `v`.
    """
    length = r * length + (1 - r) * norm(g)
    m = beta1 * m + (1 - beta1) * (g * (length / norm(g)) if length > norm(g) and norm(g) > 0 else g)
    v = beta2 * v + (1 - beta2) * g**2
    ratio = sqrt(1 - beta2**t) / (1 - beta1**t) * m / (sqrt(v) + eps)
    return x - lr * ratio
