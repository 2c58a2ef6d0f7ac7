"""Adaptive and accelerated gradient."""

from mhat.language import rule
from mhat.ops import sqrt, sum


@rule(
    paper="Deng, Cheng & Lan 2018, A2Grad with uniform averages, Algorithm 1, arXiv:1810.00553",
    knobs={"beta": "weight of the noise in the rate", "lips": "Lipschitz constant of the gradient"},
)
def a2grad(x, g, t, z="x", average="g", v=0, share_last=1, *, beta=10.0, lips=10.0):
    """Run Nesterov's accelerated scheme with a rate that falls as the noise of the gradient adds up.

    The noise is the squared distance of the gradients from their mean, a number for each tensor. There is no learning
    rate: 1 / lips takes its place. The first change is zero.
    """
    average = average + (g - average) / t
    v = v + sum((g - average) ** 2)
    share = 2 / (t + 2)
    rate = 1 / (2 * lips / t + beta * sqrt(v))
    z = z - rate * g
    mixed = (1 - share) * x + share * z - (1 - share) * share_last * rate * g
    share_last = share
    return mixed
