"""KATE."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Choudhury, Tupitsa, Loizou, Horvath, Takac & Gorbunov 2024, KATE, Algorithm 1, arXiv:2403.02648",
    knobs={"delta": "weight of the squares in the numerator"},
)
def kate(x, g, m=0, b=0, *, lr=1e-3, delta=0.1, eps=1e-8):
    """Take Adagrad's rate without its root, so that rescaling the data changes nothing, not even the speed.

    `b` and `m` are the paper's squares b**2 and m**2; `delta` is its eta. `eps` is added to `b` at every step, so that
    a coordinate whose gradients are zero rests.
    """
    b = b + g**2 + eps
    m = m + delta * g**2 + g**2 / b
    ratio = sqrt(m) * g / b
    return x - lr * ratio
