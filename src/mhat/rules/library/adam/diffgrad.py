"""diffGrad."""

from mhat.language import rule
from mhat.ops import exp, sqrt


@rule(paper="Dubey, Chakraborty, Roy, Mukherjee, Singh & Chaudhuri 2019, diffGrad, equations 6 to 8, arXiv:1909.11015")
def diffgrad(x, g, t, m=0, v=0, g_last=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Brake Adam's step where the gradient hardly changes, as it does near an optimum.

    The friction is between 1/2, no change, and 1. As in the authors' code `eps` is added to the root of the uncorrected
    `v`, and the gradient before the first counts as zero.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    friction = 1 / (1 + exp(-abs(g_last - g)))
    g_last = g
    ratio = friction * sqrt(1 - beta2**t) / (1 - beta1**t) * m / (sqrt(v) + eps)
    return x - lr * ratio
