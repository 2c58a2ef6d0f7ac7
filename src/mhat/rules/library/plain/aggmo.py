"""Aggregated momentum."""

from mhat.language import rule


@rule(
    paper="Lucas, Sun, Zemel & Grosse 2019, AggMo, equations 3 and 4, arXiv:1804.00325",
    knobs={
        "beta1": "share of the first velocity kept from step to step",
        "beta2": "share of the second velocity kept from step to step",
        "beta3": "share of the third velocity kept from step to step",
    },
)
def aggmo(x, g, a=0, b=0, c=0, *, lr=0.1, beta1=0.0, beta2=0.9, beta3=0.99):
    """Step along the mean of several velocities, so that the slow one gains speed and the fast ones damp it.

    Three velocities, with the paper's default damping factors; any number is meant.
    """
    a = beta1 * a + g
    b = beta2 * b + g
    c = beta3 * c + g
    ratio = (a + b + c) / 3
    return x - lr * ratio
