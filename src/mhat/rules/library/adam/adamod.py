"""AdaMod."""

from mhat.language import rule
from mhat.ops import minimum, sqrt


@rule(
    paper="Ding, Ren, Luo & Sun 2019, AdaMod, Algorithm 2, arXiv:1910.12249",
    knobs={"beta3": "decay rate of the average of the rates"},
)
def adamod(x, g, t, m=0, v=0, s=0, *, lr=1e-3, beta1=0.9, beta2=0.999, beta3=0.999, eps=1e-8):
    """Let no coordinate's rate exceed its own average, so that rates that jump early do no harm.

    The rate holds both corrections, and its average `s` starts at zero and is not corrected: training warms up by
    itself. As in the authors' code `eps` is added to the root of the uncorrected `v`.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    rate = lr * sqrt(1 - beta2**t) / (1 - beta1**t) / (sqrt(v) + eps)
    s = beta3 * s + (1 - beta3) * rate
    return x - minimum(rate, s) * m
