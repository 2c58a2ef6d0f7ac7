"""AdamW with a clip for each tensor."""

from mhat.language import rule
from mhat.ops import minimum, norm, sqrt


@rule(
    paper="Wang, Zhang, Sun, Liu, Zhang & Liu 2025, AdaGC, Algorithm 1, arXiv:2502.11034",
    knobs={
        "relative": "how far a gradient may exceed its tensor's average length",
        "absolute": "largest length over all tensors while the averages begin",
        "beta3": "decay rate of the average of the clipped lengths",
        "warmup": "steps in which the length over all tensors is clipped",
    },
)
def adagc(
    x, g, t, m=0, v=0, length="norm(g)", *,
    lr=1e-3, beta1=0.9, beta2=0.95, beta3=0.98, eps=1e-8, weight_decay=0.1, relative=1.05, absolute=1.0, warmup=100,
):  # fmt: skip
    """Clip each tensor's gradient at its own average length, so that one tensor's spike spoils no other.

    For the first steps all tensors together are clipped, and `length` keeps the smallest length so far.
    """
    limit = relative * length / norm(g) if t >= warmup else absolute / norm(g, over="all")
    d = g * minimum(1, limit) if norm(g) > 0 else g
    length = beta3 * length + (1 - beta3) * norm(d) if t >= warmup else minimum(length, norm(d))
    m = beta1 * m + (1 - beta1) * d
    v = beta2 * v + (1 - beta2) * d**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)
