"""Accelerated SGD."""

from mhat.language import rule


@rule(
    paper="Kidambi, Netrapalli, Jain & Kakade 2018, ASGD, Algorithm 3, arXiv:1803.05591",
    knobs={
        "kappa": "long step over short step: about the condition number",
        "xi": "advantage over plain descent: at most the root of kappa",
        "small": "constant of the proof, below one",
    },
)
def accsgd(x, g, w="x", *, lr=1e-3, kappa=1000, xi=10, small=0.7):
    """Couple a short step with a long, slow one, so that noise does not eat the gain that momentum promises.

    `w` takes steps of `lr * kappa / small` and is pulled to x, x is drawn to it. The words long and short step are the
    paper's; `small` is its constant 0.7.
    """
    beta = small**2 * xi / kappa
    pull = small / (small + beta)
    w = beta * ((1 / beta - 1) * w - lr * kappa / small * g + x)
    return pull * (x - lr * g) + (1 - pull) * w
