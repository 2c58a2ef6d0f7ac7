"""The list of landscapes, and how text names one. It knows no formulas."""

from __future__ import annotations

from collections.abc import Callable

from mhat import notation
from mhat.landscapes.bowls import absolute, booth, noisy, quadratic, ravine
from mhat.landscapes.choices import himmelblau, rastrigin, saddle, styblinski_tang
from mhat.landscapes.landscape import Landscape
from mhat.landscapes.learning import logistic
from mhat.landscapes.online import lottery, reddi
from mhat.landscapes.valleys import beale, factors, plateau, rosenbrock

_MEMBERS: dict[str, Callable[..., Landscape]] = {
    member.__name__: member
    for member in (
        quadratic, ravine, booth, absolute, noisy, rosenbrock, beale, factors, plateau, saddle, himmelblau,
        styblinski_tang, rastrigin, reddi, lottery, logistic,
    )
}  # fmt: skip


def names() -> list[str]:
    """Return the names of all landscapes, in the order of a lecture."""
    return list(_MEMBERS)


def summaries() -> dict[str, str]:
    """Return what each landscape is, in a line.

    >>> summaries()["absolute"]
    'A pyramid on its tip: the sum of |x|. At 0 the gradient is 0'
    """
    return {name: notation.summary(member) for name, member in _MEMBERS.items()}


def named(spec: str) -> Landscape:
    """Return the landscape that a text names, as on the command line: `rosenbrock`, `quadratic:condition=100`.

    UnknownName for a name or argument that does not exist, BadValue for a value that cannot be.

    >>> named("quadratic:100,dimensions=3")
    Landscape('quadratic:100,dimensions=3', dimensions=3)
    """
    return notation.call(spec, _MEMBERS, "landscape")
