"""NAdam with decoupled weight decay."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Dozat 2016, Nadam, Algorithm 2, with the decay of Loshchilov & Hutter 2019, arXiv:1711.05101")
def nadamw(
    x, g, t, m=0, v=0, product=1, *,
    lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, momentum_decay=4e-3,
):  # fmt: skip
    """Take NAdam's step, and decay the parameter beside it.

    This is torch.optim.NAdam(decoupled_weight_decay=True); optax.nadamw has no schedule of the momentum.
    """
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    product = product * mu
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "constant momentum": (
        "optax.nadamw",
        ("mu = beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))", "mu = beta1"),
        ("mu_next = beta1 * (1 - 0.5 * 0.96**((t + 1) * momentum_decay))", "mu_next = beta1"),
    ),
}
