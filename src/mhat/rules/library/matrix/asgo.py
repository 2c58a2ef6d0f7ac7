"""One-sided Shampoo."""

from mhat.language import rule
from mhat.ops import eigh, maximum, sqrt, transpose


@rule(
    paper="An, Liu, Pan, Ren, Ma, Goldfarb & Zhang 2025, ASGO, Algorithm 1, arXiv:2503.20762",
    knobs={"eps": "added to the root of the statistic"},
)
def asgo(x, g, left=0, *, lr=1e-2, eps=1e-8):
    """Precondition a gradient from one side, by the inverse root of its summed outer products.

    The paper's practical form averages gradient and statistic, and renews the root now and then.
    """
    left = left + g @ transpose(g)
    w, u = eigh(left)
    ratio = (u / (sqrt(maximum(w, 0)) + eps)) @ transpose(u) @ g
    return x - lr * ratio
