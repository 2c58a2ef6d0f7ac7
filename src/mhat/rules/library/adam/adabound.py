"""AdaBound."""

from mhat.language import rule
from mhat.ops import clip, sqrt


@rule(
    paper="Luo et al. 2019, AdaBound, Algorithm 2, arXiv:1902.09843",
    knobs={
        "final_lr": "learning rate that every coordinate's rate ends at, that of sgd",
        "gamma": "how fast the bounds of the rate close in on final_lr",
    },
)
def adabound(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, final_lr=0.1, gamma=1e-3):
    """Keep each learning rate between closing bounds, so that training starts as Adam and ends as momentum.

    As in the authors' code the bias corrections are part of `rate`, `eps` is added to the root of the
    uncorrected `v`, and gamma stands for the paper's 1 - beta2; the paper also divides the rate by sqrt(t).
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    lower = final_lr * (1 - 1 / (gamma * t + 1))
    upper = final_lr * (1 + 1 / (gamma * t))
    rate = clip(lr * sqrt(1 - beta2**t) / (1 - beta1**t) / (sqrt(v) + eps), lower, upper)
    return x - rate * m
