"""SGD with rates fixed at initialization."""

from mhat.language import rule


@rule(paper="Xu, Zhang, Kong & Zhang 2024, SGD-SaI, Algorithm 1, arXiv:2412.11768")
def sgd_sai(
    x, g, m=0, snr="norm(g) / (sqrt(mean((g - mean(g))**2)) + 1e-8)", *,
    lr=0.01, momentum=0.9, weight_decay=0.01,
):  # fmt: skip
    """Fix each tensor's rate by the signal-to-noise ratio of its first gradient, and never adapt it again.

    `snr` is the length of the first gradient over the deviation of its entries. The decay comes beside the step.
    """
    m = momentum * m + (1 - momentum) * g
    ratio = snr * m
    return x - lr * (ratio + weight_decay * x)
