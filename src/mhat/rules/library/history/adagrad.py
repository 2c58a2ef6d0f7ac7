"""Adagrad."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Duchi, Hazan & Singer 2011, Adagrad with diagonal matrices, Figure 1, JMLR 12:2121")
def adagrad(x, g, v=0, *, lr=1e-2, eps=1e-10):
    """Divide by the root of all squared gradients so far, so that a coordinate that moves rarely moves far.

    `v` is a sum and never falls, so the steps shrink like 1 / sqrt(t) under a constant gradient. `eps` is
    added to the root, as in the paper (its delta) and torch; optax and Keras add it to `v`, under the root,
    and start `v` at 0.1.
    """
    v = v + g**2
    ratio = g / (sqrt(v) + eps)
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps under the root": (
        "optax.adagrad, Keras Adagrad",
        ("(sqrt(v) + eps)", "sqrt(v + eps)"),
    ),
    "accumulator from 0.1": (
        "TensorFlow, optax.adagrad, Keras Adagrad",
        ("v=0", "v=0.1"),
    ),
}
