"""Adam."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Kingma & Ba 2015, Adam, Algorithm 1, arXiv:1412.6980")
def adam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Divide the average gradient by its typical size, so that a steady gradient moves by the learning rate.

    `m_hat` and `v_hat` make up for averages that start at zero; they are kept apart from `m` and `v`, which
    go on uncorrected. `eps` is added to the root of `v_hat`, as in Algorithm 1, torch and optax; Keras and
    TensorFlow add it to the root of the uncorrected `v` (the paper's "epsilon hat", end of section 2).
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
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
}
