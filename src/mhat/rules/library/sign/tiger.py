"""Tiger: Lion with one average."""

from mhat.language import rule
from mhat.ops import sign


@rule(paper="Su 2023, Tiger, a tight-fisted optimizer, github.com/bojone/tiger")
def tiger(x, g, m=0, *, lr=1e-3, beta1=0.965, weight_decay=0.01):
    """Step by the sign of one average and decay the parameter, to train with as little memory as possible.

    This is Lion with beta1 = beta2, and Signum with decoupled weight decay. The author's code also scales
    the learning rate by the kind of layer and accumulates gradients in `m`; that is not part of the rule.
    """
    m = beta1 * m + (1 - beta1) * g
    ratio = sign(m)
    return x - lr * (ratio + weight_decay * x)
