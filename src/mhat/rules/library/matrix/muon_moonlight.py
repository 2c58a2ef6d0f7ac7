"""Muon with the step of AdamW."""

from mhat.language import rule
from mhat.ops import columns, maximum, orthogonal, rows, sqrt


@rule(
    paper="Liu et al. 2025, Muon is scalable for LLM training, Algorithm 1, arXiv:2502.16982",
    flatten="first",
    knobs={"rms": "root mean square of a full step"},
)
def muon_moonlight(x, g, m=0, *, lr=1e-3, momentum=0.95, weight_decay=0.1, rms=0.2):
    """Scale Muon's step to the size of AdamW's, so that learning rate and decay can be kept.

    A matrix with singular values of one has the root mean square 1 / sqrt(max(rows, columns)). The momentum is a sum,
    which Newton-Schulz does not see. As in Keras and torch (adjust_lr_fn="match_rms_adamw").
    """
    m = momentum * m + g
    u = g + momentum * m
    ratio = rms * sqrt(maximum(rows(x), columns(x))) * orthogonal(u)
    return x - lr * (ratio + weight_decay * x)
