"""Sums of terms `c * t**p * r**t`: what linear recurrences are fed and what they give. It knows no rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mhat.engines.symbols.conversions import FIRST, NotSymbolic, Symbolic, expression, symbol, sympy
from mhat.printers.python import expression_text

# Larger expressions are not multiplied out.
MOST_OPERATIONS = 400
MOST_TERMS = 40
# And of these only shorter ones are searched for common factors.
SHORT = 80
MOST_PRODUCTS = 300


@dataclass
class Powers:
    """`sum of c * t**p * r**t`, by (r, p), and what is there at the first step alone."""

    terms: dict[tuple[Symbolic, int], Symbolic] = field(default_factory=dict)
    first: Symbolic = 0

    def expression(self) -> Symbolic:
        """Give it as one expression."""
        t = symbol("t")
        total = sympy().Add(*(c * t**p * r**t for (r, p), c in self.terms.items()))
        return total + self.first * symbol(FIRST)


def powers_of(value: Symbolic) -> Powers:
    """Take an expression in `t` apart; raises NotSymbolic with the term that is no such power."""
    if not is_small(value):
        raise NotSymbolic("it is too long to be multiplied out")
    made = Powers()
    for term in _terms(sympy().expand(value)):
        if term.has(symbol(FIRST)):
            made.first += term.subs(symbol(FIRST), 1).subs(symbol("t"), 1)
            continue
        base, power, factor = _taken_apart(term)
        key = (base, power)
        made.terms[key] = made.terms.get(key, 0) + factor
        if len(made.terms) > MOST_TERMS:
            raise NotSymbolic("it has too many terms")
    made.terms = {key: tidy(c) for key, c in made.terms.items()}
    made.terms = {key: c for key, c in made.terms.items() if c != 0}
    return made


def _terms(value: Symbolic) -> Iterable[Symbolic]:
    return sympy().Add.make_args(value)  # type: ignore[no-any-return]


def _taken_apart(term: Symbolic) -> tuple[Symbolic, int, Symbolic]:
    t = symbol("t")
    factor, dependent = term.as_independent(t, as_Add=False)
    base, power = sympy().Integer(1), 0
    for part in sympy().Mul.make_args(dependent):
        bottom, exponent = part.as_base_exp()
        if bottom == t and exponent.is_Integer and exponent > 0:
            power += int(exponent)
            continue
        linear = None if bottom.has(t) else sympy().Poly(exponent, t) if exponent.is_polynomial(t) else None
        if part == 1:
            continue
        if linear is None or linear.degree() > 1:
            raise NotSymbolic(f"{_quoted(part)} is no power of the step")
        slope, offset = linear.coeff_monomial(t), linear.coeff_monomial(1)
        base *= bottom**slope
        factor *= bottom**offset
    return base, power, factor


def _quoted(part: Symbolic) -> str:
    """Write a part for a sentence, if it is short enough for one."""
    try:
        text = expression_text(expression(part))
    except NotSymbolic:
        text = str(part)
    return f"`{text}`" if len(text) <= 60 else "a part of it"


Hold = Callable[[Symbolic], Symbolic]


def solved(gain: Symbolic, fed: Powers, start: Symbolic, hold: Hold) -> tuple[Symbolic, Symbolic]:
    """Solve `s = gain * s + fed` from `start` on: what s is after step t from 1 on, and before it.

    `hold` may give a factor a name, so that what is made of it stays short.
    """
    if gain == 0:
        after = fed.expression()
        return after, _earlier(after, tidy(start - after.subs(symbol("t"), 0)))
    t = symbol("t")
    total, at_zero = sympy().Integer(0), sympy().Integer(0)
    for base in dict.fromkeys(base for base, _ in fed.terms):
        highest = max(power for other, power in fed.terms if other == base)
        wanted = [fed.terms.get((base, power), sympy().Integer(0)) for power in range(highest + 1)]
        found = _particular(tidy(gain / base), wanted)
        total += sympy().Add(*(hold(c) * t**p * base**t for p, c in enumerate(found)))
        at_zero += found[0]
    # At zero it is `start`, but for what is fed at the first step alone.
    total += hold(tidy(start - at_zero)) * gain**t
    first = hold(tidy(fed.first))
    return total + first * gain ** (t - 1), _earlier(total + first * gain ** (t - 1), -first / gain)


def _earlier(after: Symbolic, wrong: Symbolic) -> Symbolic:
    """Give what stands before step t, of what stands after it; `wrong` is what is lacking before the first one."""
    if after.has(symbol(FIRST)):
        raise NotSymbolic("it remembers what was at the first step alone")
    t = symbol("t")
    return after.subs(t, t - 1) + wrong * symbol(FIRST)


def _particular(share: Symbolic, wanted: list[Symbolic]) -> list[Symbolic]:
    """Give the coefficients of the polynomial q with `q(t) - share * q(t - 1) = wanted(t)`."""
    binomial = sympy().binomial
    resonant = sympy().cancel(share - 1) == 0
    size = len(wanted) + (1 if resonant else 0)
    found: list[Symbolic] = [sympy().Integer(0)] * size
    # From the highest power down: what is still lacking of each is what its own coefficient must give.
    for power in reversed(range(len(wanted))):
        given = sum(
            (-share * binomial(higher, power) * (-1) ** (higher - power) * found[higher]
             for higher in range(power + 1 + (1 if resonant else 0), size)), sympy().Integer(0),
        )  # fmt: skip
        lacking = wanted[power] - given
        if resonant:
            found[power + 1] = tidy(lacking / (power + 1))
        else:
            found[power] = tidy(lacking / (1 - share))
    return found


def tidy(value: Symbolic) -> Symbolic:
    """Write a value shorter if cancelling common factors makes it so."""
    value = sympy().sympify(value)
    if not value.is_Atom and value.count_ops() <= SHORT and is_small(value):
        best = sympy().cancel(sympy().expand(value))
        return min((best, value), key=lambda one: one.count_ops())
    return value


def is_small(value: Symbolic) -> bool:
    """Whether a value can be multiplied out, over a common denominator, without growing beyond reason."""
    above, below = _widths(value)
    return value.count_ops() <= MOST_OPERATIONS and above * below <= MOST_PRODUCTS


def _widths(value: Symbolic) -> tuple[int, int]:
    """Count at most how many products a numerator and a denominator would have when multiplied out."""
    if value.is_Add:
        parts = [_widths(term) for term in value.args]
        below = _bounded(1, *(part[1] for part in parts))
        return min(MOST_PRODUCTS + 1, sum(part[0] for part in parts) * below), below
    if value.is_Mul:
        parts = [_widths(factor) for factor in value.args]
        return _bounded(1, *(part[0] for part in parts)), _bounded(1, *(part[1] for part in parts))
    if value.is_Pow and value.exp.is_Integer and value.base.is_Add:
        above, below = _widths(value.base)
        times = min(abs(int(value.exp)), 16)
        above, below = _bounded(*[above] * times), _bounded(*[below] * times)
        return (above, below) if value.exp > 0 else (below, above)
    if value.args:
        # What stands within a function or a root is multiplied out too; an exponent makes one product of one.
        parts = [_widths(part) for part in (value.args[:1] if value.is_Pow else value.args)]
        return _bounded(*(part[0] for part in parts), *(part[1] for part in parts)), 1
    return 1, 1


def _bounded(*factors: int) -> int:
    product = 1
    for factor in factors:
        product = min(product * factor, MOST_PRODUCTS + 1)
    return product
