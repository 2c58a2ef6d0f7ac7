"""What each part of a rule is worth, step by step, in the run in which a file was watched. It knows no text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from mhat.language.tree import Assignment, Expression, Tree
from mhat.mending.sight import ALL, Course, numbers_of
from mhat.mistakes.slots import AFTER, BEFORE, FIRST, RESULT, Content, Slot, slots_of
from mhat.search.evaluator import SHAPE, Closures
from mhat.search.observed import Probes

# A place in a rule: a slot of the reference, and which line in it.
Spot = tuple[Slot, int]


def in_slots(reference: Tree, tree: Tree) -> dict[Slot, Content]:
    """Sort the lines of a changed rule into the slots of its reference."""
    slots = slots_of(reference)
    slots |= {("start", state.name): state.start for state in tree.states}
    slots[RESULT] = tree.result
    mine = [(line.targets, line.value) for line in reference.body]
    theirs = [(line.targets, line.value) for line in tree.body]
    for tag, i, j, k, end in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        lines = list(tree.body[k:end])
        for index in range(i, j):
            own = next((line for line in lines if line.targets == reference.body[index].targets), None)
            slots["line", index] = () if own is None else (own,)
            if own is not None:
                before = lines[: lines.index(own)]
                slots["line", index] = (*before, own)
                lines = lines[lines.index(own) + 1 :]
        if lines:
            _append(slots, reference, i, j, tuple(lines))
    return slots


def _append(slots: dict[Slot, Content], reference: Tree, i: int, j: int, lines: tuple[Assignment, ...]) -> None:
    slot: Slot = ("line", j - 1) if j else BEFORE
    held = slots[slot]
    slots[slot] = (*(held if isinstance(held, tuple) else ()), *lines)


def order_of(slots: Mapping[Slot, Content]) -> list[Slot]:
    """Give the slots that hold lines, in the order in which they run."""
    lines = sorted((slot for slot in slots if slot[0] == "line"), key=lambda slot: int(slot[1]))
    return [FIRST, BEFORE, *lines, AFTER]


class Courses:
    """A changed rule run on the gradients of one probe, with all that is known before each of its lines."""

    def __init__(self, tree: Tree, slots: Mapping[Slot, Content], probes: Probes, knobs: Mapping[str, Any]) -> None:
        self.slots = slots
        self.steps = probes.steps
        self.tensors, self.coordinates = probes.gradients.shape[2:]
        self._closure = Closures().of
        self._before: dict[Spot, list[dict[str, Any]]] = {}
        # Where the lines and the result stand, in the order in which they run.
        self.places: list[Spot] = [
            (slot, k)
            for slot in order_of(slots)
            for k in range(len(slots[slot]))  # type: ignore[arg-type]
        ]
        self.places.append((RESULT, 0))
        self.begin: dict[str, Any] = {}
        with np.errstate(all="ignore"):
            self._run(tree, probes, knobs)

    def _run(self, tree: Tree, probes: Probes, knobs: Mapping[str, Any]) -> None:
        known: dict[str, Any] = {knob.name: knob.default for knob in tree.knobs}
        known |= {**probes.knobs, **knobs}
        x = np.broadcast_to(probes.start[0], probes.gradients.shape[2:])
        # Of one probe: an array is (tensor, coordinate).
        gradients = probes.gradients[0]
        count = float(self.tensors)
        numbers = np.arange(1.0, self.tensors + 1)[:, None] if self.tensors > 1 else 1.0
        known |= {"x": x, "g": gradients[0], "t": 1.0, "k": numbers, "n": count, SHAPE: x.shape}
        for slot, start in self.slots.items():
            if slot[0] == "start" and not isinstance(start, tuple):
                known[str(slot[1])] = self._closure(start)(known)
        self.begin = dict(known)
        for i, g in enumerate(gradients):
            known |= {"t": i + 1.0, "g": g, "x": x}
            for slot in order_of(self.slots):
                held = self.slots[slot]
                lines = held if isinstance(held, tuple) else ()
                for k, line in enumerate(lines):
                    self._before.setdefault((slot, k), []).append(dict(known))
                    value = self._closure(line.value)(known)
                    known.update(zip(line.targets, value if len(line.targets) > 1 else [value], strict=True))
                self._before.setdefault((slot, len(lines)), []).append(dict(known))
            self._before.setdefault((RESULT, 0), []).append(dict(known))
            result = self.slots[RESULT]
            assert not isinstance(result, tuple)
            x = np.broadcast_to(self._closure(result)(known), x.shape)
            self._before.setdefault((RESULT, 1), []).append({**known, "x": x})

    def line(self, spot: Spot) -> tuple[Expression, str]:
        """Give what the line at a place computes, and the variable that it assigns."""
        held = self.slots[spot[0]]
        return (held[spot[1]].value, held[spot[1]].targets[0]) if isinstance(held, tuple) else (held, "x")

    def of(self, spot: Spot, expression: Expression) -> list[Any] | None:
        """Give what an expression is worth at each step where a line stands; None if it cannot be computed there."""
        found = self._before.get(spot) or self._before.get((spot[0], 0))
        if found is None:
            return None
        try:
            with np.errstate(all="ignore"):
                return [self._closure(expression)(known) for known in found]
        except (KeyError, ValueError, TypeError):
            return None

    def views(self, values: list[Any]) -> Iterator[tuple[tuple[int, int | None], Course]]:
        """Yield the ways in which code may see these values: a tensor at a time, or a coordinate."""
        scalar = all(np.ndim(value) < 2 for value in values)
        for tensor in range(1 if scalar else self.tensors):
            yield (tensor, None), [numbers_of(value, tensor, None) for value in values]
        if not scalar and self.tensors > 1:
            yield (ALL, None), [numbers_of(value, ALL, None) for value in values]
        if not scalar and self.coordinates > 1:
            for tensor in range(self.tensors):
                for c in range(self.coordinates):
                    yield (tensor, c), [numbers_of(value, tensor, c) for value in values]

    def seen_as(self, values: list[Any], view: tuple[int, int | None]) -> Course:
        """Give these values as code sees them that sees others in such a way."""
        return [numbers_of(value, *view) for value in values]
