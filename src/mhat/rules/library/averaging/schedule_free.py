"""Schedule-Free AdamW."""

from mhat.language import rule
from mhat.ops import maximum, sqrt


@rule(
    paper="Defazio et al. 2024, Schedule-Free AdamW, Algorithm 1, arXiv:2405.15682",
    knobs={
        "beta1": "where gradients are taken: at the average (1) or at the fast point (0)",
        "warmup": "steps over which the learning rate rises",
        "r": "power of the step that weighs the points of the average",
        "power": "power of the largest rate so far that weighs them",
    },
)
def schedule_free(
    x, g, t, z="x", v=0, average="x", total=0, largest_rate=0, *,
    lr=2.5e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, warmup=0, r=0.0, power=2.0,
):  # fmt: skip
    """Average the points of a fast sequence and take gradients in between, so that no schedule is needed.

    x is the paper's y, where gradients are taken; `z` is the fast sequence, and the average is what is to be evaluated.
    The decay pulls `z` by x.
    """
    rate = lr * (t / warmup if t <= warmup else 1)
    largest_rate = maximum(largest_rate, rate)
    weight = t**r * largest_rate**power
    total = total + weight
    share = weight / total if total > 0 else 0
    v = beta2 * v + (1 - beta2) * g**2
    v_hat = v / (1 - beta2**t)
    z = z - rate * (g / (sqrt(v_hat) + eps) + weight_decay * x)
    average = (1 - share) * average + share * z
    x_eval = average
    return beta1 * average + (1 - beta1) * z
