"""Stochastic gradient descent."""

from mhat.language import rule


@rule(paper="Robbins & Monro 1951, a stochastic approximation method, doi:10.1214/aoms/1177729586")
def sgd(x, g, *, lr=1e-2):
    """Step against the gradient, as far as the gradient is large.

    The default of `lr` is Keras's; torch has 1e-3, and optax has none.
    """
    return x - lr * g
