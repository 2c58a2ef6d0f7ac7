"""FTRL-Proximal."""

from mhat.language import rule
from mhat.ops import clip, sqrt


@rule(
    paper="McMahan et al. 2013, FTRL-Proximal, Algorithm 1, doi:10.1145/2487575.2488200",
    knobs={
        "beta": "added to the root of the sum of squares, so that early steps stay small",
        "l1": "strength of the absolute penalty: coordinates below it are exactly zero",
        "l2": "strength of the squared penalty",
    },
)
def ftrl(x, g, total=0, z=0, *, lr=0.1, beta=1.0, l1=0.0, l2=0.0):
    """Choose anew the parameter that all past gradients ask for, so that an absolute penalty makes exact zeros.

    `lr` is the paper's alpha. Where x began is forgotten, as in the paper, whose models begin at zero. In Keras the
    penalty l2 is half of this one, and `total` starts at 0.1.
    """
    grown = total + g**2
    sigma = (sqrt(grown) - sqrt(total)) / lr
    total = grown
    z = z + g - sigma * x
    return (clip(z, -l1, l1) - z) / ((beta + sqrt(total)) / lr + l2)


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "accumulator from 0.1": (
        "keras.optimizers.Ftrl, TensorFlow",
        ("total=0", "total=0.1"),
    ),
    "the squared penalty counted twice": (
        "keras.optimizers.Ftrl, TensorFlow",
        ("(beta + sqrt(total)) / lr + l2", "(beta + sqrt(total)) / lr + 2 * l2"),
    ),
}
