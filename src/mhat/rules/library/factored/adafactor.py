"""Adafactor."""

from mhat.language import rule
from mhat.ops import column_mean, maximum, mean, minimum, row_mean, sqrt


@rule(
    paper="Shazeer & Stern 2018, Adafactor, Algorithm 4, arXiv:1804.04235",
    knobs={
        "lr": "largest relative learning rate",
        "decay": "power by which the decay rate of the second moment nears one",
        "eps1": "smallest root of the second moment",
        "eps2": "smallest scale of the parameters",
        "d": "largest root mean square of the step",
    },
)
def adafactor(x, g, t, r=0, c=0, *, lr=1e-2, weight_decay=0.0, decay=0.8, eps1=1e-30, eps2=1e-3, d=1.0):
    """Keep the mean square of rows and of columns in place of every coordinate's, and step relative to the weights.

    This is the form for matrices; for vectors it is `adafactor_vector`. As in torch eps1 bounds the second moment from
    below (torch's default is the dtype's precision); the paper and Keras add it to each square.
    """
    share = t ** (-decay)
    r = r + share * (row_mean(g**2) - r)
    c = c + share * (column_mean(g**2) - c)
    v = r * c / maximum(mean(r), eps1)
    u = g / sqrt(maximum(v, eps1**2))
    rate = maximum(eps2, sqrt(mean(x**2))) * minimum(lr, 1 / sqrt(t))
    ratio = u / maximum(1, sqrt(mean(u**2)) / d)
    return (1 - lr * weight_decay) * x - rate * ratio


# Other forms, where they are documented, and what of the printed rule they write otherwise.
DIALECTS = {
    "eps added to each square": (
        "Shazeer & Stern 2018, Algorithm 4; keras.optimizers.Adafactor",
        ("row_mean(g**2)", "row_mean(g**2 + eps1)"),
        ("column_mean(g**2)", "column_mean(g**2 + eps1)"),
        ("maximum(mean(r), eps1)", "mean(r)"),
        ("sqrt(maximum(v, eps1**2))", "sqrt(v)"),
    ),
}
