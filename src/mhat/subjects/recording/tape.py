"""What a subject does, operation by operation, on single numbers: the tape. It knows no array and no framework.

Every number that is recorded is a node: an operation, the nodes it was made of, its value, and its place in the code.
Where a number has left what records (through `float`, a plain array, another framework), it is found again by its
value: gradients, starts and knobs of a recording are so odd that nothing else has the same bits.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from mhat.subjects.sandbox import is_users

CONSTANT, GRADIENT, START, KNOB = "constant", "gradient", "start", "knob"
GIVEN = frozenset({GRADIENT, START, KNOB})
LONGEST = 60_000  # nodes
DEPTH = 4  # frames of the user's code that a place names, the innermost first
# A place in the user's code: file, first line, last line, first column, last column.
Span = tuple[str, int, int, int, int]


class TooLong(Exception):
    """More happens than a recording of a few steps should hold."""


@dataclass
class Tape:
    """The nodes of one recording, in the order in which they came to be."""

    ops: list[str] = field(default_factory=list)
    inputs: list[tuple[int, ...]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    where: list[int] = field(default_factory=list)  # the number of the place, -1 for none
    event: list[int] = field(default_factory=list)  # the number of the operation that made it, of one element each
    names: dict[int, Any] = field(default_factory=dict)  # of gradients, starts and knobs: what they are
    places: list[tuple[Span, ...]] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)  # how many nodes there were when step t was taken up
    branches: list[tuple[int, int, bool]] = field(default_factory=list)  # how many nodes, of which node, how it went
    notes: list[str] = field(default_factory=list)
    clock: list[tuple[Span, ...]] = field(default_factory=list)  # where a clock is asked
    rounds: bool = False  # whether it is compiled otherwise, so that it may be rounded otherwise
    by_value: dict[float, int] = field(default_factory=dict)
    events: int = 0
    _numbers: dict[tuple[Span, ...], int] = field(default_factory=dict)
    _constants: dict[str, int] = field(default_factory=dict)

    def add(self, op: str, inputs: tuple[int, ...], value: float, place: int = -1) -> int:
        """Enter a node; give its number. Raises TooLong."""
        number = len(self.ops)
        if number >= LONGEST:
            raise TooLong
        if op == "div" and self._is_mean(*inputs):
            op, inputs = "mean", self.inputs[inputs[0]]
        self.ops.append(op)
        self.inputs.append(inputs)
        self.values.append(value)
        self.where.append(place)
        self.event.append(self.events)
        self.know_again(number, value)
        return number

    def _is_mean(self, total: int, count: int) -> bool:
        """Whether a sum is divided by how many there are."""
        many = len(self.inputs[total])
        return self.ops[total] == "sum" and many > 1 and self.ops[count] == CONSTANT and self.values[count] == many

    def know_again(self, number: int, value: float) -> None:
        """Let a node be known by its value; gradients, starts and knobs are what they are, whatever has their value."""
        known = self.by_value.get(value)
        if is_odd(value) and (known is None or self.ops[known] not in GIVEN):
            self.by_value[value] = number

    def enter(self, kind: str, value: float, name: Any) -> int:
        """Enter a gradient (tensor, step, coordinate), a start (tensor, coordinate) or a knob (its name)."""
        number = self.add(kind, (), value)
        self.names[number] = name
        return number

    def constant(self, value: float) -> int:
        """Give the node of a plain number."""
        key = value.hex()
        number = self._constants.get(key)
        if number is None:
            number = self._constants[key] = self.add(CONSTANT, (), value)
        return number

    def of_value(self, value: float) -> int:
        """Give the node that a number comes from, or that of a plain number."""
        known = None if value.hex() in self._constants else self.by_value.get(value)
        return self.constant(value) if known is None else known

    def checked(self, node: int, value: float) -> int:
        """Give a node if it has that value, else the one that has."""
        if node >= 0:
            own = self.values[node]
            if own == value or (own != own and value != value):
                return node
        return self.of_value(value)

    def begin_event(self) -> int:
        """Begin an operation on any number of elements; give its place."""
        self.events += 1
        place = place_of_caller()
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self.places)
            self.places.append(place)
        return number

    def take_up(self, node: int) -> None:
        """Note that a gradient is taken up, and so that its step has begun."""
        if node >= 0 and self.ops[node] == GRADIENT:
            step = self.names[node][1]
            if not self.marks or self.marks[-1][1] != step:
                self.marks.append((len(self.ops), step))

    def branch(self, node: int, outcome: bool) -> None:
        """Note that the way parts by a node."""
        self.branches.append((len(self.ops), node, outcome))

    def ask_clock(self) -> None:
        """Note where a clock is asked."""
        place = place_of_caller()
        if place not in self.clock:
            self.clock.append(place)

    def note(self, text: str) -> None:
        """Note once what could not be recorded."""
        if text not in self.notes:
            self.notes.append(text)


def is_odd(value: float) -> bool:
    """Whether a value has more digits than people write, so that equal bits mean the same number."""
    return value == value and abs(value) != math.inf and float(f"{value:.7g}") != value


class Current:
    """The tape that is being written, if there is one."""

    tape: Tape | None = None


@contextlib.contextmanager
def written(tape: Tape) -> Iterator[Tape]:
    """Let a tape be the one that is written."""
    before = Current.tape
    Current.tape = tape
    try:
        yield tape
    finally:
        Current.tape = before


_LISTED = ("torch/optim", "torch\\optim", "optax", "keras")
_own: dict[str, bool] = {}


def _is_shown(file: str) -> bool:
    """Whether a file is the user's, or of a library of optimizers."""
    known = _own.get(file)
    if known is None:
        known = _own[file] = is_users(file) or any(part in file for part in _LISTED)
    return known


_spans: dict[tuple[CodeType, int], Span] = {}


def place_of_caller() -> tuple[Span, ...]:
    """Give the places of the user's code that are being run, the innermost first."""
    found: list[Span] = []
    frame = sys._getframe(2)
    at: Any = frame
    while at is not None and len(found) < DEPTH:
        if _is_shown(at.f_code.co_filename):
            found.append(_span(at.f_code, at.f_lasti))
        elif found:
            break
        at = at.f_back
    return tuple(found)


def _span(code: CodeType, instruction: int) -> Span:
    known = _spans.get((code, instruction))
    if known is None:
        first = next(itertools.islice(code.co_positions(), instruction // 2, None), (None,) * 4)
        line, last, column, end = (0 if each is None else each for each in first)
        known = _spans[code, instruction] = (str(Path(code.co_filename)), line, last, column, end)
    return known


def flat(tree: Sequence[Any]) -> Iterator[Any]:
    """Go through the elements of nested lists."""
    for each in tree:
        if isinstance(each, list | tuple):
            yield from flat(each)
        else:
            yield each
