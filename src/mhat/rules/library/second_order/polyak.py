"""Polyak's step."""

from mhat.language import rule
from mhat.ops import minimum, sum


@rule(
    paper="Polyak 1987, step of known optimal value, as bounded in Loizou et al. 2021, SPS, arXiv:2002.10542",
    knobs={"lr": "largest step", "least": "loss at the optimum", "c": "factor of the squared length"},
)
def polyak(x, g, loss, *, lr=1.0, eps=1e-12, least=0.0, c=0.5):
    """Step as far as the loss would fall to its least value if it were linear.

    One number over all tensors. It needs the loss at each step and its least value, which is zero where a model can
    fit all data.
    """
    rate = minimum(lr, (loss - least) / (c * sum(g**2, over="all") + eps))
    return x - rate * g
