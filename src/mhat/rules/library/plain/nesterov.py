"""Gradient descent with Nesterov's momentum."""

from mhat.language import rule


@rule(paper="Nesterov 1983, accelerated gradient, as in Sutskever et al. 2013, equations 3 and 4")
def nesterov(x, g, velocity=0, *, lr=1e-2, momentum=0.9):
    """Look one step ahead along the velocity, so that an overshoot is braked one step earlier.

    Here `x` is the point ahead, where the papers take the gradient; so it is in torch, optax and Keras. The
    papers' own parameter is `x + lr * momentum * velocity`.
    """
    velocity = momentum * velocity + g
    ratio = g + momentum * velocity
    return x - lr * ratio
