"""A rule without one of its lines: what the line makes is replaced by what it makes it of. It knows no rule by name."""

from __future__ import annotations

from dataclasses import replace

from mhat.explanations.lines.reading import Reading
from mhat.explanations.lines.roles import Role
from mhat.language import Rule, of_tree
from mhat.language.tree import Assignment, Expression, Name, Operation
from mhat.printers.python import line_text


def without(reading: Reading, number: int, role: Role) -> tuple[Rule, str] | None:
    """Give the rule without a line, and what the line reads instead; None where nothing can stand in its place.

    With an average go the corrections of its start, which have lost their point.
    """
    tree = reading.tree
    if role.frozen is None:
        return None
    if number > len(tree.body):
        return of_tree(replace(tree, result=role.frozen)), ""
    line = tree.body[number - 1]
    if role.frozen == line.value:
        return None
    body = list(tree.body)
    body[number - 1] = Assignment(line.targets, role.frozen)
    if role.whole:
        for corrected, (_, of) in reading.corrections.items():
            if of == number:
                body[corrected - 1] = Assignment(body[corrected - 1].targets, _above(body[corrected - 1].value))
    if role.frozen == Name(line.targets[0]):
        del body[number - 1]
    made = replace(tree, body=tuple(body))
    return of_tree(made), "" if role.frozen == Name(line.targets[0]) else line_text(body[number - 1])


def _above(value: Expression) -> Expression:
    assert isinstance(value, Operation)
    return value.arguments[0]
