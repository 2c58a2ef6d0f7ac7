"""AdaMax."""

from mhat.language import rule
from mhat.ops import maximum


@rule(
    paper="Kingma & Ba 2015, AdaMax, Algorithm 2, arXiv:1412.6980",
    knobs={"beta2": "decay rate of the largest gradient so far"},
)
def adamax(x, g, t, m=0, u=0, *, lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Divide the average gradient by the largest recent one, so that a step hardly exceeds the learning rate.

    `u` is a decaying maximum and needs no bias correction. The paper has no `eps` (and gives NaN while all
    gradients are zero); here it is added to the gradient's size, as in torch and optax, in Keras to `u`. The
    paper bounds a step by lr; gradients that shrink by beta2 a step exceed that, by up to
    (1 - beta1) / (1 - beta1 / beta2), which is 1.009.
    """
    m = beta1 * m + (1 - beta1) * g
    u = maximum(beta2 * u, abs(g) + eps)
    m_hat = m / (1 - beta1**t)
    ratio = m_hat / u
    return x - lr * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "as in the paper, without eps": (
        "Kingma & Ba 2015, AdaMax, Algorithm 2, arXiv:1412.6980",
        ("abs(g) + eps", "abs(g)"),
    ),
    "eps added to the maximum": (
        "Keras Adamax",
        ("abs(g) + eps", "abs(g)"),
        ("m_hat / u", "m_hat / (u + eps)"),
    ),
}
