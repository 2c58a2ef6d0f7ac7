"""Row-normalised descent."""

from mhat.language import rule
from mhat.ops import row_mean, sqrt


@rule(paper="Glentis et al. 2025, a minimalist optimizer design for LLM pretraining, section 3, arXiv:2506.16659")
def sron(x, g, m=0, *, lr=1e-3, momentum=0.9, eps=1e-8, weight_decay=0.0):
    """Give every row of the momentum the root mean square one: each neuron's step is as long as any other's."""
    m = momentum * m + (1 - momentum) * g
    ratio = m / (sqrt(row_mean(m**2)) + eps)
    return x - lr * (ratio + weight_decay * x)
