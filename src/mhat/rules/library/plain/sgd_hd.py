"""SGD with hypergradient descent."""

from mhat.language import rule
from mhat.ops import sum


@rule(
    paper="Baydin et al. 2018, SGD-HD, Algorithm 4, arXiv:1703.04782",
    knobs={"lr": "learning rate at first", "beta": "learning rate of the learning rate"},
)
def sgd_hd(x, g, rate="lr", g_last=0, *, lr=0.01, beta=1e-4):
    """Let the learning rate itself descend: it grows while gradients agree with the last ones, and shrinks else.

    One rate for all tensors. Nothing keeps it positive.
    """
    rate = rate + beta * sum(g * g_last, over="all")
    g_last = g
    return x - rate * g
