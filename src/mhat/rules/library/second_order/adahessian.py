"""AdaHessian."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Yao et al. 2021, AdaHessian, Algorithm 1, arXiv:2006.00719",
    knobs={"p": "power of the curvature: 1 divides by it, 0 is momentum"},
)
def adahessian(x, g, h, t, m=0, v=0, *, lr=0.15, beta1=0.9, beta2=0.999, eps=1e-4, weight_decay=0.0, p=1.0):
    """Take the square of the Hessian's diagonal where Adam takes that of the gradient.

    `h` is Hutchinson's estimate, z times the Hessian times z; the paper also averages it over blocks.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * h**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) ** p + eps)
    return x - lr * (ratio + weight_decay * x)
