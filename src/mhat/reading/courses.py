"""What one coordinate goes through in a recording, cut into steps. It knows no framework: it sees tapes.

A number that a step reads and that came to be in an earlier step is carried: it will be a state. What depends on no
gradient and no knob is a number of the step.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

Span = tuple[str, int, int, int, int]
NONE, KNOBS, DATA = range(3)  # what a node depends on: numbers alone, knobs too, gradients or starts too
NUMBER, KNOB, GRADIENT, X, CARRIED, MADE, FOREIGN = "number", "knob", "g", "x", "carried", "made", "foreign"


class Tape(Protocol):
    """What a recording holds (see `mhat.subjects.recording.recorder.Recording`)."""

    ops: list[str]
    inputs: list[tuple[int, ...]]
    values: list[float]
    where: list[int]
    event: list[int]
    names: dict[int, Any]
    places: list[tuple[Span, ...]]
    marks: list[tuple[int, int]]
    branches: list[tuple[int, int, bool]]
    notes: list[str]
    clock: list[tuple[Span, ...]]
    outputs: list[list[int]]
    shapes: list[tuple[int, ...]]


class Unreadable(Exception):
    """What is recorded cannot be folded into a rule: why, and at which place."""

    def __init__(self, why: str, place: tuple[Span, ...] = ()) -> None:
        super().__init__(why)
        self.why, self.place = why, place


def dependences(tape: Tape) -> list[int]:
    """Say of every node what it depends on."""
    found: list[int] = []
    of_leaf = {"constant": NONE, "knob": KNOBS, "gradient": DATA, "start": DATA}
    for op, inputs in zip(tape.ops, tape.inputs, strict=True):
        found.append(max((found[i] for i in inputs), default=of_leaf.get(op, NONE)))
    return found


@dataclass(frozen=True)
class Course:
    """One coordinate of one tensor in one recording, with the knobs that it was made with."""

    tape: Tape
    tensor: int
    coordinate: int
    knobs: Mapping[str, float] = field(default_factory=dict)
    depends: list[int] = field(default_factory=list)

    @cached_property
    def sizes(self) -> list[int]:
        """How many coordinates each tensor has."""
        return [len(out) // shape[0] for out, shape in zip(self.tape.outputs, self.tape.shapes, strict=True)]

    @cached_property
    def steps(self) -> int:
        return self.tape.shapes[self.tensor][0]

    def seen(self, node: int) -> int:
        """See through what only rounds."""
        while self.tape.ops[node] == "cast":
            (node,) = self.tape.inputs[node]
        return node

    @cached_property
    def is_rounded(self) -> bool:
        """Whether numbers are rounded on the way."""
        return any(self.tape.ops[node] == "cast" for node in self.lane)

    @cached_property
    def results(self) -> list[int]:
        """The node of x after each step, behind a -1 for the start."""
        size = self.sizes[self.tensor]
        return [-1, *map(self.seen, self.tape.outputs[self.tensor][self.coordinate :: size])]

    @cached_property
    def lane(self) -> frozenset[int]:
        """All nodes that x after any step is made of."""
        size = self.sizes[self.tensor]
        seen, waiting = set[int](), self.tape.outputs[self.tensor][self.coordinate :: size]
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting += self.tape.inputs[node]
        return frozenset(seen)

    @cached_property
    def first_uses(self) -> list[int]:
        """The first node that is made of each step's gradient, where there is one."""
        first = [len(self.tape.ops)] * (self.steps + 2)
        for node in sorted(self.lane, reverse=True):
            for i in self.tape.inputs[node]:
                if self.tape.ops[i] == "gradient":
                    tensor, step, coordinate = self.tape.names[i]
                    if (tensor, coordinate) == (self.tensor, self.coordinate):
                        first[step] = node
        return first

    @cached_property
    def begins(self) -> list[int]:
        """The first node of each step; behind the last one where the tape ends."""
        found = [0]
        marks: dict[int, list[int]] = {}
        for position, step in self.tape.marks:
            marks.setdefault(step, []).append(position)
        for step in range(1, self.steps + 1):
            high = max(self.first_uses[step], found[-1])
            low = found[-1]
            if step > 1 and self.results[step - 1] < high:
                # What is given back may also be made of all steps together, at the end.
                low = max(low, self.results[step - 1] + 1)
            usable = [position for position in marks.get(step, []) if low <= position <= high]
            found.append(usable[-1] if usable else self._turn(low, high) if step > 1 else high)
        return [*found, len(self.tape.ops)]

    @cached_property
    def _start(self) -> float | None:
        """The number that x starts at, where it is told."""
        own = (self.tensor, self.coordinate)
        return next((self.tape.values[node] for node, name in self.tape.names.items()
                     if self.tape.ops[node] == "start" and name == own), None)  # fmt: skip

    def _turn(self, low: int, high: int) -> int:
        """Find where a loop begins anew between two nodes: where lines go up again."""
        line = 0
        for node in range(low, high):
            if self.tape.where[node] < 0 or node not in self.lane:
                continue
            spans = self.tape.places[self.tape.where[node]]
            if spans and spans[-1][1] < line:
                return node
            line = spans[-1][1] if spans else line
        return high if line == 0 else low

    def kind(self, step: int, node: int) -> str:
        """Say what a node is to a step that reads it."""
        op, depends = self.tape.ops[node], self.depends[node]
        if step > 1 and node == self.results[step - 1]:
            return X
        if op == "knob":
            return KNOB
        if op == "constant":
            return NUMBER
        if op == "start":
            own = self.tape.names[node] == (self.tensor, self.coordinate)
            return FOREIGN if not own else X if step == 1 else CARRIED
        if op == "gradient":
            tensor, of_step, coordinate = self.tape.names[node]
            if (tensor, coordinate) != (self.tensor, self.coordinate) or of_step > step:
                return FOREIGN
            return GRADIENT if of_step == step else CARRIED
        if node >= self.begins[step]:
            return MADE
        if node < self.begins[1]:
            if step == 1 and depends == DATA and self.tape.values[node] == self._start:
                return X
            return MADE if depends <= KNOBS or step == 1 else CARRIED
        return CARRIED

    def branches(self, step: int) -> dict[tuple[Any, int], tuple[int, bool]]:
        """Give the ways that a step went: by the place and how often it was passed, the node and the outcome."""
        # A way is taken behind the last node that there was.
        positions = [position - 1 for position, _, _ in self.tape.branches]
        low, high = (bisect.bisect_left(positions, self.begins[i]) for i in (step, step + 1))
        found: dict[tuple[Any, int], tuple[int, bool]] = {}
        for _, node, outcome in self.tape.branches[low:high]:
            where = self.tape.where[node]
            place = self.tape.places[where] if where >= 0 else ()
            times = sum(1 for key in found if key[0] == place)
            found[(place, times)] = (node, outcome)
        return found
