"""MARS-AdamW."""

from mhat.language import rule
from mhat.ops import maximum, norm, sqrt


@rule(
    paper="Yuan, Liu, Wu, Zhou & Gu 2024, MARS-AdamW, Algorithm 2, arXiv:2411.10438",
    knobs={"gamma": "strength of the variance reduction"},
)
def mars(x, g, t, m=0, v=0, g_last=0, *, lr=3e-3, beta1=0.95, beta2=0.99, eps=1e-8, weight_decay=0.0, gamma=0.025):
    """Correct the gradient by its last change before AdamW sees it, as variance reduction does.

    This is the approximate form, with the last gradient where the exact one takes the gradient of the new batch at the
    old point. The corrected gradient is scaled down to length 1, a tensor at a time; the gradient before the first
    counts as zero, as in the authors' code.
    """
    c = g + gamma * beta1 / (1 - beta1) * (g - g_last)
    c = c / maximum(1, norm(c))
    g_last = g
    m = beta1 * m + (1 - beta1) * c
    v = beta2 * v + (1 - beta2) * c**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)
