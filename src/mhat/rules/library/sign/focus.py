"""FOCUS."""

from mhat.language import rule
from mhat.ops import sign


@rule(
    paper="Liu, Liu, Gore & Tegmark 2025, FOCUS, Algorithm 1, arXiv:2501.12243",
    knobs={
        "beta2": "decay rate of the average of the parameters",
        "gamma": "strength of the pull to the average of the parameters",
    },
)
def focus(x, g, t, m=0, average=0, *, lr=1e-3, beta1=0.9, beta2=0.99, gamma=0.1, weight_decay=0.0):
    """Step by the sign of the average gradient, and pull each parameter to its own average, against the noise.

    The pull is a sign too. The average of the parameters takes x before the step and is corrected; the decay pulls by
    the average, not by x itself.
    """
    m = beta1 * m + (1 - beta1) * g
    average = beta2 * average + (1 - beta2) * x
    centre = average / (1 - beta2**t)
    x = x - lr * weight_decay * centre
    ratio = sign(m) + gamma * sign(x - centre)
    return x - lr * ratio
