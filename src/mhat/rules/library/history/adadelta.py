"""Adadelta."""

from mhat.language import rule
from mhat.ops import sqrt


@rule(
    paper="Zeiler 2012, Adadelta, Algorithm 1, arXiv:1212.5701",
    knobs={
        "rho": "decay rate of both averages, of the squared gradients and of the squared steps",
        "eps": "added under both roots; it decides how large the first steps are",
    },
)
def adadelta(x, g, v=0, u=0, *, lr=1.0, rho=0.9, eps=1e-6):
    """Scale the gradient by typical step over typical gradient, so that the step has the parameter's unit.

    `v` averages the squared gradients and `u` the squared steps. `eps` stands under both roots, and with
    `u` at zero it decides how large the first steps are. The paper has no `lr` (it is 1) and uses rho=0.95;
    these defaults are torch's. `u` averages the step before `lr` is applied.
    """
    v = rho * v + (1 - rho) * g**2
    ratio = sqrt(u + eps) / sqrt(v + eps) * g
    u = rho * u + (1 - rho) * ratio**2
    return x - lr * ratio
