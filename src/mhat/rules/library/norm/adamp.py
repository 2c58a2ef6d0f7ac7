"""Adam that takes no step along the weights."""

from mhat.language import rule
from mhat.ops import norm, size, sqrt, sum


@rule(
    paper="Heo et al. 2021, AdamP, Algorithm 2, arXiv:2006.08217",
    knobs={
        "delta": "cosine of gradient and weights below which a tensor counts as scale-invariant",
        "wd_ratio": "share of the decay that scale-invariant tensors keep",
    },
)
def adamp(
    x, g, t, m=0, v=0, *,
    lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, delta=0.1, wd_ratio=0.1,
):  # fmt: skip
    """Remove the part of Adam's step along the weights where only their direction matters.

    The test is that of `sgdp`, for the whole tensor; the authors' code tests each row first. `eps` is added to the
    root of the uncorrected `v`, before the corrections.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    d = m / (1 - beta1**t) / (sqrt(v) / sqrt(1 - beta2**t) + eps)
    cosine = abs(sum(g * x)) / (norm(g) * norm(x) + 1e-8)
    radial = sum(d * x) / (norm(x) + 1e-8) ** 2 * x
    free = cosine < delta / sqrt(size(x))
    ratio = d - radial if free else d
    decay = weight_decay * (wd_ratio if free else 1)
    return x - lr * (ratio + decay * x)
