"""What a rule carries from step to step, and how fast each of it fades. It knows no rule and no variable by name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mhat.explanations.numbers.responses import Response, Responses
from mhat.explanations.numbers.walks import Array, walk
from mhat.language import Expression, Name, Number, Operation, Rule
from mhat.language.recurrences import Recurrence, recurrence_of_line, recurrences_of
from mhat.language.values import value_of
from mhat.language.walking import names_in
from mhat.printers.python import expression_text

G = Name("g")
_SQUARES = (Operation("pow", (G, Number(2.0))), Operation("mul", (G, G)))
Kind = Literal["average", "sum", "decaying sum", "last", "maximum", "other"]


@dataclass(frozen=True)
class Average:
    """A state that takes in the gradient, and the share of it that is left a step later.

    `gain` is that share in the end, `written` the expression that gives it (nothing where it was only seen in a run),
    `knobs` what it is made of. `of`: what it takes in, in words. `linear`: of the gradient or of a square, so that
    every past one has a weight.
    """

    state: str
    kind: Kind
    gain: float
    written: str
    knobs: tuple[str, ...]
    of: str
    squares: bool
    linear: bool

    @property
    def half_life(self) -> float:
        """After so many steps half of it is gone: ln 2 / -ln(gain); infinite for a sum, which forgets nothing."""
        if self.gain >= 1:
            return math.inf
        return math.log(2) / -math.log(self.gain) if self.gain > 0 else 0.0

    @property
    def age(self) -> float:
        """How many steps old what it holds is, on the average, the newest being 0: gain / (1 - gain)."""
        return math.inf if self.gain >= 1 else self.gain / (1 - self.gain)

    @property
    def length(self) -> float:
        """How many steps it speaks of, roughly: 1 / (1 - gain)."""
        return math.inf if self.gain >= 1 else 1 / (1 - self.gain)


@dataclass(frozen=True)
class Changing:
    """A state that takes in the gradient and keeps another share of itself at every step: `gain`, made of `t`."""

    state: str
    gain: Expression
    of: str

    @property
    def written(self) -> str:
        """The share as code."""
        return expression_text(self.gain)


def changing_of(rule: Rule, responses: Responses) -> Iterator[Changing]:
    """Yield every state that takes in the gradient and has no one share that it fades by."""
    for name, response, recurrence in _taking_in(rule, responses):
        if recurrence is not None and not names_in(recurrence.gain) <= set(rule.knobs):
            yield Changing(name, recurrence.gain, _words(response, recurrence.input))


def _taking_in(rule: Rule, responses: Responses) -> Iterator[tuple[str, Response, Recurrence | None]]:
    recurrences = recurrences_of(rule)
    per_step = rule.dependence.per_step_states
    for name in rule.tree.state_names:
        response = responses.of.get(name)
        if name in per_step or response is None or response.form in ("zero", "number"):
            continue
        if "g" not in rule.dependence[name] or (response.place and response.degree == 0):
            continue
        if any("x" in names_in(state.start) for state in rule.tree.states if state.name == name):
            continue
        yield name, response, recurrences[name] or _by_its_line(rule, name)


def averages_of(rule: Rule, knobs: Mapping[str, float], responses: Responses) -> Iterator[Average]:
    """Yield every state that takes in the gradient and fades by one share a step, in the order of the signature."""
    for name, response, recurrence in _taking_in(rule, responses):
        if recurrence is not None and not names_in(recurrence.gain) <= set(knobs):
            continue
        if recurrence is not None:
            gain = value_of(recurrence.gain, {**knobs})
            kind: Kind = "other" if recurrence.kind == "product" else recurrence.kind
            if 0 <= gain <= 1 and kind != "other":
                yield _average(name, kind, gain, recurrence.gain, response, recurrence.input)
                continue
        seen = _seen(rule, knobs, name)
        if seen is not None:
            share = _share_in_maximum(rule, name)
            known = share is not None and names_in(share) <= set(knobs)
            yield _average(
                name, "other" if share is None else "maximum", seen, share if known else None, response, None
            )


def _by_its_line(rule: Rule, name: str) -> Recurrence | None:
    lines = [number for number, line in enumerate(rule.tree.body, start=1) if line.targets == (name,)]
    return recurrence_of_line(rule, lines[0]) if len(lines) == 1 else None


def _average(
    name: str, kind: Kind, gain: float, written: Expression | None, response: Response, taken: Expression | None
) -> Average:
    return Average(
        name, kind, gain, "" if written is None else expression_text(written),
        () if written is None else tuple(sorted(names_in(written))), _words(response, taken),
        response.degree == 2.0, kind != "maximum" and response.form in ("now", "sum", "squares"),
    )  # fmt: skip


def _words(response: Response, taken: Expression | None) -> str:
    """Say what a state takes in."""
    if taken == G:
        return "the gradients"
    if taken in _SQUARES:
        return "the squared gradients"
    if taken is not None and names_in(taken):
        return f"`{expression_text(taken)}`"
    if response.degree == 2.0 and response.even:
        return "squares of the gradients"
    if response.degree == 1.0 and response.even:
        return "the sizes of the gradients"
    if response.degree == 0.0:
        return "what has no unit any more"
    return "something made of the gradients"


def _share_in_maximum(rule: Rule, name: str) -> Expression | None:
    """Give the share of itself that a state is the maximum of, beside something else; None if it is no maximum."""
    for line in rule.tree.body:
        value = line.value
        if line.targets != (name,) or not isinstance(value, Operation) or value.op != "maximum":
            continue
        for part in value.arguments:
            if part == Name(name):
                return Number(1.0)
            if isinstance(part, Operation) and part.op == "mul" and Name(name) in part.arguments:
                return part.arguments[1] if part.arguments[0] == Name(name) else part.arguments[0]
    return None


def _seen(rule: Rule, knobs: Mapping[str, float], name: str) -> float | None:
    """See in a run what a state fades by once the gradient has gone; None where it is not one share."""
    gradients = np.zeros((8, 1))
    gradients[0] = 1e6
    course = [_state(rule, knobs, gradients[: steps + 1], name) for steps in (4, 5, 6)]
    if not all(map(math.isfinite, course)) or not course[0] or not course[1]:
        return None
    first, second = course[1] / course[0], course[2] / course[1]
    return first if math.isclose(first, second, rel_tol=1e-6) and 0 <= first <= 1 + 1e-12 else None


def _state(rule: Rule, knobs: Mapping[str, float], gradients: Array, name: str) -> float:
    value = np.asarray(walk(rule, knobs, gradients, first=10_000_000).states[name])
    return float(value.reshape(-1)[0]) if value.size else math.nan
