"""Rectified Adam with decoupled weight decay."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Liu et al. 2020, RAdam, Algorithm 2, with the decay of Loshchilov & Hutter 2019, arXiv:1711.05101",
    knobs={"threshold": "length of the average, rho_t, from which on the second moment is trusted"},
)
def radamw(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, threshold=5):
    """Take RAdam's step, and decay the parameter beside it.

    This is torch.optim.RAdam(decoupled_weight_decay=True), but for the place of `eps`.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    rho_inf = 2 / (1 - beta2) - 1
    rho_t = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    r_t = sqrt((rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t))
    ratio = r_t * m_hat / (sqrt(v_hat) + eps) if rho_t > threshold else m_hat
    return x - lr * (ratio + weight_decay * x)


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps added before the correction": (
        "torch.optim.RAdam",
        ("(sqrt(v_hat) + eps)", "((sqrt(v) + eps) / sqrt(1 - beta2**t))"),
    ),
}
