"""Gradient descent by sign."""

from mhat.language import rule
from mhat.ops import sign


@rule(paper="Bernstein et al. 2018, signSGD, Algorithm 1, arXiv:1802.04434")
def signsgd(x, g, *, lr=1e-3):
    """Step by exactly the learning rate in every coordinate, whatever the size of the gradient.

    Where the gradient is zero nothing moves. The paper has no default of `lr`; this one is Adam's, which
    takes steps of the same size.
    """
    ratio = sign(g)
    return x - lr * ratio
