"""A rule in a user's file, looked at as code is: what its expressions are worth, from its tree. It runs no code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from mhat.language import Rule
from mhat.language.tree import Expression, Name, Operation
from mhat.mending.courses import Courses, Spot
from mhat.mending.texts import Text
from mhat.mistakes.slots import RESULT, slots_of
from mhat.search.observed import Probes

Span = tuple[int, int, int, int, str]


def seen_in_rule(rule: Rule, text: Text, probes: Probes) -> dict[str, Any]:
    """Give what the expressions of a rule are worth over the steps, in the form in which watched code gives it."""
    tree = rule.tree
    courses = Courses(tree, slots_of(tree), probes, {})
    function = next(
        node for node in ast.walk(text.tree) if isinstance(node, ast.FunctionDef) and node.name == rule.name
    )
    spans: list[Span] = []
    events: list[tuple[int, int, tuple[int, list[float]]]] = []
    order = 0
    for spot, expression, span in _looks(rule, function, text):
        values = courses.of(spot, expression)
        if values is None:
            continue
        spans.append(span)
        order += 1
        for step, value in enumerate(values):
            events.append((step, order, (len(spans) - 1, [float(each) for each in np.ravel(value)])))
    events.sort(key=lambda event: event[:2])
    return {"spans": spans, "events": [(index, "", numbers) for *_, (index, numbers) in events]}


def _looks(rule: Rule, function: ast.FunctionDef, text: Text) -> Iterator[tuple[Spot, Expression, Span]]:
    """Yield where to look, in the order in which things are computed: what, and where it stands in the file."""
    tree, begin = rule.tree, ("line", 0) if rule.tree.body else RESULT
    for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
        yield (begin, 0), Name(argument.arg), _span_of(argument, "name")
    statements = [each for each in function.body if isinstance(each, ast.Assign | ast.AugAssign | ast.AnnAssign)]
    for i, line in enumerate(tree.body):
        yield from ((((("line", i), 0)), part, span) for part, span in _parts(line.value, text))
        if len(statements) == len(tree.body):
            target = getattr(statements[i], "target", None) or statements[i].targets[0]  # type: ignore[union-attr]
            if isinstance(target, ast.Name):
                yield (("line", i), 1), Name(target.id), _span_of(target, "target")
    yield from (((RESULT, 0), part, span) for part, span in _parts(tree.result, text))


def _parts(expression: Expression, text: Text) -> Iterator[tuple[Expression, Span]]:
    """Yield the parts of an expression that stand in the file, from the inside out."""
    if isinstance(expression, Operation):
        for argument in expression.arguments:
            yield from _parts(argument, text)
    place = expression.place
    if place is not None and place.line <= len(text.lines):
        line = text.lines[place.line - 1]
        start, end = (len(line[: column - 1].encode()) for column in (place.column, place.end_column))
        yield expression, (place.line, start, place.line, end, "expression")


def _span_of(node: ast.expr | ast.arg, kind: str) -> Span:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0, kind
