"""Shampoo."""

from mhat.language import rule
from mhat.ops import eigh, transpose


@rule(
    paper="Gupta, Koren & Singer 2018, Shampoo, Algorithm 1, arXiv:1802.09568",
    knobs={
        "eps": "what the diagonal of both statistics starts at",
        "every": "steps after which the roots are computed anew",
    },
)
def shampoo(x, g, t, left=0, right=0, left_root=0, right_root=0, *, lr=0.1, eps=1e-4, every=1):
    """Precondition a gradient from both sides by the fourth roots of its summed outer products.

    Adagrad for matrices in the memory of one matrix a side. The paper computes the roots at every step; codes in use
    do so seldom, average in place of summing and graft the length of another step. Many ports take another exponent,
    or build the right side from the gradient that the left has preconditioned.
    """
    left = left + g @ transpose(g)
    right = right + transpose(g) @ g
    lw, lu = eigh(left)
    rw, ru = eigh(right)
    turn = (t - 1) % every == 0
    left_root = (lu * (lw + eps) ** (-0.25)) @ transpose(lu) if turn else left_root
    right_root = (ru * (rw + eps) ** (-0.25)) @ transpose(ru) if turn else right_root
    ratio = left_root @ g @ right_root
    return x - lr * ratio
