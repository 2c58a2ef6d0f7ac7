"""The unit of every variable of a rule, by dimensional analysis of its tree. It knows no rule's name and no drawing.

A gradient has the unit [g], a parameter the unit [x], counters have none. Knobs, and the numbers that are added
to something, take the unit that fits: `eps` in `sqrt(v) + eps`, `lr` in `x - lr * ratio`. A knob that any unit
would fit has none. Where a rule adds what does not fit, what comes of it has no known unit (None).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import names_in

# The exponents of [g] and [x] and of every unknown unit, in a product of powers; what is missing has exponent 0.
Powers = dict[str, Fraction]
BASE_G, BASE_X = "[g]", "[x]"
_NONE: Powers = {}


@dataclass(frozen=True, order=True)
class Unit:
    """A product of powers of the gradient's unit and the parameter's unit."""

    g: Fraction = Fraction(0)
    x: Fraction = Fraction(0)

    def root(self) -> Unit:
        """Give the unit of the square root."""
        return Unit(self.g / 2, self.x / 2)

    @property
    def is_square(self) -> bool:
        """Whether the root has a whole power of one base: what is drawn as its root, to compare with gradients."""
        exponents = [exponent for exponent in (self.g, self.x) if exponent]
        return len(exponents) == 1 and exponents[0] == 2

    def latex(self) -> str:
        """Write the unit in math; nothing if there is none."""
        above, below = (
            r"\,".join(
                base if abs(exponent) == 1 else f"{base}^{{{abs(exponent)}}}"
                for base, exponent in (("x", self.x), ("g", self.g))
                if exponent * sign > 0
            )
            for sign in (1, -1)
        )
        return f"{above or 1}/{below}" if below else above


GRADIENT, PARAMETER, DIMENSIONLESS = Unit(g=Fraction(1)), Unit(x=Fraction(1)), Unit()


def units(tree: Tree) -> dict[str, Unit | None]:
    """Infer the unit of `g`, `x` and each variable; an input assigned anew is called `g_used` or `x_used`.

    >>> from mhat.rules import adam
    >>> {name: unit.latex() for name, unit in units(adam.tree).items()}
    {'g': 'g', 'x': 'x', 'm': 'g', 'v': 'g^{2}', 'm_hat': 'g', 'v_hat': 'g^{2}', 'ratio': ''}
    """
    misfits: set[str] = set()
    while True:
        analysis = _Analysis(tree, frozenset(misfits))
        found = analysis.run()
        if analysis.misfits <= misfits:
            return found
        misfits |= analysis.misfits


@dataclass(frozen=True)
class _Term:
    """The unit of an expression, None if its parts do not fit; `fits` if it takes any unit when it is added."""

    powers: Powers | None
    fits: bool = False


def _plus(a: Powers, b: Powers, factor: Fraction = Fraction(1)) -> Powers:
    """Multiply one unit by a power of another."""
    summed = {base: a.get(base, Fraction(0)) + factor * b.get(base, Fraction(0)) for base in {**a, **b}}
    return {base: exponent for base, exponent in summed.items() if exponent}


@dataclass
class _Equations:
    """Equations between units, solved one by one; one that contradicts those before it is refused."""

    solved: dict[str, Powers] = field(default_factory=dict)

    def reduced(self, powers: Powers) -> Powers:
        result: Powers = {}
        for base, exponent in powers.items():
            result = _plus(result, self.solved.get(base, {base: Fraction(1)}), exponent)
        return result

    def equate(self, a: Powers, b: Powers) -> bool:
        """Require two units to be equal; False if they cannot be."""
        rest = self.reduced(_plus(a, b, Fraction(-1)))
        unknown = next((base for base in rest if base not in (BASE_G, BASE_X)), None)
        if unknown is None:
            return not rest
        exponent = rest.pop(unknown)
        value = _plus({}, rest, -1 / exponent)
        self.solved = {base: _replaced(powers, unknown, value) for base, powers in self.solved.items()}
        self.solved[unknown] = value
        return True


def _replaced(powers: Powers, unknown: str, value: Powers) -> Powers:
    exponent = powers.get(unknown, Fraction(0))
    return _plus({base: power for base, power in powers.items() if base != unknown}, value, exponent)


class _Analysis:
    """One pass over a rule; states known to be `misfits` have no unit from the start."""

    def __init__(self, tree: Tree, known_misfits: frozenset[str]) -> None:
        self.tree = tree
        self.known_misfits = known_misfits
        self.misfits: set[str] = set()
        self.equations = _Equations()
        # Wishes are granted after all that must hold, each only if nothing speaks against it.
        self.wishes: list[Powers] = []
        self.environment: dict[str, _Term] = {name: _Term(_NONE) for name in ("t", "k", "n")}
        self.environment |= {"g": _Term({BASE_G: Fraction(1)}), "x": _Term({BASE_X: Fraction(1)})}
        self.environment |= {knob: _Term({knob: Fraction(1)}, fits=True) for knob in tree.knob_names}

    def run(self) -> dict[str, Unit | None]:
        found = {"g": self.environment["g"], "x": self.environment["x"]}
        for state in self.tree.states:
            self.environment[state.name] = self.started(state.name, state.start)
        before = dict(self.environment)
        for line in self.tree.body:
            terms = self.results(line.value)
            for place, target in enumerate(line.targets):
                term = terms[min(place, len(terms) - 1)]
                self.environment[target] = term
                found[f"{target}_used" if target in ("g", "x") else target] = term
        for name in self.tree.state_names:
            self.carry(name, before[name], self.environment[name])
        result = self.term(self.tree.result)
        if result.powers is not None and not result.fits:
            self.equations.equate(result.powers, {BASE_X: Fraction(1)})
        for wish in (*self.wishes, *self.last_wishes()):
            self.equations.equate(wish, _NONE)
        return {name: self.unit(term) for name, term in found.items()}

    def started(self, name: str, start: Expression) -> _Term:
        if name in self.known_misfits:
            return _Term(None)
        own: Powers = {name: Fraction(1)}
        term = self.term(start)
        if term.powers is not None and not term.fits:
            self.equations.equate(own, term.powers)
        elif term.powers is not None and start != Number(0.0):
            self.wishes.append(_plus(own, term.powers, Fraction(-1)))
        return _Term(own)

    def carry(self, name: str, before: _Term, after: _Term) -> None:
        """A state begins a step with the unit that it ended the last one with."""
        if before.powers is None or after.powers is None:
            fitting = after.powers is not None or before.powers is None
        else:
            fitting = after.fits or self.equations.equate(before.powers, after.powers)
        if not fitting:
            self.misfits.add(name)

    def last_wishes(self) -> Iterator[Powers]:
        """Have no unit where any would do: first knobs, those of the last line (the learning rate) after the others."""
        late = names_in(self.tree.result)
        for knob in sorted(self.tree.knob_names, key=lambda knob: knob in late):
            yield {knob: Fraction(1)}
        for state in self.tree.state_names:
            yield {state: Fraction(1)}

    def unit(self, term: _Term) -> Unit | None:
        if term.powers is None:
            return None
        powers = self.equations.reduced(term.powers)
        return Unit(powers.get(BASE_G, Fraction(0)), powers.get(BASE_X, Fraction(0)))

    def results(self, node: Expression) -> list[_Term]:
        """Give the units of what an expression gives back: several for `eigh` and `qr`."""
        term = self.term(node)
        if isinstance(node, Operation) and node.op == "eigh":
            return [term, _Term(_NONE)]
        if isinstance(node, Operation) and node.op == "qr":
            return [_Term(_NONE), term]
        return [term]

    def term(self, node: Expression) -> _Term:
        if isinstance(node, Number):
            return _Term(_NONE, fits=True)
        if isinstance(node, Name):
            return self.environment.get(node.id, _Term(None))
        terms = [self.term(argument) for argument in node.arguments]
        return _RULES.get(node.op, _Analysis.first)(self, node, terms)

    def first(self, node: Operation, terms: list[_Term]) -> _Term:
        return terms[0]

    def alike(self, node: Operation, terms: list[_Term]) -> _Term:
        """What is added, compared or chosen from has one unit."""
        firm = [term for term in terms if not term.fits]
        if any(term.powers is None for term in firm):
            return _Term(None)
        if not firm:
            return _Term(_NONE, fits=True)
        first, *others = (term.powers or _NONE for term in firm)
        # All of them, also after one that fails: each equation teaches something.
        fitting = [self.equations.equate(first, other) for other in others]
        if not all(fitting):
            return _Term(None)
        if Number(1.0) in node.arguments:
            self.wishes.append(first)
        return _Term(first)

    def chosen(self, node: Operation, terms: list[_Term]) -> _Term:
        return self.alike(node, terms[1:])

    def multiplied(self, node: Operation, terms: list[_Term]) -> _Term:
        first, second = terms
        if first.powers is None or second.powers is None:
            return _Term(None)
        sign = Fraction(-1 if node.op in ("div", "floordiv") else 1)
        return _Term(_plus(first.powers, second.powers, sign), first.fits and second.fits)

    def raised(self, node: Operation, terms: list[_Term]) -> _Term:
        base, exponent = terms
        power = self.constant(node.arguments[1])
        if base.powers is None:
            return _Term(None)
        if power is None:
            self.wishes.append(base.powers)
            return _Term(_NONE)
        return _Term(_plus({}, base.powers, power), base.fits and exponent.fits)

    def rooted(self, node: Operation, terms: list[_Term]) -> _Term:
        power = Fraction(1, 3 if node.op == "cbrt" else 2)
        powers = terms[0].powers
        return _Term(None if powers is None else _plus({}, powers, power), terms[0].fits)

    def number(self, node: Operation, terms: list[_Term]) -> _Term:
        """What is a plain number whatever goes in: a sign, a comparison, an orthogonal matrix."""
        return _Term(_NONE, all(term.fits for term in terms))

    def function(self, node: Operation, terms: list[_Term]) -> _Term:
        if terms[0].powers is not None:
            self.wishes.append(terms[0].powers)
        return self.number(node, terms)

    def constant(self, node: Expression) -> Fraction | None:
        """Give the value of an exponent that is a number, a knob's default, or made of them."""
        if isinstance(node, Number):
            return Fraction(node.value).limit_denominator(1000)
        if isinstance(node, Name):
            defaults = {knob.name: knob.default for knob in self.tree.knobs}
            return Fraction(defaults[node.id]).limit_denominator(1000) if node.id in defaults else None
        parts = [self.constant(argument) for argument in node.arguments]
        if node.op == "neg" and parts[0] is not None:
            return -parts[0]
        if node.op == "div" and parts[0] is not None and parts[1]:
            return parts[0] / parts[1]
        return None


_Rule = Callable[[_Analysis, Operation, list[_Term]], _Term]
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("add", "sub", "minimum", "maximum", "clip", "mod"), _Analysis.alike),
    **dict.fromkeys(("mul", "div", "floordiv", "matmul"), _Analysis.multiplied),
    **dict.fromkeys(("sqrt", "cbrt"), _Analysis.rooted),
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"), _Analysis.number),
    **dict.fromkeys(("sign", "orthogonal", "identity", "atan2", "size", "rows", "columns"), _Analysis.number),
    **dict.fromkeys(("exp", "log", "sin", "cos", "tanh", "round"), _Analysis.function),
    "where": _Analysis.chosen,
    "pow": _Analysis.raised,
}
