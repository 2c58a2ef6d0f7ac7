"""The user's file beside what each of its expressions was worth while some steps ran. It knows no rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mhat.mending.texts import Text

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
Numbers = tuple[float, ...]
# What is wanted of an expression at each step: a number, or the numbers of a tensor.
Course = Sequence[Numbers]
# In the place of the number of a tensor: all of them at once.
ALL = -1


@dataclass(frozen=True)
class Event:
    """What an expression was worth at one moment."""

    time: int
    numbers: Numbers


@dataclass(eq=False)
class Seen:
    """An expression, a target or an argument of the file, and what it was worth each time."""

    node: Any
    kind: str
    text: str
    part: str
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True)
class Home:
    """Where a node stands: its statement, the functions around it from the inside out, and its class."""

    statement: ast.stmt | None
    functions: tuple[ast.AST, ...]
    owner: ast.ClassDef | None


class Sight:
    """What is known of the file: its statements, and what was seen of its expressions."""

    def __init__(self, text: Text, data: Mapping[str, Any], tolerance: float) -> None:
        self.text = text
        self.tolerance = tolerance
        self.parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(text.tree):
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
        self._homes: dict[ast.AST, Home] = {}
        self.seen = self._gathered(data)
        self.named = self._by_text()

    def _gathered(self, data: Mapping[str, Any]) -> list[Seen]:
        places: dict[tuple[int, ...], ast.AST] = {}
        for node in ast.walk(self.text.tree):
            if isinstance(node, ast.expr | ast.arg) and not isinstance(node, ast.Starred):
                place = (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
                places[place] = node
        double = self.text.content.count('"') > self.text.content.count("'")
        spans, found = data["spans"], dict[tuple[ast.AST, str, str], Seen]()
        for time, (index, part, numbers) in enumerate(data["events"]):
            *place, kind = spans[index]
            if tuple(place) not in places:
                continue
            node = places[tuple(place)]
            part = part.replace("'", '"') if double else part
            kind = kind if kind in ("target", "held") else "expression"
            if (node, kind, part) not in found:
                text = node.arg if isinstance(node, ast.arg) else self.text.of(node)  # type: ignore[arg-type]
                found[node, kind, part] = Seen(node, kind, text + part, part)
            found[node, kind, part].events.append(Event(time, tuple(numbers)))
        return list(found.values())

    def _by_text(self) -> dict[str, list[tuple[Event, Seen]]]:
        """Give what may be written to ask for a number, and what it gave, in the order of time."""
        named: dict[str, list[tuple[Event, Seen]]] = {}
        for seen in self.seen:
            for text in self._asked_for_by(seen):
                named.setdefault(text, []).extend((event, seen) for event in seen.events)
        for found in named.values():
            found.sort(key=lambda pair: pair[0].time)
        return named

    def _asked_for_by(self, seen: Seen) -> Iterator[str]:
        node = seen.node
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.arg):
            yield seen.text
        elif isinstance(node, ast.Call) and not seen.part:
            target = changed_in_place(node)
            if target is not None:
                yield self.text.of(target)

    def home(self, node: ast.AST) -> Home:
        """Say where a node stands."""
        if node not in self._homes:
            statement, functions, owner = None, list[ast.AST](), None
            current: ast.AST | None = node
            while current is not None:
                if statement is None and isinstance(current, ast.stmt):
                    statement = current
                if isinstance(current, FUNCTIONS) and current is not node:
                    functions.append(current)
                if owner is None and isinstance(current, ast.ClassDef):
                    owner = current
                current = self.parents.get(current)
            self._homes[node] = Home(statement, tuple(functions), owner)
        return self._homes[node]

    def same(self, got: Numbers, wanted: Numbers) -> bool:
        """Whether two are the same numbers to rounding; a number fits an array of nothing but it."""
        if len(got) != len(wanted):
            if len(wanted) != 1 or not got:
                return False
            wanted = wanted * len(got)
        return all(
            a == b or abs(a - b) <= self.tolerance * max(abs(a), abs(b)) for a, b in zip(got, wanted, strict=True)
        )

    def times(self, seen: Seen, course: Course) -> list[int] | None:
        """Say when an expression was worth what is wanted at each step, one after the other; None if it was not."""
        found: list[int] = []
        events = iter(seen.events)
        for wanted in course:
            event = next((event for event in events if self.same(event.numbers, wanted)), None)
            if event is None:
                return None
            found.append(event.time)
        return found

    def holding(self, course: Course, times: Sequence[int], at: ast.AST) -> list[str]:
        """List what may be written at a place to get what is wanted at each of some moments, the plainest first."""
        home = self.home(at)
        fitting = []
        for text, events in self.named.items():
            near = [(event, seen) for event, seen in events if self._is_visible(seen, home)]
            if near and self._gives(near, course, times):
                same_statement = any(self.home(seen.node).statement is home.statement for _, seen in near)
                same_function = any(self.home(seen.node).functions[:1] == home.functions[:1] for _, seen in near)
                is_written = any(not seen.part for _, seen in near)
                fitting.append((not same_statement, not is_written, not same_function, len(text), text))
        return [text for *_, text in sorted(fitting)]

    def _gives(self, near: Sequence[tuple[Event, Seen]], course: Course, times: Sequence[int]) -> bool:
        position, last = 0, None
        for wanted, time in zip(course, times, strict=True):
            while position < len(near) and near[position][0].time <= time:
                last = near[position][0]
                position += 1
            if last is None or not self.same(last.numbers, wanted):
                return False
        return True

    def _is_visible(self, seen: Seen, home: Home) -> bool:
        there = self.home(seen.node)
        if isinstance(seen.node, ast.arg):
            there = Home(None, self._of_argument(seen.node), there.owner)
        if not there.functions or set(there.functions) <= set(home.functions):
            return True
        root = seen.text.partition(".")[0]
        return root == "self" and there.owner is home.owner and there.owner is not None

    def _of_argument(self, argument: ast.arg) -> tuple[ast.AST, ...]:
        given = self.parents[argument]
        function = self.parents[given]
        return (function, *self.home(function).functions)

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """All statements in which something was seen, in the order of the text."""
        found = {home.statement for seen in self.seen if (home := self.home(seen.node)).statement is not None}
        return sorted((each for each in found if each is not None), key=lambda each: each.lineno)

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """Give the block that a statement stands in."""
        for name in ("body", "orelse", "finalbody"):
            block = getattr(self.parents[statement], name, [])
            if isinstance(block, list) and statement in block:
                return list(block)
        return [statement]


def changed_in_place(call: ast.Call) -> ast.expr | None:
    """Give what a call changes in place and hands on: the tensor of `m.mul_(a).add_(b)`, or what `out=` names."""
    out = next((word.value for word in call.keywords if word.arg == "out"), None)
    if out is not None:
        return out
    function, innermost = call.func, None
    while isinstance(function, ast.Attribute) and function.attr.endswith("_") and not function.attr.startswith("_"):
        innermost = function.value
        if not isinstance(innermost, ast.Call):
            break
        function = innermost.func
    return None if isinstance(innermost, ast.Call) else innermost


def numbers_of(value: Any, tensor: int, coordinate: int | None) -> Numbers:
    """Give of what a rule computes, a number or an array (tensor, coordinate), what one tensor or coordinate has."""
    if np.ndim(value) < 2:
        return (float(np.ravel(value)[0]),)
    array = np.asarray(value)
    if tensor == ALL:
        return tuple(map(float, array.flat))
    row = array[min(tensor, len(array) - 1)]
    if coordinate is None:
        return tuple(map(float, row))
    return (float(row[min(coordinate, len(row) - 1)]),)
