"""Amos."""

from mhat.language import rule
from mhat.ops import maximum, mean, sqrt


@rule(
    paper="Tian & Parikh 2022, Amos, Algorithm 1, arXiv:2210.11693",
    knobs={
        "beta": "decay rate of the average of the squared gradient",
        "scale": "size that the entries of the tensor are expected to have in the end",
        "alpha": "how fast the decay slows down",
        "gamma": "how fast the rate slows down",
    },
)
def amos(x, g, t, v=0, b=0, *, lr=0.01, weight_decay=0.0, beta=0.999, scale=0.5, alpha=0.25, gamma=0.25):
    """Decay and slow down by what the scale of the model says, so that neither needs a schedule.

    `v` is one number a tensor and `b` counts how much was decayed so far. `weight_decay` is decay of one's own beside
    it. `scale` depends on the tensor: 1 for norms, sqrt(2 / inputs) for a dense layer.
    """
    square = mean(g**2)
    v = beta * v + (1 - beta) * square
    r = (1 - beta**t) / maximum(v, 2.350988701644575e-38)
    shrink = lr**2 * r * square / sqrt(1 + alpha * sqrt(lr) * b)
    rate = lr * scale
    slowed = 1 / (1 + gamma * sqrt(rate) * b)
    b = b + shrink * (1 + b)
    return x - slowed * (rate * sqrt(r) * g + (0.5 * shrink + weight_decay) * x)
