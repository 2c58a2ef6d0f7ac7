"""Sines as powers of a number that turns, which recurrences are solved for, and back. It knows no rule."""

from __future__ import annotations

from functools import cache

from mhat.engines.symbols.conversions import Symbolic, symbol, sympy
from mhat.engines.symbols.powers import Hold, powers_of, tidy


@cache
def turn() -> Symbolic:
    """Give the number that turns once a period: `cos(w) + i sin(w)` where w is the angle of a step."""
    return sympy().Symbol("turn", nonzero=True)


def angle() -> Symbolic:
    """Give the angle of a step."""
    return 2 * sympy().pi / symbol("period")


def turning_gradient() -> Symbolic:
    """Give `g * sin(w * (t - 1))` as powers of what turns."""
    steps = symbol("t") - 1
    return symbol("g") * (turn() ** steps - turn() ** -steps) / (2 * sympy().I)


def real(value: Symbolic, given: Hold, hold: Hold) -> Symbolic:
    """Write powers of what turns as sines and cosines; `given` and `hold` take and give the names of long factors."""
    if not given(value).has(turn()):
        return value
    made, t = powers_of(value), symbol("t")
    total = sympy().Integer(0)
    for (base, power), factor in made.terms.items():
        turns = base.as_powers_dict().get(turn(), 0)
        size = base / turn() ** turns
        cosine, sine = map(hold, _parts(given(factor)))
        swing = turns * angle() * t
        swung = cosine * sympy().cos(swing) - sine * sympy().sin(swing) if turns else cosine
        total += t**power * size**t * swung
    return total + _parts(given(made.first))[0] * symbol("first")


def _parts(factor: Symbolic) -> tuple[Symbolic, Symbolic]:
    """Give the real and the imaginary part of a quotient of polynomials in what turns."""
    c, s = sympy().Symbol("c", real=True), sympy().Symbol("s", real=True)
    above, below = sympy().fraction(sympy().cancel(sympy().sympify(factor)))
    above, below = (sympy().expand(part.subs(turn(), c + sympy().I * s)) for part in (above, below))
    opposite = sympy().expand(below.subs(sympy().I, -sympy().I))
    top, bottom = (sympy().expand(part * opposite) for part in (above, below))
    made = []
    for part in (top.coeff(sympy().I, 0), top.coeff(sympy().I, 1)):
        plain, beneath = (_without_squares(whole, c, s) for whole in (part, bottom))
        made.append(tidy(plain / beneath).subs({c: sympy().cos(angle()), s: sympy().sin(angle())}))
    return made[0], made[1]


def _without_squares(value: Symbolic, c: Symbolic, s: Symbolic) -> Symbolic:
    """Reduce by `s**2 = 1 - c**2`."""
    return sympy().rem(sympy().expand(value), s**2 + c**2 - 1, s)
