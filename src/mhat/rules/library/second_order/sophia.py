"""Sophia."""

from mhat.language import rule
from mhat.ops import clip, maximum


@rule(
    paper="Liu, Li, Hall, Liang & Ma 2023, Sophia, Algorithm 3, arXiv:2305.14342",
    knobs={
        "beta2": "decay rate of the average of the Hessian's diagonal",
        "gamma": "factor of the curvature in the denominator",
        "every": "steps after which a new estimate of the diagonal is taken",
    },
)
def sophia(
    x, g, h, t, m=0, v=0, *, lr=1e-4, beta1=0.96, beta2=0.99, eps=1e-12, weight_decay=0.2, gamma=0.01, every=10,
):  # fmt: skip
    """Divide the average gradient by an estimate of the curvature, and let no coordinate move further than lr.

    `h` is an estimate of the Hessian's diagonal, used on every tenth step; where the curvature is small or negative
    the clip makes the step one by sign.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * h if t % every == 1 else v
    ratio = clip(m / maximum(gamma * v, eps), -1, 1)
    return x - lr * (ratio + weight_decay * x)
