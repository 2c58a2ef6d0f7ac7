"""Adam-mini by rows."""

from mhat.language import rule
from mhat.ops import row_mean, sqrt


@rule(paper="Zhang et al. 2024, Adam-mini, Algorithm 1, arXiv:2406.16793")
def adam_mini(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """Give each output neuron one learning rate, since the coordinates of a block of the Hessian need no more.

    This is what the authors' code does with embeddings, outputs, values and dense layers: `v` is one number a row. Of
    queries and keys it takes one a head, of norms one a tensor (`adam_mini_tensor`).
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * row_mean(g**2)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)
