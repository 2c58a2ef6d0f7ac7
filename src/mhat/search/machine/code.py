"""Parts of rules as segments of code for the register machine. It knows no search and no observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mhat.language.tree import Expression, Name, Number
from mhat.language.walking import product_length
from mhat.mistakes.parts import ORDER, Anatomy, reference
from mhat.mistakes.slots import AFTER, BEFORE, FIRST, RESULT
from mhat.search.machine import instructions

Array = np.ndarray[Any, Any]
# Registers for what is between.
TEMPORARY = 48
OPCODES = {name: number for number, name in enumerate(instructions.OPERATIONS)}
REDUCTIONS = ("sum", "mean", "norm")
INPUTS = {"x": instructions.X, "g": instructions.G, "t": instructions.T, "k": instructions.K, "n": instructions.N}


class NotCodedError(Exception):
    """Something that the machine cannot run: a matrix, or a line with several targets."""


class Coder:
    """Writes what fills the parts of a rule as segments, each once; candidates are lists of segments."""

    def __init__(self, anatomy: Anatomy, knobs: Sequence[str]) -> None:
        self.knobs = list(knobs)
        self._first_temporary = 7
        self._registers: dict[str, int] = dict(INPUTS)
        self._next = self._first_temporary + TEMPORARY
        self._constants: dict[float, int] = {}
        self._rows: list[tuple[int, ...]] = []
        self._table = np.empty((0, 6), dtype=np.uint64)
        self._segments: list[tuple[int, int, bool]] = []
        self._known: dict[tuple[Any, int], tuple[Any, int]] = {}
        for knob in knobs:
            self._register(knob)
        parts: dict[Any, Any] = {**{("knob", knob): None for knob in knobs}, **anatomy.whole}
        self.places = {part: place for place, part in enumerate(parts)}
        self.places[ORDER] = len(parts)
        self._starts_end = sum(part[0] == "knob" or part[0][0] == "start" for part in parts)
        slots = [part[0] for part in parts]
        self._slots = {slot: number for number, slot in enumerate(dict.fromkeys(slots))}
        # The parts of one slot lie together.
        self._slot_begins = np.array([slots.index(slot) for slot in self._slots], dtype=np.int64)
        self._slot_ends = np.append(self._slot_begins[1:], len(slots))
        self._orders: dict[tuple[int, ...], int] = {}
        order = self.segment(ORDER, tuple(range(len(anatomy.tree.body))))
        self.base = np.array([*(self.segment(part, new) for part, new in parts.items()), order], dtype=np.int32)
        self.mixes = any(mixes for _, _, mixes in self._segments)

    def segment(self, part: Any, filling: Any) -> int:
        """Give the number of the segment for what fills a part, -1 for nothing; Raises NotCodedError."""
        if filling is None:
            return -1
        if part == ORDER:
            return self._order(filling)
        known = self._known.get((part, id(filling)))
        if known is not None:
            return known[1]
        begin = len(self._rows)
        try:
            mixes = self._write(part, filling)
        except NotCodedError:
            del self._rows[begin:]
            raise
        self._segments.append((begin, len(self._rows), mixes))
        # What fills it is kept so that its identity is not given to another one.
        self._known[part, id(filling)] = (filling, len(self._segments) - 1)
        return len(self._segments) - 1

    def _order(self, lines: tuple[int, ...]) -> int:
        """Give the number of the order in which the lines of the body run; the result comes last."""
        slots = (FIRST, BEFORE, *(("line", i) for i in lines), AFTER, RESULT)
        return self._orders.setdefault(tuple(self._slots[slot] for slot in slots), len(self._orders))

    def changes(self, many: Iterable[Mapping[Any, Any]]) -> instructions.Changes:
        """Write the changes of many candidates; Raises NotCodedError."""
        begins, places, segments = [0], [], []
        for changes in many:
            for part, filling in changes.items():
                places.append(self.places[part])
                segments.append(self.segment(part, filling))
            begins.append(len(places))
        return instructions.Changes(*(np.array(part, dtype=np.int32) for part in (begins, places, segments)))

    def can(self, changes: Mapping[Any, Any]) -> bool:
        """Whether the machine can run a candidate."""
        try:
            for part, filling in changes.items():
                self.segment(part, filling)
        except NotCodedError:
            return False
        return True

    def mixing(self, changes: Mapping[Any, Any]) -> bool:
        """Whether what some parts are filled with reduces over a tensor."""
        found = (self.segment(part, filling) for part, filling in changes.items() if part != ORDER)
        return any(self._segments[segment][2] for segment in found if segment >= 0)

    def code(self, width: int) -> instructions.Code:
        """Give all segments written so far, for registers of so many lanes."""
        taken = set(self._constants.values()) | {self._registers[knob] for knob in self.knobs} | set(INPUTS.values())
        named = {register for name, register in self._registers.items() if not name.startswith("@")}
        variables = sorted(named - taken)
        segments = np.array(self._segments, dtype=np.int32).reshape(-1, 3)
        return instructions.Code(
            self._instructions(width),
            np.ascontiguousarray(segments[:, 0]),
            np.ascontiguousarray(segments[:, 1]),
            np.array(list(self._constants), dtype=np.float64),
            np.array(list(self._constants.values()), dtype=np.int32),
            np.array([self._registers[knob] for knob in self.knobs], dtype=np.int32),
            np.array([instructions.RESULT, *variables], dtype=np.int32),
            self._next,
            self._starts_end,
            self._slot_begins,
            self._slot_ends,
            np.array(list(self._orders), dtype=np.int64),
            segments[:, 2].astype(np.bool_),
        )

    def _instructions(self, width: int) -> Array:
        """Give the rows (operation, uniform, to, a, b, c), registers as places in their array."""
        new = np.array(self._rows[len(self._table) :], dtype=np.uint64).reshape(-1, 6)
        self._table = np.concatenate([self._table, new])
        rows = self._table.copy()
        rows[:, 2:] *= np.uint64(width)
        return rows

    def longest(self, *sides: instructions.Changes) -> int:
        """Bound how many instructions a step has in any candidate joined from one of each side."""
        lengths = np.array([end - begin for begin, end, _ in self._segments], dtype=np.int64)
        own = self.base[:-1]
        total = int(lengths[own[own >= 0]].sum())
        for changes in sides:
            fills = (changes.segments >= 0) & (changes.places != self.places[ORDER])
            added = np.zeros(len(fills) + 1, dtype=np.int64)
            np.cumsum(np.where(fills, lengths[np.where(fills, changes.segments, 0)], 0), out=added[1:])
            total += int(np.diff(added[changes.begins]).max(initial=0))
        return total

    def observed(self, observe: str) -> int:
        """Give the register of what is observed."""
        if observe == "x":
            return instructions.RESULT
        return instructions.OBSERVED if observe == "update" else self._register(observe)

    def _register(self, name: str) -> int:
        if name not in self._registers:
            self._registers[name] = self._next
            self._next += 1
        return self._registers[name]

    def _constant(self, value: float) -> int:
        if value not in self._constants:
            self._constants[value] = self._next
            self._next += 1
        return self._constants[value]

    def _write(self, part: Any, filling: Any) -> bool:
        """Write what fills a part and say whether it reduces over a tensor."""
        if part[0] == "knob":
            self._emit("move", self._register(part[1]), [(self._constant(float(filling)), False)])
            return False
        slot, path, kind = part
        if kind != "store":
            return self._stored(filling, self._register(reference(slot, path).id))
        if not isinstance(filling, tuple):
            return self._stored(filling, instructions.RESULT if slot == RESULT else self._register(str(slot[1])))
        mixes = False
        for line in filling:
            if len(line.targets) != 1 or line.targets[0] in (*self.knobs, "t", "k", "n"):
                raise NotCodedError
            mixes |= self._stored(line.value, self._register(line.targets[0]))
        return mixes

    def _stored(self, node: Expression, to: int) -> bool:
        begin = len(self._rows)
        register, varies = self._value(node, 0)
        if len(self._rows) > begin and self._rows[-1][2] == register:
            # The last operation can leave its result where it is wanted.
            self._rows[-1] = (*self._rows[-1][:2], to, *self._rows[-1][3:])
        else:
            self._emit("move", to, [(register, varies)])
        return any(row[0] >= instructions.SUM for row in self._rows[begin:])

    def _value(self, node: Expression, depth: int) -> tuple[int, bool]:
        """Write an expression; give the register that holds it, and whether it varies from lane to lane."""
        if isinstance(node, Number):
            return self._constant(node.value), False
        if isinstance(node, Name):
            return self._register(node.id), node.id not in (*self.knobs, "t", "n")
        if depth + 4 > TEMPORARY:
            raise NotCodedError
        to = self._first_temporary + depth
        length = product_length(node)
        if length is not None:
            base = self._value(node.arguments[0], depth + 1)
            self._emit("mul", to, [base, base])
            for _ in range(length - 2):
                self._emit("mul", to, [(to, base[1]), base])
            return to, base[1]
        op = f"{node.op} all" if node.over == "all" else node.op
        if op not in OPCODES:
            raise NotCodedError
        operands = [self._value(argument, depth + 1 + i) for i, argument in enumerate(node.arguments)]
        self._emit(op, to, operands)
        return to, node.op in REDUCTIONS or any(varies for _, varies in operands)

    def _emit(self, op: str, to: int, operands: list[tuple[int, bool]]) -> None:
        registers = [register for register, _ in operands + [operands[0]] * (3 - len(operands))]
        uniform = not any(varies for _, varies in operands)
        self._rows.append((OPCODES[op], int(uniform), to, *registers))
