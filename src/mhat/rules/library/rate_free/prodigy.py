"""Prodigy."""

from mhat.language import rule
from mhat.ops import inf, maximum, minimum, sqrt, sum


@rule(
    paper="Mishchenko & Defazio 2024, Prodigy, Algorithm 4, arXiv:2306.06101",
    knobs={
        "lr": "factor of the learning rate that is found",
        "beta3": "decay rate of the sums that the distance is estimated from",
        "d0": "first guess of the distance to the solution",
        "coef": "factor of the estimated distance",
        "growth": "largest factor by which the distance may grow in a step",
    },
)
def prodigy(
    x, g, m=0, v=0, s=0, x0="x", r=0, d="d0", d_max="d0", *,
    lr=1.0, beta1=0.9, beta2=0.999, beta3="sqrt(beta2)", eps=1e-8, weight_decay=0.0, d0=1e-6, coef=1.0, growth=inf,
):  # fmt: skip
    """Estimate the distance to the solution from gradients and the way so far, as the learning rate of Adam.

    `r` and `s` run over all tensors: the learning rate is one number. The step takes the distance before this gradient
    as its rate, and the new one beside eps. Nothing is corrected; optax always corrects.
    """
    rate = d * lr
    r = beta3 * r + d / d0 * rate * sum(g * (x0 - x), over="all")
    s = beta3 * s + d / d0 * rate * g
    m = beta1 * m + d * (1 - beta1) * g
    v = beta2 * v + d * d * (1 - beta2) * g**2
    length = sum(abs(s), over="all")
    found = coef * r / length if length > 0 else d
    d_max = maximum(d_max, found)
    d = minimum(d_max, (maximum(d, found) if d == d0 else d) * growth)
    ratio = m / (sqrt(v) + d * eps)
    return x - rate * (ratio + weight_decay * x)


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "bias-corrected": (
        "optax.contrib.prodigy; the authors' code with use_bias_correction=True",
        ("x, g, m=", "x, g, t, m="),
        ("rate = d * lr", "rate = d * lr * sqrt(1 - beta2**t) / (1 - beta1**t)"),
    ),
}
