"""SPlus."""

from mhat.language import rule
from mhat.ops import columns, eigh, rows, sign, transpose


@rule(
    paper="Frans, Levine & Abbeel 2025, SPlus, Algorithm 1, arXiv:2506.07254",
    knobs={
        "beta2": "decay rate of the statistics of rows and columns",
        "beta3": "decay rate of the average of the parameters",
        "every": "steps after which the bases are computed anew",
    },
)
def splus(
    x, g, t, m=0, left=0, right=0, ql=0, qr_=0, average=0, *,
    lr=0.1, beta1=0.9, beta2=0.999, beta3=0.999, weight_decay=0.01, every=100,
):  # fmt: skip
    """Step by the sign of the momentum in Shampoo's eigenbasis, so that stale bases cannot make a step explode.

    The step takes the bases found before it; on step 1 it is the sign of the momentum itself. The rate falls with the
    mean of rows and columns. To be evaluated is the corrected average of x, taken before the decay.
    """
    rate = 2 * lr / (rows(x) + columns(x))
    m = beta1 * m + (1 - beta1) * g
    left = beta2 * left + (1 - beta2) * (g @ transpose(g))
    right = beta2 * right + (1 - beta2) * (transpose(g) @ g)
    u = sign(m) if t == 1 else ql @ sign(transpose(ql) @ m @ qr_) @ transpose(qr_)
    turn = t == 1 or t % every == 0
    lw, lu = eigh(left)
    rw, ru = eigh(right)
    ql = lu if turn else ql
    qr_ = ru if turn else qr_
    x = x - rate * u
    average = beta3 * average + (1 - beta3) * x
    x_eval = average / (1 - beta3**t)
    return x - rate * weight_decay * x
