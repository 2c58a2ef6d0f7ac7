"""D-Adaptation of Adam."""

from mhat.language import rule
from mhat.ops import inf, maximum, minimum, sqrt, sum


@rule(
    paper="Defazio & Mishchenko 2023, D-Adapt Adam, Algorithm 5, arXiv:2301.07733",
    knobs={
        "lr": "factor of the learning rate that is found",
        "d0": "first guess of the distance to the solution",
        "growth": "largest factor by which the distance may grow in a step",
    },
)
def dadapt_adam(
    x, g, m=0, v=0, s=0, r=0, d="d0", *,
    lr=1.0, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, d0=1e-6, growth=inf,
):  # fmt: skip
    """Bound the distance to the solution from below as training goes, and take it as the learning rate of Adam.

    The rate stands inside `m`, so what was learned with a small distance stays small. The inner product takes `s` and
    `v` before this gradient.
    """
    root = sqrt(beta2)
    rate = d * lr
    gained = rate * sum(g * s / (sqrt(v) + eps), over="all")
    m = beta1 * m + rate * (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    s = root * s + rate * (1 - root) * g
    r = root * r + (1 - root) * gained
    length = (1 - root) * sum(abs(s), over="all")
    d = maximum(d, minimum(r / length, d * growth)) if length > 0 else d
    return (1 - rate * weight_decay) * x - m / (sqrt(v) + eps)
