"""LaProp."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Ziyin, Wang & Ueda 2020, LaProp, Algorithm 1, arXiv:2002.04839")
def laprop(x, g, t, m=0, v=0, *, lr=4e-4, beta1=0.9, beta2=0.999, eps=1e-15):
    """Divide each gradient by its typical size first and average after, so that the two memories do not mix.

    The learning rate stands inside the average, as in the authors' code: a schedule acts through the momentum.
    """
    v = beta2 * v + (1 - beta2) * g**2
    v_hat = v / (1 - beta2**t)
    m = beta1 * m + (1 - beta1) * lr * g / (sqrt(v_hat) + eps)
    return x - m / (1 - beta1**t)
