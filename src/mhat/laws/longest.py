"""The longest step that a rule can take, whatever the gradients: by Cauchy and Schwarz, over the weights of the past.

It knows no rule by name: it follows gradients through the lines, and finds a weighted sum of them over the root of a
weighted sum of their squares.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mhat.errors import BadValue
from mhat.language import Rule, Tree
from mhat.language.algebra import ONE
from mhat.language.recurrences import recurrence_of
from mhat.language.tree import Expression, Name, Operation
from mhat.language.tree import Number as Literal
from mhat.language.values import value_of
from mhat.language.walking import mapped, names_in
from mhat.laws.longest_formula import limit_formula
from mhat.laws.weights import ZERO, Bounded, Linear, NotWeighed, Number, Place, Value, combined, later
from mhat.ops import OPERATIONS

# Weights that are older than so many steps are summed as the powers that they have become.
REMEMBERED = 250
# So late that every power of a share is nothing.
LATE = 1e300
# A limit beyond this is none.
WITHOUT_END = 1e9
# The squares of steps are to be doubles in full.
TINIEST, HUGEST = 1e-140, 1e140
LOOKED_AT = 60
LATER = (100, 250, 600, 1000, 1500, 2000, 3000)


@dataclass(frozen=True)
class NoLongestStep:
    """Why there is no longest step."""

    reason: str


@dataclass(frozen=True)
class LongestStep:
    """The longest step there is, in learning rates (in x itself, for a rule without one), beside any decay.

    `limit`: of steps far from the start; `value`: of all steps, taken at step `first` where that is one of the first.
    `formula` gives the limit, where it is known; `growth`: the gradients that come nearest to it are multiplied by so
    much at every step. `reached`: there are gradients that come as near to it as one likes. `followed`: it bounds every
    step; else the weights change from step to step, and it is the longest of those that were looked at.
    """

    rule: Rule
    knobs: Mapping[str, float]
    value: float
    limit: float
    first: int | None
    formula: Expression | None
    growth: float | None
    reached: bool
    followed: bool

    def at(self, step: int) -> float:
        """Give the longest step that there can be at a step, counted from 1."""
        return _at(self.rule, tuple(sorted(self.knobs.items())), step)[0]

    def gradients(self, step: int) -> tuple[float, ...]:
        """Give gradients up to a step whose last step is the longest one, the largest of them 1; () if not known."""
        found = _at(self.rule, tuple(sorted(self.knobs.items())), step)[1]
        if not found:
            return ()
        largest = max(map(abs, found))
        return tuple(g / largest for g in reversed(found)) if largest else ()


def longest_step(rule: Rule, knobs: Mapping[str, float] | None = None) -> LongestStep | NoLongestStep:
    """Derive the longest step that a rule can take, or say why there is none.

    >>> from mhat.rules import adam
    >>> found = longest_step(adam)
    >>> round(found.value, 4), round(found.at(1), 4), round(found.at(100), 4), round(found.growth, 2)
    (7.2703, 1.0, 2.2434, 1.11)
    """
    return _longest(rule, tuple(sorted({**rule.knobs, **(knobs or {})}.items())))


@lru_cache(maxsize=256)
def _longest(rule: Rule, knobs: tuple[tuple[str, float], ...]) -> LongestStep | NoLongestStep:
    told = dict(knobs)
    with np.errstate(all="ignore"):
        return _derived(rule, told)


def _derived(rule: Rule, told: dict[str, float]) -> LongestStep | NoLongestStep:
    if not TINIEST < _rate(told) < HUGEST:
        return NoLongestStep("with this learning rate it is beyond what doubles can tell")
    for state in sorted(set(rule.tree.state_names) - rule.dependence.per_step_states):
        recurrence = recurrence_of(rule, state)
        if recurrence is not None and not names_in(recurrence.gain) <= set(told):
            return NoLongestStep(f"what `{state}` keeps of itself changes from step to step")
    try:
        late = list(_moves(rule, told, REMEMBERED, LATE))
        limit = _with_the_rest(late) / _rate(told)
        early = {step: _length(move, told) for step, move in enumerate(_moves(rule, told, LOOKED_AT), start=1)}
        change = change_with_t(rule)
        for step in LATER if change == "otherwise" else LATER[:2]:
            *_, move = _moves(rule, told, step, only_last=True)
            early[step] = _length(move, told)
    except NotWeighed as reason:
        return NoLongestStep(str(reason))
    if math.isnan(limit) or any(map(math.isnan, early.values())):
        return NoLongestStep("it is no number with these knobs")
    most = max(early.values())
    if not max(limit, most) < WITHOUT_END:
        if most < WITHOUT_END and late[-1].gradients is None:
            return NoLongestStep("it has a bound at every step, and the bound grows from step to step")
        return NoLongestStep("it has no bound: the older a gradient, the more it weighs above than below")
    first = max(early, key=early.__getitem__) if most > limit * (1 + 1e-12) else None
    gradients = late[-1].gradients
    growth = None
    if gradients is not None and len(gradients) > 1 and gradients[0] and gradients[1]:
        growth = float(gradients[0] / gradients[1])
    formula = limit_formula(rule.tree, frozenset(name for name, value in told.items() if abs(value) < 1))
    if formula is not None and not math.isclose(value_of(formula, told), limit, rel_tol=1e-9):
        formula = None
    followed = not change or (change == "corrected" and formula is not None and first is None)
    return LongestStep(rule, told, max(limit, most), limit, first, formula, growth, gradients is not None, followed)


def change_with_t(rule: Rule) -> str:
    """Say whether t enters a rule: not at all, as what averages are divided by ("corrected"), or otherwise.

    A state that is one number a step counts steps as t does.
    """
    if rule.dependence.per_step_states:
        return "otherwise"

    def without(node: Expression) -> Expression:
        match node:
            case Operation("div", (above, Operation("sub", (one, Operation("pow", (Name(), Name("t"))))))) if (
                one == ONE
            ):
                return above
        return node

    reads = [line.value for line in rule.tree.body] + [rule.tree.result]
    if not any("t" in names_in(node) for node in reads):
        return ""
    return "otherwise" if any("t" in names_in(mapped(node, without)) for node in reads) else "corrected"


def _rate(knobs: Mapping[str, float]) -> float:
    return abs(knobs.get("lr", 1.0)) or 1.0


@lru_cache(maxsize=64)
def _at(rule: Rule, knobs: tuple[tuple[str, float], ...], step: int) -> tuple[float, tuple[float, ...]]:
    if step < 1:
        raise BadValue(f"step={step} is before the first step", "Steps are counted from 1.")
    try:
        with np.errstate(all="ignore"):
            *_, last = _moves(rule, dict(knobs), step, only_last=True)
    except NotWeighed:  # at this step it does something else than at all that were looked at
        return math.inf, ()
    gradients = () if last.gradients is None else tuple(last.gradients.tolist())
    return _length(last, dict(knobs)), gradients


def _length(move: Bounded, knobs: Mapping[str, float]) -> float:
    return move.value / _rate(knobs)


def _moves(
    rule: Rule, knobs: Mapping[str, float], steps: int, late: float = 0.0, *, only_last: bool = False
) -> Iterator[Bounded]:
    """Follow the gradients through the steps, and yield what each can add to x at most; raises NotWeighed.

    `late`: all steps are numbered so. `only_last`: nothing is yielded for the others.
    """
    tree = rule.tree
    # A learning rate of 0 would hide what it multiplies.
    told: dict[str, Value] = {name: Number(value) for name, value in knobs.items()}
    told["lr"] = Number(_rate(knobs))
    first: dict[str, Value] = {"g": Linear(np.ones(1)), "x": Place(1.0, ZERO), **told}
    states = {state.name: _value(state.start, first) for state in tree.states}
    with_g = {state.name for state in tree.states if "g" in names_in(state.start)}
    carrying = _lines_of_states(tree)
    for step in range(1, steps + 1):
        # A start that is made of the first gradient is made of this one.
        known = {name: value if step == 1 and name in with_g else later(value) for name, value in states.items()}
        known |= told | {"t": Number(late or float(step)), "k": Number(1.0), "n": Number(1.0)}
        known |= {"g": Linear(np.ones(1)), "x": Place(1.0, ZERO)}
        silent = only_last and step < steps
        for i, line in enumerate(tree.body):
            if len(line.targets) > 1:
                raise NotWeighed("it works on matrices")
            if i in carrying or not silent:
                known[line.targets[0]] = _value(line.value, known)
        states = {name: known[name] for name in states}
        if not silent:
            yield _moved(_value(tree.result, known))


def _lines_of_states(tree: Tree) -> set[int]:
    """Find the lines that what is carried on is made of."""
    wanted, found = set(tree.state_names), set[int]()
    for i, line in reversed(list(enumerate(tree.body))):
        if wanted.intersection(line.targets):
            found.add(i)
            wanted |= names_in(line.value)
    return found


def _value(node: Expression, known: Mapping[str, Value]) -> Value:
    if isinstance(node, Literal):
        return Number(node.value)
    if isinstance(node, Name):
        return known[node.id]
    if node.op == "where":
        condition = _value(node.arguments[0], known)
        if isinstance(condition, Number):
            return _value(node.arguments[1 if condition.value else 2], known)
    values = [_value(argument, known) for argument in node.arguments]
    if not OPERATIONS[node.op].elementwise:
        raise NotWeighed(f"`{node.op}` lets coordinates meet, and a step may be as long as another makes it")
    return combined(node.op, values)


def _moved(result: Value) -> Bounded:
    """Give what is added to x, beside what is a share of it."""
    if not isinstance(result, Place):
        raise NotWeighed("where x goes does not begin where it is")
    move = result.move
    if isinstance(move, Bounded):
        return move
    if isinstance(move, Number):
        return Bounded(abs(move.value))
    raise NotWeighed("its step grows with the gradient: twice the gradient, twice the step")


def _with_the_rest(moves: list[Bounded]) -> float:
    """Sum up the weights that are older still: the bounds, or their squares, come nearer to the limit by powers."""
    plain = [move.value for move in moves[-4:]]
    (error, end), (error_of_squares, squared) = _end(plain), _end([value * value for value in plain])
    return end if error < error_of_squares else math.sqrt(squared)


def _end(values: list[float]) -> tuple[float, float]:
    """Give how far four values are from the sums of powers of a share, and where such sums end."""
    last = values[-1]
    first, second, third = (after - before for before, after in itertools.pairwise(values))
    if math.isnan(third) or third <= 1e-15 * last:
        return 0.0, last
    if not (first and second):
        return math.inf, math.inf
    share = third / second
    end = last + third * share / (1 - share) if share < 1 - 1e-9 else math.inf
    return abs(first / second * share - 1), end
