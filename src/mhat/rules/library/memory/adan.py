"""Adan."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Xie et al. 2022, Adan, Algorithm 1, arXiv:2208.06677",
    knobs={
        "beta2": "decay rate of the average of the gradient differences, and weight of a difference",
        "beta3": "decay rate of the average of the squared, extrapolated gradients",
    },
)
def adan(x, g, t, m=0, d=0, v=0, g_last="g", *, lr=1e-3, beta1=0.98, beta2=0.92, beta3=0.99, eps=1e-8, weight_decay=0):
    """Extrapolate the gradient by its last change, so that Adam looks ahead without a second gradient.

    `d` averages the differences and `v` the squares (the paper's v and n). The betas are 1 minus the paper's,
    and there are bias corrections, both as in the authors' code. The decay divides by 1 + lr * weight_decay.
    On step 1 the change is zero. optax spells the betas like this too, but weighs the change with 1 - beta2
    (up to version 0.2.8 at least), and adds its decay as AdamW does.
    """
    change = g - g_last
    g_last = g
    m = beta1 * m + (1 - beta1) * g
    d = beta2 * d + (1 - beta2) * change
    v = beta3 * v + (1 - beta3) * (g + beta2 * change) ** 2
    m_hat = m / (1 - beta1**t)
    d_hat = d / (1 - beta2**t)
    v_hat = v / (1 - beta3**t)
    ratio = (m_hat + beta2 * d_hat) / (sqrt(v_hat) + eps)
    return (x - lr * ratio) / (1 + lr * weight_decay)


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps under the root": (
        "Xie et al. 2022, Algorithm 1",
        ("(sqrt(v_hat) + eps)", "sqrt(v_hat + eps)"),
    ),
    "decay beside the step": (
        "the authors' code with no_prox; optax.adan",
        ("(x - lr * ratio) / (1 + lr * weight_decay)", "x - lr * (ratio + weight_decay * x)"),
    ),
}
