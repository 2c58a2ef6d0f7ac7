"""SOAP."""

from mhat.language import rule
from mhat.ops import eigh, qr, sqrt, transpose


@rule(
    paper="Vyas et al. 2024, SOAP, Algorithm 3, arXiv:2409.11321",
    knobs={"every": "steps after which the bases are computed anew"},
)
def soap(
    x, g, t, m=0, v=0, left=0, right=0, ql=0, qr_=0, *,
    lr=3e-3, beta1=0.95, beta2=0.95, eps=1e-8, weight_decay=0.01, every=10,
):  # fmt: skip
    """Run Adam in the eigenbasis of Shampoo's statistics, which is renewed now and then by one round of QR.

    The first gradient only makes statistics and bases, and nothing moves. At a renewal `m` is turned into the new
    basis, and `v` is not. The authors' code also sorts the columns by their eigenvalues, which a rule does not.
    """
    s = t - 1
    rotated = transpose(ql) @ g @ qr_
    m = beta1 * m + (1 - beta1) * rotated if s > 0 else 0 * g
    v = beta2 * v + (1 - beta2) * rotated**2 if s > 0 else 0 * g
    rate = lr * sqrt(1 - beta2**s) / (1 - beta1**s)
    moved = x - rate * (ql @ (m / (sqrt(v) + eps)) @ transpose(qr_))
    moved = moved - lr * weight_decay * moved
    kept = ql @ m @ transpose(qr_)
    left = beta2 * left + (1 - beta2) * (g @ transpose(g))
    right = beta2 * right + (1 - beta2) * (transpose(g) @ g)
    lw, lu = eigh(0 - left)
    rw, ru = eigh(0 - right)
    lq, lr_ = qr(left @ ql)
    rq, rr_ = qr(right @ qr_)
    turn = s > 0 and s % every == 0
    ql = lu if s == 0 else (lq if turn else ql)
    qr_ = ru if s == 0 else (rq if turn else qr_)
    m = transpose(ql) @ kept @ qr_ if turn else m
    return moved if s > 0 else x
