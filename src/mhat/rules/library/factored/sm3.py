"""SM3."""

from mhat.language import rule
from mhat.ops import column_largest, minimum, row_largest, sqrt


@rule(
    paper="Anil, Gupta, Koren & Singer 2019, SM3-II with momentum, Algorithm 2, arXiv:1901.11150",
    knobs={"eps": "added under the root, so that a zero sum divides nothing by zero"},
)
def sm3(x, g, m=0, r=0, c=0, *, lr=0.1, momentum=0.9, eps=1e-8):
    """Keep for each row and each column the largest sum of squares in it, and take the smaller bound of the two.

    An upper bound of Adagrad's sums in the memory of one row and one column. This is the form for matrices. `m` is an
    average, as in optax.
    """
    v = minimum(r, c) + g**2
    r = row_largest(v)
    c = column_largest(v)
    m = momentum * m + (1 - momentum) * g / sqrt(v + eps)
    return x - lr * m
