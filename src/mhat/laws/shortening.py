"""A rule with a knob at zero, made shorter on the tree: what is multiplied by zero goes, and what nothing reads.

It knows no numbers but 0 and 1, no engine and no rule by name. Gradients are taken to be finite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.language import Assignment, Expression, Name, Number, Operation, Rule, Tree, of_tree
from mhat.language.walking import mapped, names_in

ZERO, ONE = Number(0.0), Number(1.0)


def forgettable(rule: Rule) -> Iterator[str]:
    """Yield the knobs from 0 up to 1 without which the rule carries less from step to step."""
    for name in rule.knobs:
        meaning = rule.meaning(name)
        is_rate = meaning.low == 0 and meaning.high == 1 and not meaning.closed
        if is_rate and len(shortened(rule, name).tree.states) < len(rule.tree.states):
            yield name


def shortened(rule: Rule, knob: str) -> Rule:
    """Give the rule with a knob at zero, without the lines and states that have become idle."""

    def folded(node: Expression) -> Expression:
        return mapped(node, lambda part: _simpler(ZERO if part == Name(knob) else part))

    tree = rule.tree
    body = tuple(Assignment(line.targets, folded(line.value)) for line in tree.body)
    states = tuple(replace(state, start=folded(state.start)) for state in tree.states)
    kept = [each for each in tree.knobs if each.name != knob]
    reads = [each.expression is not None and knob in names_in(each.expression) for each in kept]
    knobs = tuple(replace(each, expression=None) if gone else each for each, gone in zip(kept, reads, strict=True))
    return of_tree(_without_idle(replace(tree, states=states, knobs=knobs, body=body, result=folded(tree.result))))


def _simpler(node: Expression) -> Expression:
    """Work out one operation where an argument is 0 or 1."""
    if not isinstance(node, Operation) or len(node.arguments) != 2:
        return node
    left, right = node.arguments
    if node.op == "mul":
        return ZERO if ZERO in (left, right) else right if left == ONE else left if right == ONE else node
    if node.op == "add":
        return right if left == ZERO else left if right == ZERO else node
    if node.op == "sub" and right == ZERO:
        return left
    if node.op == "div" and (right == ONE or left == ZERO):
        return left
    if node.op == "pow" and left == ZERO and _counts(right):
        return ZERO
    return node


def _counts(node: Expression) -> bool:
    """Whether an exponent is a step number, which is never 0."""
    return node == Name("t")


def _without_idle(tree: Tree) -> Tree:
    """Drop lines that nothing reads, and states that are overwritten before they are read."""
    while True:
        before = tree
        tree = replace(tree, body=_read_lines(tree))
        carried = tuple(state for state in tree.states if _is_carried(tree, state.name))
        tree = replace(tree, states=carried)
        if tree == before:
            return tree


def _is_carried(tree: Tree, name: str) -> bool:
    for line in tree.body:
        if name in names_in(line.value):
            return True
        if name in line.targets:
            return False
    return name in names_in(tree.result)


def _read_lines(tree: Tree) -> tuple[Assignment, ...]:
    """Keep the lines whose targets are read later, in this step or, for states, in the next."""
    needed = names_in(tree.result) | set(tree.state_names)
    kept: list[Assignment] = []
    for line in reversed(tree.body):
        if needed.isdisjoint(line.targets):
            continue
        needed = (needed - set(line.targets)) | names_in(line.value)
        kept.append(line)
    return tuple(reversed(kept))
