"""Model-based momentum."""

from mhat.language import rule
from mhat.ops import maximum, minimum, sum


@rule(
    paper="Schaipp, Ohana, Eickenberg, Defazio & Gower 2023, MoMo, Algorithm 1, arXiv:2305.07583",
    knobs={"lr": "largest step", "least": "lower bound of the loss"},
)
def momo(x, g, loss, m=0, mean_loss=0, mean_product=0, t_=0, *, lr=1.0, beta1=0.9, eps=1e-12, least=0.0):
    """Average losses and gradients into a model of the loss, and step to where it reaches its lower bound.

    The model is the averaged linear one, cut off at the bound; averages are corrected.
    """
    t_ = t_ + 1
    mean_loss = beta1 * mean_loss + (1 - beta1) * loss
    mean_product = beta1 * mean_product + (1 - beta1) * sum(g * x, over="all")
    m = beta1 * m + (1 - beta1) * g
    rest = 1 - beta1**t_
    height = mean_loss + sum(m * x, over="all") - mean_product - rest * least
    rate = minimum(lr / rest, maximum(height, 0) / (sum(m**2, over="all") + eps))
    return x - rate * m
