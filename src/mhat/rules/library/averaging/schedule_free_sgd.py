"""Schedule-Free SGD."""

from mhat.language import rule
from mhat.ops import maximum


@rule(
    paper="Defazio et al. 2024, Schedule-Free SGD, equations 5 to 7, arXiv:2405.15682",
    knobs={
        "momentum": "where gradients are taken: at the average (1) or at the fast point (0)",
        "warmup": "steps over which the learning rate rises",
        "r": "power of the step that weighs the points of the average",
        "power": "power of the largest rate so far that weighs them",
    },
)
def schedule_free_sgd(
    x, g, t, z="x", average="x", total=0, largest_rate=0, *,
    lr=1.0, momentum=0.9, weight_decay=0.0, warmup=0, r=0.0, power=2.0,
):  # fmt: skip
    """Average the points of plain descent and take gradients in between, so that no schedule is needed.

    x is the paper's y, where gradients are taken; `z` is plain descent, and the average is what is to be evaluated.
    """
    rate = lr * (t / warmup if t <= warmup else 1)
    largest_rate = maximum(largest_rate, rate)
    weight = t**r * largest_rate**power
    total = total + weight
    share = weight / total if total > 0 else 0
    z = z - rate * (g + weight_decay * x)
    average = (1 - share) * average + share * z
    x_eval = average
    return momentum * average + (1 - momentum) * z
