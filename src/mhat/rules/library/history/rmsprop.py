"""RMSprop."""

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


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps under the root": (
        "TensorFlow, Keras and optax RMSprop",
        ("sqrt(v) + eps", "sqrt(v + eps)"),
    ),
    "average from 1": (
        "tf.compat.v1.train.RMSPropOptimizer",
        ("v=0", "v=1"),
    ),
}
