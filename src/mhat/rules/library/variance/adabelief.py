"""AdaBelief."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Zhuang et al. 2020, AdaBelief, Algorithm 2, arXiv:2010.07468",
    knobs={
        "beta2": "decay rate of the average of the squared surprises",
        "eps": "added to the second moment at every step, and to its root",
    },
)
def adabelief(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-16):
    """Divide by how far gradients stray from their average, so that an expected gradient takes a long step.

    `v` is the paper's s. `eps` is added in both places, to `v` itself at every step and to the root, as in
    the paper, the authors' code and optax (there as eps_root and eps); 1e-16 is the default of both codes.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g - m) ** 2 + eps
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps-hat: eps is added before the correction": (
        "Kingma & Ba 2015, section 2, last paragraph; TensorFlow, Keras",
        ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2**t)"),
    ),
    "eps in the root alone": (
        "Keras-like ports",
        ("(g - m)**2 + eps", "(g - m)**2"),
    ),
}
