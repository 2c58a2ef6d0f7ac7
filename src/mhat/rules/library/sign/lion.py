"""Lion."""

from mhat.language import rule
from mhat.ops import sign


@rule(
    paper="Chen et al. 2023, Lion, Algorithm 2, arXiv:2302.06675",
    knobs={
        "beta1": "weight of the first moment against the newest gradient in the step",
        "beta2": "decay rate of the first moment, the average of the gradients",
    },
)
def lion(x, g, m=0, *, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0):
    """Step by the sign of a mix of the newest gradient and a long average, with half the memory of Adam.

    The moment remembers with beta2, the step mixes with beta1; where they are equal this is Tiger, and
    without decay Signum. The paper advises an `lr` 3 to 10 times smaller than AdamW's, and a decay as much
    larger; the default of `weight_decay` in optax is 1e-3.
    """
    ratio = sign(beta1 * m + (1 - beta1) * g)
    m = beta2 * m + (1 - beta2) * g
    return x - lr * (ratio + weight_decay * x)
