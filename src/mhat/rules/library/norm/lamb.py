"""LAMB."""

from mhat.language import rule
from mhat.ops import norm, sqrt


@rule(paper="You et al. 2020, LAMB, Algorithm 2, arXiv:1904.00962")
def lamb(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01):
    """Step by the learning rate relative to each tensor's size, so that huge batches train all layers alike.

    Adam's step with decay gives the direction, the tensor's norm the length (the paper's phi is the
    identity). Where a norm is zero, `trust` is 1, as in optax. The default of `weight_decay` is the paper's
    for BERT; optax has 0.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    direction = m_hat / (sqrt(v_hat) + eps) + weight_decay * x
    trust = norm(x) / norm(direction) if norm(x) > 0 and norm(direction) > 0 else 1
    ratio = trust * direction
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "without bias correction": (
        "the LAMB of google-research/albert",
        ("m_hat = m / (1 - beta1**t)", "m_hat = m"),
        ("v_hat = v / (1 - beta2**t)", "v_hat = v"),
    ),
    "decay before the step, outside of the trust ratio": (
        "Keras Lamb(weight_decay=...)",
        (
            "    direction = m_hat / (sqrt(v_hat) + eps) + weight_decay * x",
            "    x = x - lr * weight_decay * x\n    direction = m_hat / (sqrt(v_hat) + eps)",
        ),
    ),
}
