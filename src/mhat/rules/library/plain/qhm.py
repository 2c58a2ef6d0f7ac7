"""Quasi-hyperbolic momentum."""

from mhat.language import rule


@rule(
    paper="Ma & Yarats 2019, QHM, equations 3 and 4, arXiv:1810.06801",
    knobs={"nu": "weight of the average against the plain gradient"},
)
def qhm(x, g, m=0, *, lr=1.0, momentum=0.999, nu=0.7):
    """Mix the plain gradient into its average, so that a very long memory need not make the step sluggish.

    With nu = 1 this is averaged momentum, with nu = 0 plain descent, and with nu = momentum it is Nesterov's step.
    """
    m = momentum * m + (1 - momentum) * g
    ratio = (1 - nu) * g + nu * m
    return x - lr * ratio
