"""Adaptive inertia."""

from mhat.language import rule
from mhat.ops import clip, mean


@rule(
    paper="Xie, Wang, Zhang, Sato & Sugiyama 2022, Adai, Algorithm 2, arXiv:2006.15815",
    knobs={
        "beta0": "how much the second moment takes from the inertia",
        "eps": "what the inertia stays below 1 by",
    },
)
def adai(x, g, t, m=0, v=0, product=1, *, lr=1e-3, beta0=0.1, beta2=0.99, eps=1e-3):
    """Give coordinates with small gradients more inertia, and all the same rate, to leave sharp minima.

    `beta1` is a decay rate for each coordinate, from its second moment against the mean over all tensors; `product`
    corrects the average. The rate is not adapted. While all gradients are zero, the mean is, and x is not a number.
    """
    v = beta2 * v + (1 - beta2) * g**2
    v_hat = v / (1 - beta2**t)
    beta1 = clip(1 - beta0 * v_hat / mean(v_hat, over="all"), 0, 1 - eps)
    product = product * beta1
    m = beta1 * m + (1 - beta1) * g
    ratio = m / (1 - product)
    return x - lr * ratio
