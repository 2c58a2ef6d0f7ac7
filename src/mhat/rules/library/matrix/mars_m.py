"""MARS-M."""

from mhat.language import rule
from mhat.ops import columns, maximum, norm, orthogonal, rows, sqrt


@rule(
    paper="Liu, Yuan & Gu 2025, MARS-M, Algorithm 1, arXiv:2510.21800",
    flatten="first",
    knobs={"gamma": "strength of the variance reduction", "rms": "root mean square of a step, as a share of lr"},
)
def mars_m(x, g, m=0, g_last=0, *, lr=3e-3, momentum=0.95, weight_decay=0.0, gamma=0.025, rms=0.2):
    """Correct the gradient by its last change before Muon sees it, as variance reduction does.

    This is the approximate form, with the last gradient where the exact one takes the gradient of the new batch at the
    old point; the gradient before the first counts as zero. Steps are as long as in `muon_moonlight`.
    """
    c = g + gamma * momentum / (1 - momentum) * (g - g_last)
    c = c / maximum(1, norm(c))
    g_last = g
    m = momentum * m + (1 - momentum) * c
    ratio = rms * sqrt(maximum(rows(x), columns(x))) * orthogonal(m)
    return x - lr * (ratio + weight_decay * x)
