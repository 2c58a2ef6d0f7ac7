"""Schedule-Free RAdam."""

from mhat.language import rule
from mhat.ops import maximum, sqrt


@rule(
    paper="Defazio et al. 2024, Schedule-Free AdamW with RAdam's rectifier, authors' code, arXiv:2405.15682",
    knobs={
        "beta1": "where gradients are taken: at the average (1) or at the fast point (0)",
        "r": "power of the step that weighs the points of the average",
        "power": "power of the largest rate so far that weighs them",
    },
)
def schedule_free_radam(
    x, g, t, z="x", v=0, average="x", total=0, largest_rate=0, *,
    lr=2.5e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, r=0.0, power=2.0,
):  # fmt: skip
    """Let RAdam's rectifier warm Schedule-Free AdamW up, so that not even a warm-up is chosen.

    While the second moment cannot be trusted, the rate is zero.
    """
    rho_inf = 2 / (1 - beta2) - 1
    rho_t = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    r_t = sqrt((rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t))
    rate = lr * r_t if rho_t > 4 else 0
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
