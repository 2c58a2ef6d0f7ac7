"""Fisher Adam."""

from mhat.language import rule
from mhat.ops import maximum, mean, minimum, sqrt


@rule(
    paper="Hwang 2024, FAdam, Algorithm 1, arXiv:2405.12807",
    knobs={"limit": "largest root mean square of the natural gradient"},
)
def fadam(x, g, t, m=0, f=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1, limit=1.0):
    """Read Adam's second moment as Fisher information: natural gradient first, clipped, then momentum.

    The decay runs through the Fisher information too. `f` carries its correction in a decay rate that starts at zero,
    and `eps` shrinks with the gradient: while all gradients are zero, x is not a number.
    """
    keep = beta2 * (1 - beta2 ** (t - 1)) / (1 - beta2**t)
    f = keep * f + (1 - keep) * g**2
    root = sqrt(f) + eps * minimum(sqrt(mean(g**2)), 1)
    natural = g / root / (maximum(1, sqrt(mean((g / root) ** 2))) / limit)
    m = beta1 * m + (1 - beta1) * natural
    decay = x / root / (maximum(1, sqrt(mean((x / root) ** 2))) / limit)
    return x - lr * (m + weight_decay * decay)
