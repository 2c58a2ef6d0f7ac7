"""The forms in which a rule may honestly be computed: equal but for rounding. They know no gradients and no law."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mhat.engines.arrays import Arrays
from mhat.language import Rule, of_tree
from mhat.language.algebra import ONE, added, equal
from mhat.language.tree import Expression, Knob, Name, Operation, Tree
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
