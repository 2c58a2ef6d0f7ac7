"""RMSprop with momentum."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Tieleman & Hinton 2012, RMSprop with momentum, lecture 6e, as in torch.optim.RMSprop(momentum=0.9)")
def rmsprop_momentum(x, g, v=0, velocity=0, *, lr=1e-3, momentum=0.9, rho=0.9, eps=1e-8):
    """Divide each gradient by its typical size, and let the velocity carry what comes out of it.

    In torch the learning rate stands outside the velocity, as here; in optax, Keras and TensorFlow inside, which is the
    same while it stays. torch has rho = 0.99.
    """
    v = rho * v + (1 - rho) * g**2
    velocity = momentum * velocity + g / (sqrt(v) + eps)
    return x - lr * velocity


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps under the root": (
        "optax.rmsprop, keras.optimizers.RMSprop, TensorFlow",
        ("(sqrt(v) + eps)", "sqrt(v + eps)"),
    ),
}
