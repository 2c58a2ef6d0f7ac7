"""Yogi."""

from mhat.language import rule
from mhat.ops import sign, sqrt


@rule(
    paper="Zaheer et al. 2018, Yogi, Algorithm 2, NeurIPS",
    knobs={"beta2": "1 minus the share of the squared gradient that the second moment moves by"},
)
def yogi(x, g, m=0, v=0, *, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-3):
    """Let small gradients change the second moment little, so that it does not collapse between large ones.

    As in the paper there is no bias correction and the moments start at zero; optax and most other codes
    start both at 1e-6 and correct them. The paper advises a large `eps` and ten times Adam's `lr`.
    """
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * sign(v - g**2) * g**2
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "bias-corrected": (
        "optax.yogi, tfa.optimizers.Yogi",
        ("x, g, m=", "x, g, t, m="),
        ("m / (sqrt(v) + eps)", "m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)"),
    ),
    "both moments from 1e-6": (
        "optax.yogi",
        ("m=0, v=0", "m=1e-6, v=1e-6"),
    ),
    "second moment from 1e-6": (
        "tfa.optimizers.Yogi",
        ("v=0", "v=1e-6"),
    ),
}
