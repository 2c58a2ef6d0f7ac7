"""RMSprop centered by the mean."""

from mhat.language import rule
from mhat.ops import sqrt


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


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps added to the root": (
        "torch.optim.RMSprop(centered=True)",
        ("sqrt(v - m**2 + eps)", "(sqrt(v - m**2) + eps)"),
    ),
}
