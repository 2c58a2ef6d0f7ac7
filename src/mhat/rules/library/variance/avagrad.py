"""AvaGrad."""

from mhat.language import rule
from mhat.ops import mean, sqrt


@rule(
    paper="Savarese, McAllester, Babu & Maire 2021, AvaGrad, Algorithm 2, arXiv:1912.01823",
    knobs={"eps": "added to the denominator; large on purpose: it sets how adaptive the step is"},
)
def avagrad(x, g, t, m=0, v=0, *, lr=0.1, beta1=0.9, beta2=0.999, eps=0.1):
    """Scale the rates of all coordinates to a mean square of one, so that lr and eps can be chosen apart.

    The rates come from the second moment before this gradient; on step 1 there is none, and nothing moves. The mean
    runs over all tensors.
    """
    rate = 1 / (sqrt(v / (1 - beta2 ** (t - 1))) + eps) if t > 1 else 0
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    ratio = m_hat * rate / sqrt(mean(rate**2, over="all")) if t > 1 else 0
    return x - lr * ratio
