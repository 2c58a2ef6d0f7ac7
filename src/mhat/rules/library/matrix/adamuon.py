"""AdaMuon."""

from mhat.language import rule
from mhat.ops import norm, orthogonal, sign, size, sqrt


@rule(
    paper="Si, Zhang & Shen 2025, AdaMuon, Algorithm 1 (version 3), arXiv:2507.11005",
    flatten="first",
    knobs={"eps": "added to the root of the second moment of the orthogonal step", "rms": "root mean square of a step"},
)
def adamuon(x, g, m=0, v=0, *, lr=1e-3, momentum=0.95, eps=1e-8, weight_decay=0.1, rms=0.2):
    """Orthogonalize the sign of the momentum, and adapt each coordinate of the result as Adam does.

    The second moment decays by the momentum too and is not corrected. The step is scaled to AdamW's size. The first
    version had no sign.
    """
    m = momentum * m + g
    o = orthogonal(sign(g + momentum * m))
    v = momentum * v + (1 - momentum) * o**2
    u = o / (sqrt(v) + eps)
    ratio = rms * sqrt(size(x)) / norm(u) * u
    return x - lr * (ratio + weight_decay * x)
