"""The forms in which a rule may honestly be computed: equal but for rounding. They know no gradients and no law."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mhat.engines.arrays import Arrays
from mhat.language import Rule, of_tree
from mhat.language.algebra import ONE, added, equal
from mhat.language.recurrences import shares_of
from mhat.language.tree import Assignment, Expression, Knob, Name, Number, Operation, Tree
from mhat.language.walking import mapped_tree, names_in, renamed


@dataclass(frozen=True)
class Form:
    """A form of a rule; `rounded` are knobs, each with one that stands for it, rounded before it is used."""

    rule: Rule
    one_precision: bool = False
    rounded: tuple[tuple[str, str], ...] = ()


def forms(rule: Rule) -> Iterator[Form]:
    """Yield the allowed forms: averages as lerp, divisions as products, numbers rounded early or late."""
    trees = [rule.tree, mapped_tree(rule.tree, _as_lerp), mapped_tree(rule.tree, _by_inverse)]
    for tree in dict.fromkeys(trees):
        yield Form(of_tree(tree))
        yield Form(of_tree(tree), one_precision=True)
    for in_powers in (False, True):
        yield _rounded_early(rule.tree, in_powers)


class OnePrecision(Arrays):
    """Arrays where per-step numbers are rounded too, as code does that keeps all its numbers in one dtype."""

    def number(self, value: float) -> Any:
        return self.enter(value)

    def step_operation(self, op: str) -> Callable[..., Any]:
        return self.operation(op)


def _as_lerp(node: Expression) -> Expression:
    """Rewrite an average `b * s + (1 - b) * h` as `s + (1 - b) * (h - s)`."""
    match node:
        case Operation("add", (Operation("mul", (decay, old)), Operation("mul", (rate, new)))) if isinstance(
            old, Name
        ) and equal(added(decay, rate), ONE):
            moved = Operation("mul", (rate, Operation("sub", (new, old))))
            return Operation("add", (old, moved))
    return node


def _by_inverse(node: Expression) -> Expression:
    """Rewrite a division as a product with the inverse."""
    if isinstance(node, Operation) and node.op == "div":
        from_one = Operation("div", (ONE, node.arguments[1]))
        return node if node.arguments[0] == ONE else Operation("mul", (node.arguments[0], from_one))
    return node


def _rounded_early(tree: Tree, in_powers: bool) -> Form:
    """Round knobs before they are used, in the lines with the step number or in the others."""
    new = {knob: f"{knob}_rounded" for knob in tree.knob_names}
    body = tuple(
        replace(line, value=renamed(line.value, new)) if ("t" in names_in(line.value)) == in_powers else line
        for line in tree.body
    )
    knobs = (*tree.knobs, *(Knob(new[knob.name], knob.default) for knob in tree.knobs))
    result = tree.result if in_powers else renamed(tree.result, new)
    return Form(of_tree(replace(tree, body=body, knobs=knobs, result=result)), False, tuple(new.items()))


def respelled(rule: Rule) -> Iterator[Rule]:
    """Yield algebraically equal spellings that lose more than the allowed forms do, those that the rule has place for.

    Each is one identity, written wherever it applies: the average moved from the new value, `h + b * (s - h)`; with
    the product taken apart, `b * s + h - b * h`; a square of a difference multiplied out; powers and roots by
    logarithms.
    """
    lines = (_from_the_new, _taken_apart)
    trees = [replace(rule.tree, body=tuple(map(line, rule.tree.body))) for line in lines]
    trees += [mapped_tree(rule.tree, node) for node in (_multiplied_out, _root_by_logarithm, _power_by_logarithm)]
    # And several at once: the last is written in what the first made.
    trees += [mapped_tree(tree, _multiplied_out) for tree in trees[: len(lines)]]
    for tree in dict.fromkeys(trees):
        if tree != rule.tree:
            yield of_tree(tree, paper=rule.paper)


def _from_the_new(line: Assignment) -> Assignment:
    if (parts := shares_of(line)) is None:
        return line
    (decay, _, new), state = parts, Name(line.targets[0])
    moved = Operation("mul", (decay, Operation("sub", (state, new))))
    return replace(line, value=Operation("add", (new, moved)))


def _taken_apart(line: Assignment) -> Assignment:
    if (parts := shares_of(line)) is None:
        return line
    (decay, _, new), state = parts, Name(line.targets[0])
    grown = Operation("add", (Operation("mul", (decay, state)), new))
    return replace(line, value=Operation("sub", (grown, Operation("mul", (decay, new)))))


def _multiplied_out(node: Expression) -> Expression:
    match node:
        case Operation("pow", (Operation("sub", (a, b)), Number(2.0))):
            twice = Operation("mul", (Operation("mul", (Number(2.0), a)), b))
            squares = Operation("sub", (Operation("mul", (a, a)), twice))
            return Operation("add", (squares, Operation("mul", (b, b))))
    return node


def _root_by_logarithm(node: Expression) -> Expression:
    match node:
        case Operation("sqrt", (a,)):
            return Operation("exp", (Operation("mul", (Number(0.5), Operation("log", (a,)))),))
    return node


def _power_by_logarithm(node: Expression) -> Expression:
    match node:
        case Operation("pow", (base, Name("t") as t)):
            return Operation("exp", (Operation("mul", (t, Operation("log", (base,)))),))
    return node
