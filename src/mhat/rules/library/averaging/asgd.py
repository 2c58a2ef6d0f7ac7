"""Averaged SGD."""

from mhat.language import rule
from mhat.ops import maximum


@rule(
    paper="Polyak & Juditsky 1992, averaged SGD, as in torch.optim.ASGD, doi:10.1137/0330046",
    knobs={
        "lambd": "decay of parameter and rate",
        "alpha": "power by which the rate falls",
        "t0": "step from which on the average is taken",
    },
)
def asgd(x, g, t, average=0, *, lr=0.01, lambd=1e-4, alpha=0.75, t0=1e6):
    """Let the rate fall slower than 1 / t and average the points, which is as good as the best choice of rates.

    Until step t0 the average is a copy of x. As in torch, rate and weight are those found at the end of the step
    before.
    """
    rate = lr / (1 + lambd * lr * (t - 1)) ** alpha
    weight = 1 / maximum(1, t - 1 - t0)
    x = (1 - lambd * rate) * x - rate * g
    average = average + weight * (x - average)
    x_eval = average
    return x
