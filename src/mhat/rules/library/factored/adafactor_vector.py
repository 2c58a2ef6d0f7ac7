"""Adafactor for vectors."""

from mhat.language import rule
from mhat.ops import maximum, mean, minimum, sqrt


@rule(
    paper="Shazeer & Stern 2018, Adafactor, Algorithm 5, arXiv:1804.04235",
    knobs={
        "lr": "largest relative learning rate",
        "decay": "power by which the decay rate of the second moment nears one",
        "eps1": "smallest root of the second moment",
        "eps2": "smallest scale of the parameters",
        "d": "largest root mean square of the step",
    },
)
def adafactor_vector(x, g, t, v=0, *, lr=1e-2, weight_decay=0.0, decay=0.8, eps1=1e-30, eps2=1e-3, d=1.0):
    """Step relative to the size of the weights, by a second moment that forgets less and less.

    This is what Adafactor does with vectors, whose second moment there is no need to factor.
    """
    v = v + t ** (-decay) * (g**2 - v)
    u = g / sqrt(maximum(v, eps1**2))
    rate = maximum(eps2, sqrt(mean(x**2))) * minimum(lr, 1 / sqrt(t))
    ratio = u / maximum(1, sqrt(mean(u**2)) / d)
    return (1 - lr * weight_decay) * x - rate * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps added to each square": (
        "Shazeer & Stern 2018, Algorithm 5; keras.optimizers.Adafactor",
        ("(g**2 - v)", "(g**2 + eps1 - v)"),
        ("sqrt(maximum(v, eps1**2))", "sqrt(v)"),
    ),
}
