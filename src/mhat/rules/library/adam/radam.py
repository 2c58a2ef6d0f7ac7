"""Rectified Adam."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Liu et al. 2020, RAdam, Algorithm 2, arXiv:1908.03265",
    knobs={"threshold": "length of the average, rho_t, from which on the second moment is trusted"},
)
def radam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, threshold=5):
    """Warm Adam up by how far its second moment can be trusted, and step along `m_hat` until it can.

    The paper rectifies where rho_t > 4 (from there on the variance exists); its authors' code, torch and
    optax where rho_t > 5, the default here: with beta2=0.999 from step 6 on instead of step 5. The paper has
    no `eps`; here it stands as in `adam` and optax, while torch adds it to the root of the uncorrected `v`.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    rho_inf = 2 / (1 - beta2) - 1
    rho_t = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    r_t = sqrt((rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t))
    ratio = r_t * m_hat / (sqrt(v_hat) + eps) if rho_t > threshold else m_hat
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps added before the correction": (
        "torch.optim.RAdam",
        ("(sqrt(v_hat) + eps)", "((sqrt(v) + eps) / sqrt(1 - beta2**t))"),
    ),
    "rectified from rho_t > 4 on": (
        "Liu et al. 2020, Algorithm 2",
        ("rho_t > threshold", "rho_t > 4"),
    ),
}
