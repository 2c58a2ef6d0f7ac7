"""Adam-mini by tensors."""

from mhat.language import rule
from mhat.ops import mean, sqrt


@rule(paper="Zhang et al. 2024, Adam-mini, Algorithm 1, arXiv:2406.16793")
def adam_mini_tensor(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """Give each tensor one learning rate, by the mean of its squared gradients.

    This is what the authors' code does with norms and convolutions; dense layers get a number a row (`adam_mini`).
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * mean(g**2)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)
