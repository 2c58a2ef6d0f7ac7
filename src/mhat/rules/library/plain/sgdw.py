"""SGD with momentum and decoupled weight decay."""

from mhat.language import rule


@rule(paper="Loshchilov & Hutter 2019, SGDW, Algorithm 1, arXiv:1711.05101")
def sgdw(x, g, velocity=0, *, lr=0.1, momentum=0.9, weight_decay=1e-4):
    """Keep a velocity, and decay the parameter beside it, so that old decay is not carried along by the momentum.

    The decay is `lr * weight_decay`, as in the codes in use; in the paper it is scaled by the schedule alone and the
    learning rate stands inside the velocity, which is the same while the learning rate stays.
    """
    velocity = momentum * velocity + g
    return x - lr * (velocity + weight_decay * x)


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "decay not scaled by the learning rate": (
        "Loshchilov & Hutter 2019, Algorithm 1",
        ("lr * (velocity + weight_decay * x)", "lr * velocity - weight_decay * x"),
    ),
}
