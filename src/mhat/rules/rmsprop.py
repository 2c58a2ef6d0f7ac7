"""RMSprop, and the variant that subtracts the mean."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Tieleman & Hinton 2012, RMSprop, lecture 6e of Neural Networks for Machine Learning, Coursera")
def rmsprop(x, g, v=0, *, lr=1e-3, rho=0.9, eps=1e-8):
    """Divide by the recent size of the gradient, so that the step does not depend on the gradient's scale.

    `v` averages the squared gradients, without bias correction: the first step is 1 / sqrt(1 - rho) learning
    rates long. The lecture has no `eps`; here it is added to the root, as in torch, while optax (by default)
    and Keras add it under the root. torch calls rho alpha, with default 0.99 and lr=1e-2.
    """
    v = rho * v + (1 - rho) * g**2
    ratio = g / (sqrt(v) + eps)
    return x - lr * ratio


@rule(paper="Graves 2013, centered RMSprop, equations 38 to 41 without the momentum, arXiv:1308.0850")
def rmsprop_centered(x, g, m=0, v=0, *, lr=1e-3, rho=0.9, eps=1e-8):
    """Divide by the gradient's recent standard deviation, so that a steady gradient takes ever longer steps.

    `eps` stands under the root, as in the paper (1e-4 there), optax and Keras: `v - m**2` is a difference of
    two nearly equal numbers when the gradient is steady, and may come out just below zero. torch adds `eps`
    to the root, and gives NaN then. For gradients beyond some 1e4 the default `eps` is too small to help.
    """
    m = rho * m + (1 - rho) * g
    v = rho * v + (1 - rho) * g**2
    ratio = g / sqrt(v - m**2 + eps)
    return x - lr * ratio
