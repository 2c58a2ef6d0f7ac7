"""Adam with an L2 penalty."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Loshchilov & Hutter 2019, Adam with L2 regularization, Algorithm 2, arXiv:1711.05101",
    knobs={"weight_decay": "strength of the L2 penalty, whose slope is added to the gradient"},
)
def adam_l2(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    """Add the slope of an L2 penalty to the gradient, which Adam then divides away where gradients are large.

    This is torch.optim.Adam(weight_decay=...). The decay of a coordinate depends on the size of its gradients; in
    `adamw` it does not.
    """
    d = g + weight_decay * x
    m = beta1 * m + (1 - beta1) * d
    v = beta2 * v + (1 - beta2) * d**2
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
