"""AdEMAMix."""

from mhat.language import rule
from mhat.ops import log, minimum, sqrt


@rule(
    paper="Pagliardini, Ablin & Grangier 2024, AdEMAMix, Algorithm 1, arXiv:2409.03137",
    knobs={
        "beta3": "decay rate of the slow average of the gradients",
        "alpha": "weight of the slow average",
        "warmup": "steps over which the slow average and its weight come in",
    },
)
def ademamix(
    x, g, t, m=0, slow=0, v=0, *,
    lr=1e-3, beta1=0.9, beta2=0.999, beta3=0.9999, eps=1e-8, weight_decay=0.0, alpha=5.0, warmup=1,
):  # fmt: skip
    """Keep a fast and a very slow average of the gradients, since old gradients stay useful for long.

    The slow one is not corrected. Over `warmup` steps its weight grows to alpha and its half-life to that of beta3,
    evenly; with 1 there is none. The paper's weight is 5, the authors' torch file has 2.
    """
    share = minimum(t / warmup, 1)
    first = log(0.5) / log(beta1 + 1e-8) - 1
    last = log(0.5) / log(beta3 + 1e-8) - 1
    keep = 0.5 ** (1 / ((1 - share) * first + share * last + 1)) if share < 1 else beta3
    m = beta1 * m + (1 - beta1) * g
    slow = keep * slow + (1 - keep) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = (m_hat + share * alpha * slow) / (sqrt(v_hat) + eps)
    return x - lr * (ratio + weight_decay * x)
