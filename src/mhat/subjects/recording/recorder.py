"""Run a subject so that what it does is written on a tape. It knows no rule and no kind of subject.

Gradients, starts and knobs are handed over as arrays and numbers that record; what the subject does with them, and what
it gives back, is on the tape. Its bits must be those of a run that is not recorded: else nothing is read of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from mhat.subjects.recording import clocks, functions, jax, literals, torch
from mhat.subjects.recording.arrays import given, ids_of, plain_array, plain_asarray
from mhat.subjects.recording.numbers import bare, wrapped
from mhat.subjects.recording.tape import GRADIENT, KNOB, START, Span, Tape, TooLong, written
from mhat.subjects.subject import Array, Subject

Drive = Callable[[list[Array], list[Array], dict[str, float]], list[Array]]


@dataclass(frozen=True)
class Recording:
    """What a subject did in some steps, as plain data.

    Nodes are numbered in their order. `outputs`: for each tensor, the node of each number that it gave back, those of
    shape (T, *shape) flattened; `shapes` has their shapes.
    """

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
    rounds: bool
    outputs: list[list[int]]
    shapes: list[tuple[int, ...]]
    parameters: list[list[float]]

    def as_data(self) -> dict[str, Any]:
        """Write it so that JSON can carry it."""
        return {**asdict(self), "names": list(self.names.items())}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Recording:
        """Read what `as_data` has written; raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            ops=list(map(str, data["ops"])),
            inputs=[tuple(map(int, each)) for each in data["inputs"]],
            values=[float(each) for each in data["values"]],
            where=list(map(int, data["where"])),
            event=list(map(int, data["event"])),
            names={int(node): tuple(name) if isinstance(name, list) else str(name) for node, name in data["names"]},
            places=[_spans(each) for each in data["places"]],
            marks=[(int(a), int(b)) for a, b in data["marks"]],
            branches=[(int(a), int(b), bool(c)) for a, b, c in data["branches"]],
            notes=list(map(str, data["notes"])),
            clock=[_spans(each) for each in data["clock"]],
            rounds=bool(data["rounds"]),
            outputs=[list(map(int, each)) for each in data["outputs"]],
            shapes=[tuple(map(int, each)) for each in data["shapes"]],
            parameters=[list(map(float, each)) for each in data["parameters"]],
        )


def _spans(place: Any) -> tuple[Span, ...]:
    return tuple((str(s[0]), *map(int, s[1:])) for s in place)  # type: ignore[misc]


def record(drive: Drive, gradients: Sequence[Array], starts: Sequence[Array], knobs: Mapping[str, float]) -> Recording:
    """Drive a subject once and record it; raises what driving it raises."""
    tape = Tape()
    streams = [_entered(tape, GRADIENT, g, k) for k, g in enumerate(gradients)]
    begins = [_entered(tape, START, s, k) for k, s in enumerate(starts)]
    told = {name: wrapped(float(value), tape.enter(KNOB, float(value), name)) for name, value in knobs.items()}
    with ExitStack() as stack:
        stack.enter_context(written(tape))
        stack.enter_context(torch.recorded(tape))
        stack.enter_context(jax.recorded(tape))
        stack.enter_context(functions.in_place())
        stack.enter_context(literals.recording(drive))
        stack.enter_context(clocks.moved(tape))
        try:
            answered = drive(streams, begins, told)
        except TooLong:
            tape.note("too much happens in a few steps to be recorded")
            answered = []
        outputs = [ids_of(each).ravel().tolist() for each in answered]
    plain = [plain_asarray(each).view(np.ndarray) for each in answered]
    return Recording(
        tape.ops, tape.inputs, [float(bare(value)) for value in tape.values], tape.where, tape.event, tape.names,
        tape.places, tape.marks, tape.branches, tape.notes, tape.clock, tape.rounds, outputs,
        [each.shape for each in plain], [each.ravel().tolist() for each in plain],
    )  # fmt: skip


def _entered(tape: Tape, kind: str, array: Array, tensor: int) -> Any:
    """Enter the numbers of an array: for gradients (tensor, step, coordinate), for a start (tensor, coordinate)."""
    plain = plain_array(array, dtype=np.float64)
    numbers = plain.ravel().tolist()
    size = max(len(numbers) // len(plain), 1) if kind == GRADIENT else 1
    nodes = [
        tape.enter(kind, value, (tensor, i // size + 1, i % size) if kind == GRADIENT else (tensor, i))
        for i, value in enumerate(numbers)
    ]
    return given(plain, nodes)


def recordable(subject: Subject) -> Subject:
    """Let a subject that runs in this process be recorded."""
    return replace(subject, record=partial(record, subject.drive))
