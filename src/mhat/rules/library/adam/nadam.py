"""Adam with Nesterov's momentum."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Dozat 2016, Nadam, Algorithm 2, ICLR workshop, openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ")
def nadam(x, g, t, m=0, v=0, product=1, *, lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=4e-3):
    """Take Adam's step with the momentum of the coming step, so that the newest gradient counts at once.

    `mu` warms up from about beta1 / 2 to beta1, and `product` is the product of all `mu` so far. As in torch
    and Keras, `m` itself averages with beta1; in the paper it averages with `mu`, and the paper has a factor
    beta2 in `v_hat`. momentum_decay is the paper's 1 / 250, as in torch; Keras is this rule with
    momentum_decay=1, and optax, which has no schedule, with a huge momentum_decay.
    """
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    product = product * mu
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps-hat: eps is added before the correction": (
        "Kingma & Ba 2015, section 2, last paragraph; TensorFlow, Keras",
        ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2**t)"),
    ),
    "constant momentum": (
        "optax.nadam",
        ("mu = beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))", "mu = beta1"),
        ("mu_next = beta1 * (1 - 0.5 * 0.96**((t + 1) * momentum_decay))", "mu_next = beta1"),
    ),
    "the newest gradient mixed with the corrected moment": (
        "Dozat's simplified form in many codes",
        (
            "m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)",
            "m_hat = beta1 * (m / (1 - beta1**t)) + (1 - beta1) * g / (1 - beta1**t)",
        ),
    ),
    "the moment averaged with mu, a factor beta2 in v_hat": (
        "Dozat 2016, Algorithm 2",
        ("m = beta1 * m + (1 - beta1) * g", "m = mu * m + (1 - mu) * g"),
        ("v_hat = v / (1 - beta2**t)", "v_hat = beta2 * v / (1 - beta2**t)"),
    ),
}
