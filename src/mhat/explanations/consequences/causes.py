"""What of a rule was changed, read from its tree: a state's gain, weight, input or start, or a line's factor.

A cause knows no rule by name and runs nothing but sums and products of knobs and step numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mhat.explanations.claims import four_digits
from mhat.explanations.consequences.factors import chooses, equal, expression_text, times_what, value_at
from mhat.explanations.consequences.inlining import lines_of, written_out
from mhat.explanations.consequences.pairs import Pair, step_of
from mhat.explanations.consequences.speech import listed, times
from mhat.language import Rule
from mhat.language.recurrences import Recurrence, recurrence_of
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import names_in

STEPS = (1, 2, 10, 100)
Kind = Literal["again", "gain", "weight", "input", "start", "factor", "line", "new", "lost", "recurrence"]


@dataclass(frozen=True)
class Cause:
    """One thing that is not as it should be: of a state, of a variable, or of the result (`about` is empty then).

    `factor`: by what the right one is multiplied, where it is so; `new` and `old` are the expressions that stand there.
    """

    kind: Kind
    about: str
    new: Expression | None = None
    old: Expression | None = None
    factor: Expression | None = None

    def factors_at(self, knobs: Mapping[str, float], steps: tuple[int, ...] = STEPS) -> list[float]:
        """Give the factor at some steps."""
        assert self.factor is not None
        return [value_at(self.factor, knobs, step) for step in steps]

    def products_at(self, knobs: Mapping[str, float], steps: tuple[int, ...] = STEPS) -> list[float]:
        """Give the product of the factors of all steps up to some."""
        assert self.factor is not None
        product, products = 1.0, []
        for step in range(1, steps[-1] + 1):
            product *= value_at(self.factor, knobs, step)
            if step in steps:
                products.append(product)
        return products


def causes_of(pair: Pair) -> list[Cause]:
    """List what differs, states first, then variables in the order of their lines, then the result."""
    right, wrong = pair.right, pair.wrong
    return [*_of_states(right, wrong), *_of_lines(right, wrong)]


def _of_states(right: Rule, wrong: Rule) -> Iterator[Cause]:
    starts = {state.name: state.start for state in right.tree.states}
    for state in wrong.tree.states:
        if state.name not in starts:
            yield Cause("new", state.name)
            continue
        if not equal(state.start, starts[state.name]):
            yield Cause("start", state.name, state.start, starts[state.name])
        yield from _of_state(state.name, recurrence_of(right, state.name), recurrence_of(wrong, state.name))
    for name in starts:
        if name not in wrong.tree.state_names:
            yield Cause("lost", name)


def _of_state(name: str, right: Recurrence | None, wrong: Recurrence | None) -> Iterator[Cause]:
    if right is None or wrong is None:
        if (right is None) != (wrong is None):
            yield Cause("recurrence", name)
        return
    gain = None if equal(right.gain, wrong.gain) else _factor(wrong.gain, right.gain)
    gain = None if gain is not None and chooses(gain) else gain
    if gain is not None and "t" in names_in(gain) and equal(wrong.fed, Operation("mul", (gain, right.fed))):
        yield Cause("again", name, wrong.gain, right.gain, gain)
        return
    if not equal(right.gain, wrong.gain):
        yield Cause("gain", name, wrong.gain, right.gain, gain)
    if equal(right.fed, wrong.fed):
        return
    weights, inputs = (right.weight, wrong.weight), (right.input, wrong.input)
    if None not in weights and None not in inputs and equal(right.offset, wrong.offset):
        assert right.weight is not None and wrong.weight is not None
        if right.input == wrong.input:
            factor = _factor(wrong.weight, right.weight)
            if factor is None or chooses(factor):
                yield Cause("input", name, wrong.fed, right.fed)
                return
            yield Cause("weight", name, wrong.weight, right.weight, factor)
            return
        if equal(right.weight, wrong.weight):
            yield Cause("input", name, wrong.input, right.input)
            return
    yield Cause("input", name, wrong.fed, right.fed)


def _factor(new: Expression, old: Expression) -> Expression | None:
    if new == Number(0.0) or old == Number(0.0):
        return None
    return times_what(new, old)


def _of_lines(right: Rule, wrong: Rule) -> Iterator[Cause]:
    """Compare the last line of every variable that is no state, and the step; what only one has is written out."""
    own, other = lines_of(right), lines_of(wrong)
    only_right = {name: value for name, value in own.items() if name not in other}
    only_wrong = {name: value for name, value in other.items() if name not in own and name not in ("g", "x")}
    knobs = frozenset({*right.knobs, *wrong.knobs})
    for name, value in other.items():
        if name in only_wrong:
            continue
        if name not in own:
            yield Cause("new", name, value)
            continue
        new, old = written_out(value, only_wrong), written_out(own[name], only_right)
        if not equal(new, old):
            yield _line(name, new, old, knobs)
    results = wrong.tree.result, right.tree.result
    steps = [step_of(result) for result in results]
    about = "" if None not in steps else "x"
    new, old = (
        written_out(result if about else step, lines)  # type: ignore[arg-type]
        for result, step, lines in zip(results, steps, (only_wrong, only_right), strict=True)
    )
    if not equal(new, old):
        yield Cause("line", "x", new, old) if about else _line("", new, old, knobs)


def _line(name: str, new: Expression, old: Expression, knobs: frozenset[str]) -> Cause:
    """Say by what a line is multiplied, where that is a number a step."""
    factor = _factor(new, old)
    if factor is not None and names_in(factor) <= {"t", *knobs} and not chooses(factor):
        return Cause("factor", name, new, old, factor)
    return Cause("line", name, new, old)


# ---- how a cause reads


def sentence_of(cause: Cause, pair: Pair) -> str:
    """Say a cause, with its numbers."""
    return _WORDS[cause.kind](cause, pair)


def _gain(cause: Cause, pair: Pair) -> str:
    assert cause.new is not None and cause.old is not None
    name, knobs = cause.about, pair.known
    new, old = value_at(cause.new, knobs, 1), value_at(cause.old, knobs, 1)
    moving = "t" in names_in(cause.new) or "t" in names_in(cause.old)
    if cause.factor is not None and moving:
        text = expression_text(cause.factor)
        at = _listed(cause.factors_at(knobs))
        return f"each step multiplies what `{name}` was by {text} besides: {at}"
    if not moving and math.isfinite(new):
        return f"{_keeping(name, new)}, where {_keeps(old)} is right"
    return (
        f"each step `{name}` keeps {expression_text(cause.new)} of itself where {expression_text(cause.old)} is right"
    )


def _again(cause: Cause, pair: Pair) -> str:
    assert cause.factor is not None
    text = expression_text(cause.factor)
    factors = _listed(cause.factors_at(pair.known))
    return f"each step multiplies `{cause.about}` by {text} once more, and keeps that: {factors}"


def _keeping(name: str, gain: float) -> str:
    if gain == 1.0:
        return f"`{name}` never forgets: it adds up all that it takes in"
    if gain == 0.0:
        return f"`{name}` keeps nothing of what it was: it has no memory"
    if abs(gain) > 1.0:
        return f"`{name}` multiplies itself by {four_digits(gain)} every step"
    if gain < 0.0:
        return f"`{name}` turns what it was around every step and keeps {four_digits(-gain)} of it"
    return f"`{name}` keeps {four_digits(gain)} of itself a step, which halves in {_halves(gain)}"


def _keeps(gain: float) -> str:
    if 0.0 < gain < 1.0:
        return f"{four_digits(gain)}, halved in {_halves(gain)},"
    return f"{four_digits(gain)}"


def _halves(gain: float) -> str:
    steps = math.log(0.5) / math.log(gain)
    return f"{four_digits(steps)} steps"


def _listed(values: list[float], steps: tuple[int, ...] = STEPS) -> str:
    return listed([f"{four_digits(value)} at step {step}" for step, value in zip(steps, values, strict=True)])


def _weight(cause: Cause, pair: Pair) -> str:
    assert cause.new is not None and cause.old is not None
    name, knobs = cause.about, pair.known
    new, old = expression_text(cause.new), expression_text(cause.old)
    factors = cause.factors_at(knobs)
    if all(abs(factor - 1.0) < 1e-6 for factor in factors):
        return f"`{name}` takes in {new} of its input where {old} is right, which is the same to six digits"
    if _is_one(factors):
        return f"`{name}` takes in {times(factors[0])} as much a step as it should: {new}, not {old}"
    assert cause.factor is not None
    return f"`{name}` takes in {expression_text(cause.factor)} times as much a step as it should: {_listed(factors)}"


def _input(cause: Cause, pair: Pair) -> str:
    assert cause.new is not None and cause.old is not None
    if cause.new == Number(0.0):
        return f"`{cause.about}` is fed nothing, where {expression_text(cause.old)} is right"
    return f"`{cause.about}` is fed {expression_text(cause.new)} where {expression_text(cause.old)} is right"


def _start(cause: Cause, pair: Pair) -> str:
    assert cause.new is not None and cause.old is not None
    new = "the first gradient" if cause.new == Name("g") else expression_text(cause.new)
    return f"`{cause.about}` starts at {new} and not at {expression_text(cause.old)}"


def _factor_of_a_line(cause: Cause, pair: Pair) -> str:
    assert cause.factor is not None and cause.new is not None and cause.old is not None
    factors = cause.factors_at(pair.known)
    text = expression_text(cause.factor)
    if any(map(math.isnan, factors)):
        return f"{_what(cause)} is {text} times what it should be"
    if all(abs(factor - 1.0) < 1e-6 for factor in factors):
        both = f"{expression_text(cause.new)} where {expression_text(cause.old)} is right"
        return f"{_what(cause)} is {both}, which is the same to six digits"
    if _is_one(factors):
        value = times(factors[0])
        return f"{_what(cause)} is {value} what it should be" + (f", {text}" if names_in(cause.factor) else "")
    return f"{_what(cause)} is {text} times what it should be: {_listed(factors)}"


def _is_one(values: list[float]) -> bool:
    """Whether all are the same number."""
    return all(map(math.isfinite, values)) and max(values) - min(values) <= 1e-9 * abs(values[0])


def _line_of(cause: Cause, pair: Pair) -> str:
    assert cause.new is not None and cause.old is not None
    return f"{_what(cause)} is {expression_text(cause.new)} where {expression_text(cause.old)} is right"


def _new(cause: Cause, pair: Pair) -> str:
    if cause.new is not None:
        what = "the gradient" if cause.about == "g" else f"`{cause.about}`"
        return f"{what} is first made {expression_text(cause.new)}"
    return f"`{cause.about}` is carried from step to step, which the rule does not know"


def _what(cause: Cause) -> str:
    """Name what a cause is about; without a name it is the step."""
    return "the step" if not cause.about else "the new x" if cause.about == "x" else f"`{cause.about}`"


def _lost(cause: Cause, pair: Pair) -> str:
    return f"`{cause.about}` is not carried from step to step"


def _recurrence(cause: Cause, pair: Pair) -> str:
    lines = {target: line.value for line in pair.wrong.tree.body for target in line.targets}
    if cause.about not in lines:
        return f"`{cause.about}` is never set anew"
    return f"`{cause.about}` becomes {expression_text(lines[cause.about])} each step"


_WORDS = {
    "again": _again, "gain": _gain, "weight": _weight, "input": _input, "start": _start, "factor": _factor_of_a_line,
    "line": _line_of, "new": _new, "lost": _lost, "recurrence": _recurrence,
}  # fmt: skip
