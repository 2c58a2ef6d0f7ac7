"""Adam with decoupled weight decay."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(paper="Loshchilov & Hutter 2019, AdamW, Algorithm 2, arXiv:1711.05101")
def adamw(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    """Take Adam's step and decay the parameter beside it, so that the decay does not depend on the gradient.

    The decay is `lr * weight_decay`, as in torch, optax and Keras; in the paper it is scaled by the schedule
    alone and not by the learning rate. The default of `weight_decay` is torch's; optax has 1e-4, Keras 4e-3.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps-hat: eps is added before the correction": (
        "Kingma & Ba 2015, section 2, last paragraph; TensorFlow, Keras",
        ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2**t)"),
    ),
    "decay after the step": (
        "course handouts, and Adam's weight decay in several libraries",
        (
            "    return x - lr * (ratio + weight_decay * x)",
            "    x = x - lr * ratio\n    return x - lr * weight_decay * x",
        ),
    ),
    "decay not scaled by the learning rate": (
        "Loshchilov & Hutter 2019, Algorithm 2",
        ("lr * (ratio + weight_decay * x)", "lr * ratio - weight_decay * x"),
    ),
}
