"""Proofs by degrees: how every name answers when something is multiplied by a number. They know no rule by name.

The degree of a name is the power of the factor that it is multiplied by: 1 for the gradient itself, 2 for its square.
It is found for all states at once, as that which one step leaves as it is. Signs are found in the same way: a name is
odd if it turns round with the gradient, even if it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from mhat.language import Expression, Name, Number, Operation, Rule
from mhat.laws.proofs.proof import Attempt, NoProof, Proof, listed, quoted

# A degree; None is that of zero, which answers in every way at once.
Degree = Fraction | None
EVEN, ODD = Fraction(0), Fraction(1)
SAME = frozenset({
    "add", "sub", "maximum", "minimum", "neg", "abs", "sum", "mean", "norm", "transpose", "row_mean", "column_mean",
    "largest", "row_largest", "column_largest",
})  # fmt: skip


class _Mixed(Exception):
    """An expression that has no degree: the reason in words."""


class _Degrees:
    """Degrees of all names under one scaling; knobs that may be zero are noted where a term would spoil it."""

    strange = "is no power of the factor"

    def __init__(self, rule: Rule, given: Mapping[str, Fraction], may_vanish: frozenset[str]) -> None:
        self.tree = rule.tree
        self.given = given
        self.may_vanish = may_vanish
        self.vanished: set[str] = set()

    def found(self) -> dict[str, Degree]:
        """Give the degree of every name, the result under `return`; raises _Mixed."""
        free: dict[str, Degree] = dict.fromkeys(("t", "k", "n", "g", "x", *self.tree.knob_names), EVEN)
        free |= dict(self.given)
        states = {state.name: self.degree(state.start, free) for state in self.tree.states}
        for _ in range(len(states) + 2):
            known = free | states
            for line in self.tree.body:
                degree = self.degree(line.value, known)
                known |= dict.fromkeys(line.targets, degree)
            after = {name: known[name] for name in states}
            if after == states:
                return {**known, "return": self.degree(self.tree.result, known)}
            for name, degree in after.items():
                before = states[name]
                if before is not None and degree is not None and before != degree:
                    raise _Mixed(f"`{name}` begins in one way and goes on in another")
                states[name] = degree if before is None else before
        raise _Mixed("what its states are does not settle")

    def degree(self, node: Expression, known: Mapping[str, Degree]) -> Degree:
        if isinstance(node, Number):
            return None if node.value == 0 else EVEN
        if isinstance(node, Name):
            return None if node.id in self.vanished else known[node.id]
        if node.op == "where":
            self.plain(node.arguments[0], known)
            return self.joined(node.arguments[1:], known)
        if node.op in SAME:
            return self.joined(node.arguments, known)
        special: Callable[[Operation, Mapping[str, Degree]], Degree] | None = getattr(self, f"of_{node.op}", None)
        if special is not None:
            return special(node, known)
        for argument in node.arguments:
            self.plain(argument, known)
        return EVEN

    def joined(self, terms: tuple[Expression, ...], known: Mapping[str, Degree]) -> Degree:
        """Give the one degree that all terms have; a knob that is added may have to be zero for that."""
        found = [(term, degree) for term in terms if (degree := self.degree(term, known)) is not None]
        if len({degree for _, degree in found}) > 1:
            gone = {term.id for term, degree in found if isinstance(term, Name) and degree == EVEN} & self.may_vanish
            self.vanished |= gone
            found = [(term, degree) for term, degree in found if not (isinstance(term, Name) and term.id in gone)]
        if len({degree for _, degree in found}) > 1:
            first, one = found[0]
            other = next(term for term, degree in found if degree != one)
            raise _Mixed(f"{quoted(first)} and {quoted(other)} answer in different ways")
        return found[0][1] if found else None

    def plain(self, node: Expression, known: Mapping[str, Degree]) -> None:
        if self.degree(node, known) not in (None, EVEN):
            raise _Mixed(f"what is made of {quoted(node)} {self.strange}")

    def of_mul(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        first, second = (self.degree(argument, known) for argument in node.arguments)
        return None if first is None or second is None else first + second

    of_matmul = of_mul

    def of_div(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        first, second = (self.degree(argument, known) for argument in node.arguments)
        return None if first is None else first - (second or EVEN)

    def of_pow(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        base, exponent = node.arguments
        degree = self.degree(base, known)
        self.plain(exponent, known)
        if degree in (None, EVEN):
            return degree
        if not isinstance(exponent, Number):
            raise _Mixed(f"{quoted(node)} has an exponent that is no number")
        return degree * Fraction(repr(exponent.value))

    def of_sqrt(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        degree = self.degree(node.arguments[0], known)
        return None if degree is None else degree / 2

    def of_cbrt(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        degree = self.degree(node.arguments[0], known)
        return None if degree is None else degree / 3

    def of_sign(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        degree = self.degree(node.arguments[0], known)
        return None if degree is None else EVEN

    def of_orthogonal(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        raise _Mixed("Newton and Schulz divide by a norm with a small number added")

    def of_atan2(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        self.joined(node.arguments, known)
        return EVEN

    def of_size(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        return EVEN

    of_rows = of_columns = of_identity = of_size

    def of_leading(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        return self.degree(node.arguments[0], known)

    # A positive factor leaves an order as it is.
    of_sorted_by = of_leading

    def of_clip(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        return self.joined(node.arguments, known)

    def compared(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        self.joined(node.arguments, known)
        return EVEN

    of_lt = of_le = of_gt = of_ge = of_eq = of_ne = compared


class _Parities(_Degrees):
    """Whether each name turns round with the gradient: degrees are 0 and 1, and two turns are none."""

    strange = "neither turns round with it nor stays as it is"

    def of_mul(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        degree = super().of_mul(node, known)
        return None if degree is None else degree % 2

    of_matmul = of_mul

    def of_div(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        degree = super().of_div(node, known)
        return None if degree is None else degree % 2

    def of_pow(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        base, exponent = node.arguments
        degree = self.degree(base, known)
        self.plain(exponent, known)
        if degree in (None, EVEN):
            return degree
        if isinstance(exponent, Number) and exponent.value == int(exponent.value):
            return Fraction(int(exponent.value) % 2)
        raise _Mixed(f"{quoted(node)} is no whole power of what turns round")

    def degree(self, node: Expression, known: Mapping[str, Degree]) -> Degree:
        if isinstance(node, Operation):
            if node.op in ("maximum", "minimum", "largest", "row_largest", "column_largest"):
                for argument in node.arguments:
                    self.plain(argument, known)
                return EVEN
            if node.op in ("abs", "norm", "cos"):
                self.degree(node.arguments[0], known)
                return EVEN
            if node.op in ("sign", "sin", "tanh", "round", "cbrt", "orthogonal"):
                return self.degree(node.arguments[0], known)
            if node.op == "sqrt":
                self.plain(node.arguments[0], known)
                return EVEN
        return super().degree(node, known)

    def compared(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        for argument in node.arguments:
            self.plain(argument, known)
        return EVEN

    of_lt = of_le = of_gt = of_ge = compared

    def of_sorted_by(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        self.plain(node.arguments[1], known)
        return self.degree(node.arguments[0], known)

    def of_atan2(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        return self.compared(node, known)

    def of_clip(self, node: Operation, known: Mapping[str, Degree]) -> Degree:
        value, low, high = node.arguments
        degree = self.degree(value, known)
        if degree == ODD and Operation("neg", (high,)) == low:
            self.plain(high, known)
            return ODD
        for argument in node.arguments:
            self.plain(argument, known)
        return EVEN


def _addable(rule: Rule) -> frozenset[str]:
    """Name the knobs that may be taken for zero: numbers that are not negative and are shares of nothing."""
    return frozenset(
        name for name in rule.knobs
        if rule.meaning(name).low == 0.0 and not rule.meaning(name).is_share and name != "lr"
    )  # fmt: skip


def _told(degrees: Mapping[str, Degree], rule: Rule, words: Mapping[Any, str]) -> list[str]:
    """Say of the names that the lines assign how they answer, those alike together."""
    sentences = []
    for degree, word in words.items():
        names = [name for name in rule.variables if degrees.get(name) == degree]
        if names:
            sentences.append(f"{listed(names)} {word.format(s='' if len(names) > 1 else 's')}")
    return sentences


def scale_invariance(rule: Rule) -> Attempt:
    """Multiply all gradients by c: what is added to x has degree 0."""
    degrees = _Degrees(rule, {"g": Fraction(1), "x": EVEN}, _addable(rule))
    return _scaled(rule, degrees, EVEN, "all gradients be multiplied by c > 0", "what is added to x stays as it is")


def proportion(rule: Rule) -> Attempt:
    """Multiply all gradients by c: what is added to x has degree 1, from the start 0."""
    degrees = _Degrees(rule, {"g": Fraction(1), "x": Fraction(1)}, _addable(rule) - {"weight_decay"})
    what = "x, from a start at 0, is multiplied by c at every step"
    return _scaled(rule, degrees, Fraction(1), "all gradients be multiplied by c > 0", what)


def learning_rate(rule: Rule) -> Attempt:
    """Multiply the learning rate by c: x has degree 1, from the start 0."""
    degrees = _Degrees(rule, {"lr": Fraction(1), "x": Fraction(1)}, frozenset())
    what = "x, from a start at 0, is multiplied by c at every step"
    return _scaled(rule, degrees, Fraction(1), "`lr` be multiplied by c > 0", what)


def _scaled(rule: Rule, degrees: _Degrees, wanted: Fraction, change: str, end: str) -> Attempt:
    try:
        found = degrees.found()
        if degrees.vanished:
            # Once more with these at zero from the first line on.
            found = degrees.found()
    except _Mixed as reason:
        return NoProof(str(reason))
    if found["return"] not in (None, wanted):
        return NoProof(f"the result is multiplied by c**{found['return']}")
    words: dict[Any, str] = {
        degree: _word(degree) for degree in sorted({d for d in found.values() if d is not None and d != EVEN})
    }
    told = _told(found, rule, {**words, EVEN: "stay{s} as before"})
    return Proof(
        (
            f"Let {change}.",
            *(f"Then {sentence}." for sentence in told),
            "It is so at the start, and if it is so before a step, every line makes it so after it.",
            f"So {end}.",
        ),
        assumes=tuple(f"{name} = 0" for name in sorted(degrees.vanished)),
    )


def _word(degree: Fraction) -> str:
    factor = "c" if degree == 1 else f"c**{degree}" if degree.denominator == 1 else f"c**({degree})"
    return f"get{{s}} multiplied by {factor}"


def sign_symmetry(rule: Rule) -> Attempt:
    """Turn all gradients round: x is odd, from the start 0."""
    parities = _Parities(rule, {"g": ODD, "x": ODD}, frozenset())
    try:
        found = parities.found()
    except _Mixed as reason:
        return NoProof(str(reason))
    if found["return"] == EVEN:
        return NoProof("the result does not turn round")
    told = _told(found, rule, {ODD: "turn{s} round", EVEN: "stay{s} as before"})
    return Proof((
        "Let the sign of every gradient be changed.",
        *(f"Then {sentence}." for sentence in told),
        "It is so at the start, and if it is so before a step, every line makes it so after it.",
        "So x, from a start at 0, goes the same way turned round.",
    ))  # fmt: skip
