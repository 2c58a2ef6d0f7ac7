"""AdEMAMix with one average."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Morwani, Vyas, Zhang & Kakade 2025, Simplified-AdEMAMix, Algorithm 1, arXiv:2502.02431",
    knobs={"alpha": "weight of the newest gradient", "beta1": "share of the sum of gradients kept from step to step"},
)
def simplified_ademamix(x, g, t, m=0, v=0, *, lr=1e-4, beta1=0.99, beta2=0.95, eps=1e-8, weight_decay=0.0, alpha=0.0):
    """Add the newest gradient to a slow sum of gradients, which is all that two averages were needed for.

    `m` is a sum and not an average, so lr is smaller than Adam's by 1 - beta1. As in optax.
    """
    m = beta1 * m + g
    v = beta2 * v + (1 - beta2) * g**2
    v_hat = v / (1 - beta2**t)
    ratio = (m + alpha * g) / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)
