"""Partially adaptive momentum."""

from mhat.language import rule
from mhat.ops import maximum, sqrt


@rule(
    paper="Chen, Zhou, Tang, Yang, Cao & Gu 2020, Padam, Algorithm 1, arXiv:1806.06763",
    knobs={"p": "power of the second moment: 1/2 is AMSGrad, 0 is momentum"},
)
def padam(x, g, t, m=0, v=0, v_max=0, *, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8, p=0.125):
    """Divide by a power of the second moment smaller than the root, between Adam and momentum.

    The corrections stand in the rate and `eps` at the root of the largest `v` so far, as in the authors' code; the
    paper has neither. Collections often leave out the maximum.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = maximum(v_max, v)
    ratio = sqrt(1 - beta2**t) / (1 - beta1**t) * m / (sqrt(v_max) + eps) ** (2 * p)
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "without the maximum": (
        "several collections",
        ("    v_max = maximum(v_max, v)\n", "    v_max = v\n"),
    ),
}
