"""Parts of rules as segments of code for the register machine, and observations as its lanes. It knows no search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mhat.language.tree import Expression, Name, Number
from mhat.language.walking import product_length
from mhat.mistakes.parts import ORDER, Anatomy, reference
from mhat.mistakes.slots import AFTER, BEFORE, FIRST, RESULT
from mhat.search.machine import instructions
from mhat.search.matching import Matcher, update_scale
from mhat.search.observed import Probes

Array = np.ndarray[Any, Any]
# How many lanes are run together: few, since most candidates fail on the first ones.
LANES = int(instructions.BLOCK)
# From which gradient on a usual eps is less than the bound for comparing without it, relative to the update.
LARGE, WITHOUT_EPS = 1e3, 1e-6
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
        self._segments: list[tuple[int, int, bool]] = []
        self._known: dict[tuple[Any, int], tuple[Any, int]] = {}
        for knob in knobs:
            self._register(knob)
        parts: dict[Any, Any] = {**{("knob", knob): None for knob in knobs}, **anatomy.whole}
        self.places = {part: place for place, part in enumerate(parts)}
        self.places[ORDER] = len(parts)
        self._starts_end = sum(part[0] == "knob" or part[0][0] == "start" for part in parts)
        self._lines = len(anatomy.tree.body)
        self._orders: list[list[int]] = []
        order = self.segment(ORDER, tuple(range(self._lines)))
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
        slots = [FIRST, BEFORE, *(("line", i) for i in lines), AFTER, RESULT]
        order = [place for slot in slots for part, place in self.places.items() if part[0] == slot]
        if order not in self._orders:
            self._orders.append(order)
        return self._orders.index(order)

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
            np.arange(self._starts_end),
            np.array(self._orders, dtype=np.int64),
            segments[:, 2].astype(np.bool_),
        )

    def _instructions(self, width: int) -> Array:
        """Give the rows (operation, uniform, to, a, b, c), registers as places in their array."""
        rows = np.array(self._rows, dtype=np.uint64).reshape(-1, 6)
        rows[:, 2:] *= np.uint64(width)
        return rows

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


def seen_by(matcher: Matcher, coder: Coder, defaults: Mapping[str, float]) -> instructions.Seen:
    """Lay out what a matcher compares with as lanes."""
    observed = matcher.observed
    probes = observed.probes
    count, steps, tensors, coordinates = probes.gradients.shape
    lanes = tensors * coordinates
    shape, shape_bound = matcher.shape

    def by_lane(array: Array) -> Array:
        return _own(np.broadcast_to(array, (steps, count, tensors, coordinates)).reshape(steps, -1))

    def flat(array: Any) -> Array:
        return _own(np.broadcast_to(array, (count, tensors, coordinates)).reshape(-1))

    begins = np.arange(count) * lanes
    probe, first, last = _chunks([(p, p * lanes, (p + 1) * lanes) for p in range(count)])
    return instructions.Seen(
        by_lane(np.moveaxis(probes.gradients, 1, 0)),
        flat(probes.start),
        flat(probes.base),
        by_lane(observed.values),
        by_lane(matcher.bound),
        by_lane(shape),
        by_lane(shape_bound),
        flat(np.arange(1.0, tensors + 1)[None, :, None]),
        np.zeros(count * lanes, dtype=np.int64),
        knob_table(probes, coder.knobs, defaults),
        probe,
        first,
        last,
        begins,
        begins + lanes,
        coordinates,
        float(tensors),
        coder.observed(probes.observe),
        -(-lanes // LANES) * LANES,
    )


def _own(array: Any) -> Array:
    """Copy numbers: what others may not write to is another type to the compiler, and is compiled for anew."""
    return np.array(array, dtype=np.float64, order="C")


def _chunks(runs: list[tuple[int, int, int]]) -> tuple[Array, Array, Array]:
    """Cut runs of lanes (probe, begin, end) into chunks, the first chunks of all runs first."""
    longest = max(end - begin for _, begin, end in runs)
    chunks = [
        (probe, begin + i, min(begin + i + LANES, end))
        for i in range(0, longest, LANES)
        for probe, begin, end in runs
        if begin + i < end
    ]
    probe, first, last = (np.array(part, dtype=np.int64) for part in zip(*chunks, strict=True))
    return probe, first, last


def seen_without_eps(matcher: Matcher, seen: instructions.Seen) -> instructions.Seen | None:
    """Keep the lanes with gradients so large that no usual eps shows, with a wider bound; None if there are few."""
    kept = _huge(seen)
    if len(kept) < LANES // 2:
        return None
    of_probe = kept // (len(seen.start) // len(seen.knobs))
    runs = []
    for probe in np.unique(of_probe):
        own = np.flatnonzero(of_probe == probe)
        runs.append((int(probe), int(own[0]), int(own[-1]) + 1))
    chosen = _chosen(seen, kept, *_chunks(runs))
    scale = update_scale(matcher.observed.values, matcher.observed.probes.base).reshape(len(seen.values), -1)
    bound = np.maximum(WITHOUT_EPS * scale[:, kept], 10 * chosen.bound)
    return chosen._replace(bound=np.ascontiguousarray(bound))


def seen_but_for_squares(seen: instructions.Seen, mixes: bool) -> instructions.Seen | None:
    """Keep pairs of lanes whose gradients differ in signs alone: their ratio shows nothing that is made of squares."""
    pairs = []
    for group in _by_tensor(seen, np.arange(len(seen.start))):
        size = np.abs(seen.gradients[:, group])
        free = [i for i in range(len(group)) if size[:, i].any()]
        while free:
            i = free.pop(0)
            for j in free:
                if np.array_equal(size[:, i], size[:, j]):
                    pairs.append((group[i], group[j]))
                    free.remove(j)
                    break
    return _in_ratio(seen, [list(pair) for pair in pairs], mixes)


def seen_but_for_time(seen: instructions.Seen, mixes: bool) -> instructions.Seen | None:
    """Keep huge lanes beside the first of their tensor: their ratios show nothing that time and knobs alone make."""
    return _in_ratio(seen, [list(group) for group in _by_tensor(seen, _huge(seen)) if len(group) > 1], mixes)


def _huge(seen: instructions.Seen) -> Array:
    """List the lanes with gradients next to which no usual eps shows."""
    size = np.abs(seen.gradients)
    largest, smallest = size.max(axis=0), np.where(size == 0, np.inf, size).min(axis=0)
    return np.flatnonzero((largest >= LARGE) & (smallest >= LARGE / 1000))


def _by_tensor(seen: instructions.Seen, lanes: Array) -> list[Array]:
    return [lanes[lanes // seen.coordinates == i] for i in np.unique(lanes // seen.coordinates)]


def _in_ratio(seen: instructions.Seen, groups: list[list[int]], mixes: bool) -> instructions.Seen | None:
    """Lay out lanes so that each of a group, but the first, is compared in its ratio to the first.

    `mixes`: the rule reduces over tensors, so that all lanes of a probe must be there.
    """
    if not groups:
        return None
    per_probe = len(seen.start) // len(seen.knobs)
    if mixes:
        partner = np.zeros(len(seen.start), dtype=np.int64)
        for group in groups:
            partner[group] = group[0] - np.array(group)
        probe = np.unique([group[0] // per_probe for group in groups])
        first, last = probe * per_probe, (probe + 1) * per_probe
        chosen = seen._replace(probe_of_chunk=probe, chunk_begins=first, chunk_ends=last)
    else:
        groups = [group[:LANES] for group in groups]
        sizes = np.array([len(group) for group in groups])
        partner = np.concatenate([-np.arange(size) for size in sizes])
        probe, last = np.array([group[0] // per_probe for group in groups]), np.cumsum(sizes)
        chosen = _chosen(seen, np.concatenate(groups), probe, last - sizes, last)
    moves = chosen.values
    if seen.observed == instructions.RESULT:
        # What has gone to infinity moves by no number from there on.
        with np.errstate(all="ignore"):
            moves = np.diff(chosen.values, axis=0, prepend=chosen.base[None])
        chosen = chosen._replace(observed=instructions.OBSERVED)
    return chosen._replace(values=np.ascontiguousarray(moves), partner=partner)


def _chosen(seen: instructions.Seen, lanes: Array, probe: Array, first: Array, last: Array) -> instructions.Seen:
    """Keep some lanes. Without whole tensors nothing can be reduced: candidates that do are left out."""
    by_lane: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(seen, name)[..., lanes])
        for name in ("gradients", "start", "base", "values", "bound", "shape", "shape_bound", "tensor", "partner")
    }
    none = np.empty(0, dtype=np.int64)
    return seen._replace(
        **by_lane, probe_of_chunk=probe, chunk_begins=first, chunk_ends=last, probe_begins=none, probe_ends=none
    )


def knob_table(probes: Probes, knobs: Sequence[str], defaults: Mapping[str, float]) -> Array:
    """Give the knobs of each probe, (probe, knob)."""
    count = len(probes.gradients)
    rows = [np.broadcast_to(np.ravel(probes.knobs.get(knob, defaults[knob])), (count,)) for knob in knobs]
    return np.ascontiguousarray(np.array(rows, dtype=np.float64).reshape(len(knobs), count).T)
