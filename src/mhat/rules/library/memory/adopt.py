"""ADOPT."""

from mhat.language import rule
from mhat.ops import clip, maximum, sqrt


@rule(
    paper="Taniguchi et al. 2024, ADOPT with clipping, arXiv:2411.02853",
    knobs={"eps": "smallest root of the second moment to divide by"},
)
def adopt(x, g, t, m=0, v="g**2", *, lr=1e-3, beta1=0.9, beta2=0.9999, eps=1e-6):
    """Divide each gradient by the second moment before it, then average, so that it converges for any beta2.

    The first gradient only starts `v`: at t = 1 the limit is 0 and nothing moves, so the paper's step is
    t - 1, as in the authors' code and optax. In the paper's first version there was no limit.
    """
    limit = (t - 1) ** 0.25
    normalised = clip(g / maximum(sqrt(v), eps), -limit, limit)
    m = beta1 * m + (1 - beta1) * normalised
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * m


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "without clipping": (
        "Taniguchi et al. 2024, Algorithm 2; optax.contrib.adopt(use_clipping=False)",
        ("    limit = (t - 1)**0.25\n", ""),
        ("clip(g / maximum(sqrt(v), eps), -limit, limit)", "g / maximum(sqrt(v), eps) if t > 1 else 0"),
    ),
}
