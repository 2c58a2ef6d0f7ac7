"""How every line of a rule answers to the gradient: by which power, turned with it or not, as a sum of past ones.

It knows no rule and no variable by its name, and no arrays: it reads the tree, with the knobs in force. What stands
beside a quantity with the gradient's unit, and has none itself, is a floor: eps, as most rules call theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from mhat.language import Expression, Name, Number, Operation, Rule
from mhat.language.walking import names_in
from mhat.ops import OPERATIONS

# "zero": nothing, or not known yet. "now": a multiple of the newest gradient. "sum": of gradients, each with a weight.
# "squares": a sum of squares of something, "root": the root of one. "number": no gradient in it. "other": not known.
Form = Literal["zero", "number", "now", "sum", "squares", "root", "other"]
# A step by which all corrections are over.
LATE = 1e9
PASSES = 12


@dataclass(frozen=True)
class Spot:
    """An expression, and the line before which it is read, counted from 0; the result comes after the last line."""

    line: int
    expression: Expression


@dataclass(frozen=True)
class Quotient:
    """What a step is made of: a sum of gradients `over` a size `under`, or only the sign or the direction of it.

    `inside`: what the size is the root of squares of, where it is one.
    """

    over: Spot
    under: Spot | None
    form: Literal["quotient", "sign", "direction"] = "quotient"
    inside: Spot | None = None


@dataclass(frozen=True)
class Floor:
    """A number that keeps a size away from zero: added to it, or the least it may be."""

    spot: Spot
    beside: Spot
    degree: float
    form: Literal["added", "least"]


@dataclass(frozen=True)
class Response:
    """How one expression answers to the gradient.

    Gradients c times as large make it c**degree times as large, None where there is no such power. `even`: gradients
    turned round leave it, or turn it (False); None: neither. `inside`: what is squared, where it sums squares.
    `place`: x is in it. `late`: its value in the end, where it is a number.
    """

    degree: float | None = 0.0
    even: bool | None = True
    form: Form = "number"
    inside: Spot | None = None
    place: bool = False
    quotient: Quotient | None = None
    late: float | None = None

    @property
    def is_sum(self) -> bool:
        """Whether it is a sum of gradients with a weight each."""
        return self.form in ("now", "sum")


@dataclass(frozen=True)
class Responses:
    """Those of all variables and states at the end of a step, of the step itself, and the floors on the way."""

    of: Mapping[str, Response]
    result: Response
    floors: tuple[Floor, ...]


ZERO = Response(form="zero", late=0.0)
UNKNOWN = Response(None, None, "other")


@lru_cache(maxsize=256)
def responses_of(rule: Rule, knobs: tuple[tuple[str, float], ...] = ()) -> Responses:
    """Read a rule, with knobs that are no defaults as pairs."""
    reader = _Reader(rule, {**rule.knobs, **dict(knobs)})
    return reader.read()


class _Reader:
    """One rule, read again until its states no longer change."""

    def __init__(self, rule: Rule, knobs: Mapping[str, float]) -> None:
        self.rule = rule
        self.fixed = {name: Response(late=value) for name, value in knobs.items()}
        self.fixed |= {"t": Response(late=LATE), "n": Response(late=1.0), "k": Response(late=1.0)}
        self.fixed |= {"g": Response(1.0, False, "now"), "x": Response(place=True, late=None, form="other")}
        self.floors: list[Floor] = []
        self.line = 0
        self.known: dict[str, Response] = {}

    def read(self) -> Responses:
        tree = self.rule.tree
        self.known = dict(self.fixed)
        starts = {state.name: self.respond(state.start) for state in tree.states}
        per_step = self.rule.dependence.per_step_states
        carried = {name: Response() if name in per_step else _begun(start) for name, start in starts.items()}
        result = UNKNOWN
        for _ in range(PASSES):
            self.floors, self.known = [], {**self.fixed, **carried}
            for self.line, line in enumerate(tree.body):
                response = self.respond(line.value)
                several = len(line.targets) > 1
                self.known.update((name, UNKNOWN if several else response) for name in line.targets)
            self.line = len(tree.body)
            result = self.respond(tree.result)
            after = {name: self.carry(starts[name], self.known[name], name in per_step) for name in carried}
            if after == carried:
                break
            carried = after
        else:
            changing = {name: UNKNOWN for name in carried if name not in per_step}
            return Responses({**self.known, **changing}, UNKNOWN, ())
        return Responses(self.known, result, tuple(dict.fromkeys(self.floors)))

    def carry(self, start: Response, response: Response, per_step: bool) -> Response:
        """Give what a state is in the next step: no longer the newest gradient, and no value known beforehand."""
        if per_step:
            return replace(response, late=None)
        if response.form == "now":
            response = replace(response, form="sum")
        if start.place and not response.place:
            response = replace(response, place=True)
        return response

    def respond(self, node: Expression) -> Response:
        if isinstance(node, Number):
            return ZERO if node.value == 0 else Response(late=node.value)
        if isinstance(node, Name):
            return self.known[node.id]
        given = [self.respond(argument) for argument in node.arguments]
        if all(response.form in ("number", "zero") and not response.place for response in given):
            return self.number(node, given)
        return _MEANINGS.get(node.op, _anything)(self, node, given)

    def number(self, node: Operation, given: list[Response]) -> Response:
        """Work out an operation on numbers as far as their values in the end are known."""
        zeros = [response.form == "zero" for response in given]
        if (all(zeros) and node.op in _KEEPS_ZERO) or (any(zeros) and node.op == "mul"):
            return ZERO
        if node.op in ("div", "pow") and zeros[0]:
            return ZERO
        values = [response.late for response in given]
        if OPERATIONS[node.op].kind in ("reduction", "matrix") or None in values:
            return Response()
        return Response(late=float(OPERATIONS[node.op].meaning(*values)))

    def spot(self, node: Expression) -> Spot:
        plain = node == Name("g") and "g" not in self.rule.variables
        return Spot(0 if plain else self.line, node)

    def floor(self, node: Operation, given: list[Response], form: Literal["added", "least"]) -> Response | None:
        """See a number without the gradient's unit beside what has one; None where there is none."""
        for (mine, its), (number, other) in ((given, node.arguments), (given[::-1], node.arguments[::-1])):
            if its.form == "number" and not its.place and mine.degree and mine.degree > 0 and mine.even:
                self.floors.append(Floor(self.spot(other), self.spot(number), mine.degree, form))
                return mine if mine.form in ("squares", "root") else replace(mine, form="other", quotient=None)
        return None


_KEEPS_ZERO = {"add", "sub", "neg", "abs", "sign", "sqrt", "maximum", "minimum", "transpose", "norm", "sum", "mean"}


def _begun(start: Response) -> Response:
    """Give what is known of a state before step 1: a number it starts from is forgotten."""
    return ZERO if start.form == "number" and not start.place else start


def _both(parts: Iterable[Response]) -> tuple[bool | None, bool]:
    """Give whether all are even, all odd, or neither; and whether x is in any."""
    listed = list(parts)
    turns = {part.even for part in listed}
    return (turns.pop() if len(turns) == 1 else None), any(part.place for part in listed)


def _sum(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    first, second = given
    if first.form == "zero":
        return second
    if second.form == "zero":
        return first
    floor = reader.floor(node, given, "added") if node.op == "add" else None
    if floor is not None:
        return floor
    for mine, other in ((first, second), (second, first)):
        if _is_only_place(other):
            return replace(mine, place=True)
    even, place = _both(given)
    if first.degree != second.degree or first.degree is None:
        return Response(None, even, "other", place=place)
    form: Form = "other"
    if first.is_sum and second.is_sum:
        form = "now" if first.form == second.form == "now" else "sum"
    if first.form == second.form == "squares" and first.inside == second.inside:
        form = "squares"
    inside = first.inside if form == "squares" else None
    return Response(first.degree, even, form, inside, place)


def _is_only_place(response: Response) -> bool:
    """Whether it is x, or x beside numbers, and nothing else."""
    return response.place and response.form in ("other", "number") and response.degree == 0 and response.even is True


def _product(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    if given[0].form == given[1].form == "now" and "g" not in reader.rule.variables:
        return Response(2.0, True, "squares", Spot(0, Name("g")), given[0].place or given[1].place)
    for mine, other in (given, given[::-1]):
        if mine.form == "zero":
            return ZERO
        if other.form == "number" and not other.place:
            return mine
    first, second = given
    even, place = _turned(first, second), first.place or second.place
    degree = None if first.degree is None or second.degree is None else first.degree + second.degree
    if first.is_sum and node.arguments[0] == node.arguments[1]:
        return Response(2.0, True, "squares", reader.spot(node.arguments[0]), place)
    return Response(degree, even, "other", None, place, _scaled(reader, node, given))


def _scaled(reader: _Reader, node: Operation, given: list[Response]) -> Quotient | None:
    """See `sum * (1 / size)` as the quotient that it is."""
    for mine, other, part in ((given[0], given[1], node.arguments[1]), (given[1], given[0], node.arguments[0])):
        if mine.is_sum and other.degree == -1.0 and other.even:
            over = node.arguments[0] if part is node.arguments[1] else node.arguments[1]
            return Quotient(reader.spot(over), reader.spot(Operation("div", (Number(1.0), part))))
    return None


def _turned(first: Response, second: Response) -> bool | None:
    return None if first.even is None or second.even is None else first.even == second.even


def _division(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    over, under = given
    if over.form == "zero":
        return ZERO
    if under.form == "number" and not under.place:
        return over
    if over.degree is None or under.degree is None:
        return Response(None, _turned(over, under), "other", None, over.place or under.place)
    quotient = None
    if over.is_sum and under.even and under.degree == 1.0:
        inside = under.inside if under.form == "root" else None
        quotient = Quotient(reader.spot(node.arguments[0]), reader.spot(node.arguments[1]), inside=inside)
    return Response(
        over.degree - under.degree, _turned(over, under), "other", None, over.place or under.place, quotient
    )


def _power(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    base, exponent = given
    if base.form == "zero":
        return ZERO
    if exponent.form != "number" or exponent.late is None or base.degree is None or base.place:
        return replace(UNKNOWN, place=base.place or exponent.place)
    power = exponent.late
    if power == 2.0 and base.is_sum:
        return Response(2.0, True, "squares", reader.spot(node.arguments[0]))
    if power == 0.5 and base.form == "squares":
        return Response(1.0, True, "root", base.inside)
    whole = power == math.floor(power)
    even = True if base.even or (whole and power % 2 == 0) else base.even if whole else None
    return Response(base.degree * power, even, "other")


def _root(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    (inner,) = given
    degree = None if inner.degree is None else inner.degree * (0.5 if node.op == "sqrt" else 1 / 3)
    if node.op == "sqrt" and inner.form == "squares":
        return Response(1.0, True, "root", inner.inside, inner.place)
    return Response(degree, inner.even if inner.even or node.op == "cbrt" else None, "other", None, inner.place)


def _minus(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    return replace(given[0], late=None)


def _size(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    (inner,) = given
    return Response(inner.degree, True if inner.even is not None else None, "other", None, inner.place)


def _sign(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    (inner,) = given
    quotient = Quotient(reader.spot(node.arguments[0]), None, "sign") if inner.is_sum else None
    return Response(None if inner.degree is None else 0.0, inner.even, "other", None, inner.place, quotient)


def _extreme(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    floor = reader.floor(node, given, "least") if node.op == "maximum" else None
    if floor is not None:
        return floor
    first, second = (replace(part, form="other", quotient=None, inside=None) for part in given)
    if given[0].form == "zero" or given[1].form == "zero":
        return second if given[0].form == "zero" else first
    even, place = _both(given)
    return Response(first.degree if first.degree == second.degree else None, even, "other", None, place)


def _chosen(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    condition, first, second = given
    if condition.form in ("number", "zero") and condition.late is not None:
        return first if condition.late else second
    if first == second:
        return first
    even, place = _both(given)
    if {first.form, second.form} <= {"number", "zero"}:
        return Response(0.0 if condition.degree is not None else None, None, "other", place=place)
    mine, other = (first, second) if second.form == "zero" else (second, first)
    if other.form == "zero":
        return replace(mine, form="other", quotient=None, place=place)
    even, _ = _both((first, second))
    return Response(first.degree if first.degree == second.degree else None, even, "other", None, place)


def _compared(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    degrees = {part.degree for part in given if part.form != "zero"}
    known = len(degrees) == 1 and None not in degrees
    return Response(0.0 if known else None, None, "other", None, any(part.place for part in given))


def _limited(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    what, low, high = given
    degrees = {part.degree for part in given if part.form != "zero"}
    mirrored = node.arguments[1] == Operation("neg", (node.arguments[2],)) and high.even
    even = what.even if mirrored or (what.even and low.even and high.even) else None
    return Response(what.degree if len(degrees) == 1 else None, even, "other", None, any(p.place for p in given))


def _reduced(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    (inner,) = given
    even = inner.even
    if node.op == "norm" and even is not None:
        even = True
    elif "largest" in node.op:
        # The largest of what turns round is another number.
        even = even or None
    return Response(inner.degree, even, "other", None, inner.place)


def _number(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    return Response()


def _matrix(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    if node.op == "transpose" or "mean" in node.op:
        return replace(given[0], form="other", quotient=None, inside=None)
    if node.op == "orthogonal":
        quotient = Quotient(reader.spot(node.arguments[0]), None, "direction") if given[0].is_sum else None
        return Response(
            None if given[0].degree is None else 0.0, given[0].even, "other", None, given[0].place, quotient
        )
    if node.op == "matmul":
        degrees = [part.degree for part in given]
        degree = None if None in degrees else sum(degree for degree in degrees if degree is not None)
        return Response(degree, _turned(*given), "other", None, any(part.place for part in given))
    return _anything(reader, node, given)


def _anything(reader: _Reader, node: Operation, given: list[Response]) -> Response:
    free_of_unit = all(part.degree == 0.0 for part in given)
    names = names_in(node) & {"x"}
    return Response(0.0 if free_of_unit else None, None, "other", None, bool(names) or any(p.place for p in given))


_Meaning = Callable[[_Reader, Operation, list[Response]], Response]
_MEANINGS: dict[str, _Meaning] = {
    "add": _sum, "sub": _sum, "mul": _product, "div": _division, "pow": _power, "sqrt": _root, "cbrt": _root,
    "neg": _minus, "abs": _size, "sign": _sign, "maximum": _extreme, "minimum": _extreme, "where": _chosen,
    "clip": _limited, "sum": _reduced, "mean": _reduced, "norm": _reduced, "largest": _reduced,
    "row_largest": _reduced, "column_largest": _reduced, "size": _number, "rows": _number, "columns": _number,
    "identity": _number,
    "transpose": _matrix, "row_mean": _matrix, "column_mean": _matrix, "orthogonal": _matrix, "matmul": _matrix,
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), _compared),
}  # fmt: skip
