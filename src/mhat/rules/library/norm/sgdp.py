"""SGD that takes no step along the weights."""

from mhat.language import rule
from mhat.ops import norm, size, sqrt, sum


@rule(
    paper="Heo et al. 2021, SGDP, Algorithm 1, arXiv:2006.08217",
    knobs={
        "delta": "cosine of gradient and weights below which a tensor counts as scale-invariant",
        "wd_ratio": "share of the decay that scale-invariant tensors keep",
    },
)
def sgdp(x, g, velocity=0, *, lr=0.1, momentum=0.9, weight_decay=0.0, delta=0.1, wd_ratio=0.1):
    """Remove the part of the step along the weights where only their direction matters.

    There momentum makes weights grow, and a step turns them less and less. A tensor is taken for such where the cosine
    of its gradient and its weights is small. This is the test of the whole tensor; the authors' code tests each row
    first.
    """
    velocity = momentum * velocity + g
    cosine = abs(sum(g * x)) / (norm(g) * norm(x) + 1e-8)
    radial = sum(velocity * x) / (norm(x) + 1e-8) ** 2 * x
    free = cosine < delta / sqrt(size(x))
    ratio = velocity - radial if free else velocity
    decay = weight_decay * (wd_ratio if free else 1)
    return x - lr * (ratio + decay / (1 - momentum) * x)
