"""CAME."""

from mhat.language import rule
from mhat.ops import column_mean, maximum, mean, row_mean, sqrt


@rule(
    paper="Luo et al. 2023, CAME, Algorithm 2, arXiv:2307.02047",
    knobs={
        "beta3": "decay rate of the average of the surprise",
        "eps1": "added to each squared gradient",
        "eps2": "added to each squared surprise",
        "d": "largest root mean square of the step before it is averaged",
    },
)
def came(
    x, g, r=0, c=0, m=0, p=0, q=0, *,
    lr=2e-4, beta1=0.9, beta2=0.999, beta3=0.9999, weight_decay=0.0, eps1=1e-30, eps2=1e-16, d=1.0,
):  # fmt: skip
    """Shorten Adafactor's step where it strays from its own average, by a factored second moment of the surprise.

    Matrices only: of vectors the authors' code steps along `m`. The surprise is measured from the new average.
    """
    square = g**2 + eps1
    r = beta2 * r + (1 - beta2) * row_mean(square)
    c = beta2 * c + (1 - beta2) * column_mean(square)
    u = g / sqrt(r / mean(r) * c)
    u = u / maximum(1, sqrt(mean(u**2)) / d)
    m = beta1 * m + (1 - beta1) * u
    surprise = (u - m) ** 2 + eps2
    p = beta3 * p + (1 - beta3) * row_mean(surprise)
    q = beta3 * q + (1 - beta3) * column_mean(surprise)
    ratio = m / sqrt(p / mean(p) * q)
    return x - lr * (ratio + weight_decay * x)
