"""Optimistic gradient descent."""

from mhat.language import rule


@rule(
    paper="Daskalakis, Ilyas, Syrgkanis & Zeng 2018, optimistic mirror descent, equation 4, arXiv:1711.00141",
    knobs={"alpha": "weight of the gradient", "beta": "weight of its last change"},
)
def optimistic(x, g, g_last="g", *, lr=0.1, alpha=1.0, beta=1.0):
    """Step along the gradient that is expected next, so that games, where plain descent circles, come to rest.

    The gradient is extrapolated by its last change, which is zero on step 1. The paper has alpha = beta = 1.
    """
    ratio = (alpha + beta) * g - beta * g_last
    g_last = g
    return x - lr * ratio
