"""Landscapes: functions with a gradient, their minima, and what they teach about optimizers.

    Landscape                                      value, gradient, minimum, start, window, lesson
    quadratic, ravine, booth, absolute, noisy      with one bottom and no trap
    rosenbrock, beale, factors, plateau            with a bent or flat way to the bottom
    saddle, himmelblau, styblinski_tang,           with more than one bottom
    rastrigin
    reddi, lottery                                 that change with the step
    logistic                                       training in small
    named, names, summaries                        by text, as on the command line

Every member is a function that returns a Landscape. It knows no rule and no engine. The members are imported eagerly,
so that a name is always the function.
"""

from mhat.landscapes.bowls import absolute, booth, noisy, quadratic, ravine
from mhat.landscapes.catalogue import named, names, summaries
from mhat.landscapes.choices import himmelblau, rastrigin, saddle, styblinski_tang
from mhat.landscapes.landscape import Landscape
from mhat.landscapes.learning import logistic
from mhat.landscapes.online import lottery, reddi
from mhat.landscapes.valleys import beale, factors, plateau, rosenbrock

__all__ = [
    "Landscape", "absolute", "beale", "booth", "factors", "himmelblau", "logistic", "lottery", "named", "names",
    "noisy", "plateau", "quadratic", "rastrigin", "ravine", "reddi", "rosenbrock", "saddle", "styblinski_tang",
    "summaries",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)
