"""Gradient descent by the sign of the first moment."""

from mhat.language import rule
from mhat.ops import sign


@rule(paper="Bernstein et al. 2018, Signum, Algorithm 2, arXiv:1802.04434")
def signum(x, g, m=0, *, lr=1e-3, beta1=0.9):
    """Step by the learning rate the way most recent gradients point, so that one odd gradient is outvoted.

    There is no bias correction, and none is needed: it would not change a sign.
    """
    m = beta1 * m + (1 - beta1) * g
    ratio = sign(m)
    return x - lr * ratio
