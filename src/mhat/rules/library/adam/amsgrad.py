"""AMSGrad."""

from mhat.language import rule
from mhat.ops import maximum, sqrt


@rule(paper="Reddi, Kale & Kumar 2018, AMSGrad, Algorithm 2, arXiv:1904.09237")
def amsgrad(x, g, t, m=0, v=0, v_max=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Divide by the largest second moment so far, so that a rare large gradient is never forgotten.

    The paper has no bias correction and no `eps`. Here, as in torch, `v_max` is the maximum of the
    uncorrected `v` and is corrected afterwards; optax takes the maximum of the corrected moments. Keras
    differs in where `eps` stands, as for `adam`.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = maximum(v_max, v)
    m_hat = m / (1 - beta1**t)
    v_hat = v_max / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps-hat: eps is added before the correction": (
        "Kingma & Ba 2015, section 2, last paragraph; TensorFlow, Keras",
        ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2**t)"),
    ),
    "maximum of the corrected moment": (
        "optax.amsgrad",
        ("    v_max = maximum(v_max, v)\n", ""),
        ("v_hat = v_max / (1 - beta2**t)", "v_hat = v / (1 - beta2**t)\n    v_max = maximum(v_max, v_hat)"),
        ("sqrt(v_hat)", "sqrt(v_max)"),
    ),
    "without bias correction": (
        "Reddi, Kale & Kumar 2018, Algorithm 2",
        ("m_hat = m / (1 - beta1**t)", "m_hat = m"),
        ("v_hat = v_max / (1 - beta2**t)", "v_hat = v_max"),
    ),
}
