"""COCOB-Backprop."""

from mhat.language import rule
from mhat.ops import abs, maximum


@rule(
    paper="Orabona & Tommasi 2017, COCOB-Backprop, Algorithm 2, arXiv:1705.07795",
    knobs={
        "alpha": "how far early bets are held down",
        "eps": "largest gradient at first",
    },
)
def cocob(x, g, x0="x", largest_g="eps", total=0, reward=0, theta=0, *, alpha=100.0, eps=1e-8):
    """Bet on the sign of each coordinate's gradient with what was won so far: no rate to choose.

    What was won is the distance from the start along the gradients. The largest gradient starts at eps, as codes have
    it, where the paper has zero.
    """
    largest_g = maximum(largest_g, abs(g))
    total = total + abs(g)
    reward = maximum(reward - (x - x0) * g, 0)
    theta = theta - g
    return x0 + theta / (largest_g * maximum(total + largest_g, alpha * largest_g)) * (largest_g + reward)
