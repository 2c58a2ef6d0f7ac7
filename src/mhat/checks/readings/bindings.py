"""Which numbers of a rule that was read are which knobs of the reference. It compares no rules.

What a subject does not take by name stands in what was read as a number: 0.9 where beta1 is meant, 0.1 where one minus
it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from mhat.checks.question import Question
from mhat.checks.readings.points import numbers_in
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.vocabulary import meaning_of
from mhat.language.walking import mapped, mapped_tree

# How many ways to tell knobs are tried, and how many numbers may be one knob.
MOST, EACH = 10, 3
# Too plain to be known again.
PLAIN = (0.0, 1.0, 2.0, 3.0, 4.0, 0.5)


@dataclass(frozen=True)
class Binding:
    """The rule that was read with knobs for numbers, the values of all knobs (None: any), and what was estimated."""

    tree: Tree
    values: Mapping[str, float | None]
    estimated: Mapping[str, float]


def bindings(question: Question, tree: Tree, hidden: Sequence[str]) -> Iterator[Binding]:
    """Yield the ways in which the knobs of the reference may be told, the likeliest first."""
    known = {**question.rule.knobs, **question.subject.defaults, **question.held}
    asked = [name for name in question.rule.knobs if not (name in tree.knob_names and name in question.subject.knobs)]
    other = {name: known.get(name, default) for name, default in ((k.name, k.default) for k in tree.knobs)
             if name not in question.rule.knobs}  # fmt: skip
    tree = _told(tree, {name: Number(value) for name, value in other.items()})
    numbers = [value for value in numbers_in(tree) if value not in PLAIN]
    values = {name: float(known[name]) for name in asked}
    unseen = [name for name in hidden if name in values and not _occurs(name, values[name], numbers)]
    free = [n for n in numbers if not any(_occurs(name, values[name], [n]) for name in asked)]
    ways = [[values[name], *_candidates(name, free)] for name in unseen]
    as_numbers = Binding(tree, {**dict.fromkeys(question.rule.knobs), **values}, {})
    if free and values:
        # Knobs may have been multiplied out.
        yield as_numbers
    for chosen in islice(product(*ways), MOST):
        if len({*chosen}) < len(chosen) and len(chosen) > 1:
            continue
        estimated = {name: v for name, v in zip(unseen, chosen, strict=True) if v != values[name]}
        yield _bound(question, tree, {**values, **estimated}, estimated)
    if values and not free:
        yield as_numbers


def _candidates(name: str, numbers: list[float]) -> list[float]:
    if meaning_of(name).is_share:
        shares = [n if n > 0.5 else float(f"{1.0 - n:.12g}") for n in numbers if 0.0 < n < 1.0]
        return list(dict.fromkeys(shares))[:EACH]
    small = [n for n in numbers if 0.0 < n < (1e-2 if name == "eps" else 1e3)]
    return small[:EACH]


def _occurs(name: str, value: float, numbers: list[float]) -> bool:
    return any(_meant(name, value, number) is not None for number in numbers)


def _meant(name: str, value: float, number: float) -> Expression | None:
    """Say what a number is if a knob has a value: the knob, or one minus it."""
    if value in PLAIN:
        return None
    if abs(number - value) <= 1e-7 * abs(value):
        return Name(name)
    if meaning_of(name).is_share and abs(number - (1.0 - value)) <= 2e-7 * abs(1.0 - value):
        return Operation("sub", (Number(1.0), Name(name)))
    return None


def _bound(question: Question, tree: Tree, values: Mapping[str, float], estimated: Mapping[str, float]) -> Binding:
    """Put knobs in the place of the numbers that can be no other knob; those that can keep their value."""
    numbers = {number for number in numbers_in(tree) if number not in PLAIN}
    claims = {number: [name for name, v in values.items() if _meant(name, v, number) is not None] for number in numbers}
    doubtful = {name for names in claims.values() if len(names) > 1 for name in names}

    def change(node: Expression) -> Expression:
        if isinstance(node, Number) and len(claims.get(node.value, ())) == 1:
            (name,) = claims[node.value]
            return node if name in doubtful else _meant(name, values[name], node.value) or node
        return node

    told = mapped_tree(tree, change)
    told = replace(told, states=tuple(replace(state, start=mapped(state.start, change)) for state in told.states))
    fixed = {name: v for name, v in values.items() if name in doubtful or v in PLAIN}
    return Binding(told, {**dict.fromkeys(question.rule.knobs), **fixed}, estimated)


def _told(tree: Tree, numbers: Mapping[str, Expression]) -> Tree:
    def change(node: Expression) -> Expression:
        return numbers.get(node.id, node) if isinstance(node, Name) else node

    told = mapped_tree(tree, change) if numbers else tree
    return replace(told, knobs=tuple(knob for knob in told.knobs if knob.name not in numbers))
