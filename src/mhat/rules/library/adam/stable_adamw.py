"""StableAdamW."""

from mhat.language import rule
from mhat.ops import maximum, mean, sqrt


@rule(paper="Wortsman et al. 2023, StableAdamW, Algorithm 2, arXiv:2304.13013")
def stable_adamw(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.99, eps=1e-8, weight_decay=0.01):
    """Shorten AdamW's step where the newest gradients are larger than the second moment knows, a cure for spikes.

    The averages carry their corrections in decay rates that start at zero, so `m` and `v` are Adam's m_hat and v_hat.
    `surprise` is one number a tensor, and the decay is shortened with the step.
    """
    keep1 = beta1 * (1 - beta1 ** (t - 1)) / (1 - beta1**t)
    keep2 = beta2 * (1 - beta2 ** (t - 1)) / (1 - beta2**t)
    m = keep1 * m + (1 - keep1) * g
    v = keep2 * v + (1 - keep2) * g**2
    surprise = sqrt(mean(g**2 / maximum(v, eps**2)))
    rate = lr / maximum(1, surprise)
    ratio = m / (sqrt(v) + eps)
    return x - rate * (ratio + weight_decay * x)
