"""Gradient descent with a heavy ball."""

from mhat.language import rule


@rule(paper="Polyak 1964, the heavy ball method, doi:10.1016/0041-5553(64)90137-5")
def momentum(x, g, velocity=0, *, lr=1e-2, momentum=0.9):
    """Step along a decaying sum of the gradients: what they agree on builds up, and the rest cancels.

    `lr` stays outside of the velocity, as in torch (without dampening) and optax; Keras and the paper put it
    inside, which is the same as long as `lr` does not change. Under a constant gradient the steps grow to
    1 / (1 - momentum) times those of `sgd`.
    """
    velocity = momentum * velocity + g
    return x - lr * velocity


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "the gradient weighed with 1 - momentum": (
        "Ng 2017, Improving Deep Neural Networks, week 2",
        ("momentum * velocity + g", "momentum * velocity + (1 - momentum) * g"),
    ),
}
