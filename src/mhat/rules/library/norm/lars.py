"""Layer-wise adaptive rate scaling."""

from mhat.language import rule
from mhat.ops import norm


@rule(
    paper="You, Gitman & Ginsburg 2017, LARS, Algorithm 1, arXiv:1708.03888",
    knobs={"trust": "share of its own length by which a tensor moves"},
)
def lars(x, g, velocity=0, *, lr=0.1, momentum=0.9, weight_decay=1e-4, trust=1e-3):
    """Let every tensor move by a share of its own length, so that huge batches train all layers alike.

    The paper divides by the lengths of gradient and decay added, optax (its `trust_ratio` 1e-3) by the length of both
    together, as here; other codes leave the decay out. Where a length is zero the ratio is 1.
    """
    d = g + weight_decay * x
    scale = trust * norm(x) / norm(d) if norm(x) > 0 and norm(d) > 0 else 1
    velocity = momentum * velocity + lr * scale * d
    return x - velocity


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "lengths of gradient and decay added": (
        "You, Gitman & Ginsburg 2017, equation 6",
        ("trust * norm(x) / norm(d) if", "trust * norm(x) / (norm(g) + weight_decay * norm(x)) if"),
    ),
}
