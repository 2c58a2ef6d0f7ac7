"""ACProp."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Zhuang et al. 2021, ACProp, Algorithm 2, arXiv:2110.05454")
def acprop(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-16):
    """Divide each gradient by how far gradients strayed from their average before it, and do not average it.

    The denominator does not know the newest gradient, so the two are independent. On step 1 it is 1. `eps` is added to
    `v` at every step, and to the root, as in optax.
    """
    root = sqrt(v / (1 - beta2 ** (t - 1))) if t > 1 else 1
    v = beta2 * v + (1 - beta2) * (g - m) ** 2 + eps
    m = beta1 * m + (1 - beta1) * g
    ratio = g / (root + eps)
    return x - lr * ratio
