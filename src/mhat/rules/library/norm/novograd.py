"""NovoGrad."""

from mhat.language import rule
from mhat.ops import sqrt, sum


@rule(
    paper="Ginsburg et al. 2019, NovoGrad, Algorithm 1, arXiv:1905.11286",
    knobs={"beta1": "share of the sum of normalised gradients kept from step to step"},
)
def novograd(x, g, m=0, v="sum(g**2)", *, lr=1e-3, beta1=0.95, beta2=0.98, eps=1e-8, weight_decay=0.0):
    """Divide each tensor's gradient by its typical length, one number a tensor, and carry it on.

    `v` starts at the first squared length, and `m` is a sum and not an average; nothing is corrected. The decay is
    carried by the momentum. optax has beta1 = 0.9, beta2 = 0.25, eps = 1e-6.
    """
    v = beta2 * v + (1 - beta2) * sum(g**2)
    m = beta1 * m + g / (sqrt(v) + eps) + weight_decay * x
    return x - lr * m
