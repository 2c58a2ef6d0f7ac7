"""What stands for what: the parts of a fold, each once, with what decides a branch and what a number is.

It writes no text and names nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.language.tree import Expression
from mhat.reading.conditions import condition_of
from mhat.reading.courses import Unreadable
from mhat.reading.merging import BRANCH, OP, STATE, Index, Merge, Part
from mhat.reading.sequences import Surroundings, fitted, shortened

FOREIGN_NUMBERS = (
    "numbers that the gradients decide come from where nothing is recorded: compiled code, a buffer of its own, a file"
)
PATIENCE = 4.0  # seconds of the processor in which numbers are looked for among products of two terms


@dataclass
class Standing:
    """The parts of one merge; `close`: how near numbers come to what they are made of."""

    merge: Merge
    close: float = 4e-12
    _canonical: dict[int, Part] = field(default_factory=dict)
    _alike: dict[tuple[Any, ...], Part] = field(default_factory=dict)
    _numbers: dict[tuple[Any, ...], Expression | None] = field(default_factory=dict)
    _spent: float = 0.0
    _conditions: dict[int, list[tuple[Part | None, Expression | None, bool]]] = field(default_factory=dict)

    def clear(self) -> None:
        """Begin anew: with new parts others may stand for more."""
        self._canonical.clear()
        self._alike.clear()

    def of(self, part: Part | None) -> Part:
        """Give the part that stands for a part: the widest that has the same nodes."""
        assert part is not None
        known = self._canonical.get(id(part))
        if known is None and part.kind == "number":
            # One number may stand at many places.
            known = self._canonical[id(part)] = self._alike.setdefault(self._key(part), part)
        if known is None:
            index, node = next(iter(part.nodes.items()))
            like = [
                p
                for p in self.merge.parts_with(index, node)
                if (p.kind, p.op, p.over) == (part.kind, part.op, part.over) and part.nodes.items() <= p.nodes.items()
            ]
            known = max([part, *like], key=lambda p: len(p.nodes))
            self._canonical[id(part)] = known
            known = self._canonical[id(part)] = self._alike.setdefault(self._key(known), known)
        return known

    def _key(self, part: Part) -> tuple[Any, ...]:
        """Say what a part is, so that two that do the same in different steps are one."""
        if part.kind == "number":
            values = set(part.values.values())
            if len(values) == 1:
                return "number", values.pop()
            try:
                return "number", self.number(part)
            except Unreadable:
                return (id(part),)
        if part.kind == STATE:
            return STATE, id(part.state)
        if part.kind in ("x", "g", "knob"):
            return part.kind, part.op
        if part.kind == OP:
            return OP, part.op, part.over, *(id(self.of(each)) for each in part.parts)
        return (id(part),)

    def inner(self, part: Part) -> list[Part]:
        """Give the parts that a part is made of, conditions too."""
        inner = [self.of(each) for each in part.parts]
        if part.kind == BRANCH:
            inner += [self.of(asked) for asked, _, _ in self.asked(part) if asked is not None]
        return inner

    def asked(self, part: Part) -> list[tuple[Part | None, Expression | None, bool]]:
        known = self._conditions.get(id(part))
        if known is None:
            known = self._conditions[id(part)] = []
            for i, case in enumerate(part.cases[:-1]):
                others = frozenset(index for later in part.cases[i + 1 :] for index in later)
                found = condition_of(self.merge, case, others, part.place)
                known.append((found.asked, found.written, found.denied))
        return known

    def is_small(self, part: Part) -> bool:
        """Whether a part is written anew wherever it is needed: a few operations on knobs, `t` and numbers."""
        return self.size(part) <= 4

    def size(self, part: Part) -> int:
        """Count the operations of a part on knobs, `t` and numbers; many if it is made of anything else."""
        if part.kind in ("number", "knob"):
            return 0
        return 1 + sum(map(self.size, self.inner(part))) if part.kind == OP else 100

    def is_knob_alone(self, part: Part) -> bool:
        """Whether a part is made of knobs and plain numbers that never change."""
        if part.kind == "number":
            return len(set(part.values.values())) == 1
        return part.kind == "knob" or (part.kind == OP and all(map(self.is_knob_alone, self.inner(part))))

    def number(self, part: Part) -> Expression:
        """Write a number: as it is, or as what it is in every step; raises Unreadable."""
        key = tuple(sorted(part.values.items()))
        if key not in self._numbers:
            indices = [index for index, _ in key]
            values = np.array([value for _, value in key])
            begun = time.process_time()
            self._numbers[key] = fitted(values, self._surround(indices))
            self._spent += time.process_time() - begun
        found = self._numbers[key]
        if found is None:
            shown = ", ".join(f"{value:.6g}" for _, value in key[:4])
            if self._is_foreign(part):
                raise Unreadable(f"{FOREIGN_NUMBERS}: {shown} ...", part.place)
            raise Unreadable(f"what depends on the step alone is not recognised: {shown} ...", part.place)
        return found

    def _is_foreign(self, part: Part) -> bool:
        """Whether numbers that were made nowhere on the tape are others where the gradients are others."""
        tensors = [course.tensor for course in self.merge.courses]
        seen: dict[tuple[int, int], set[float]] = {}
        for (c, t), node in part.nodes.items():
            course = self.merge.courses[c]
            if course.tape.ops[node] != "constant":
                return False
            seen.setdefault((tensors[c], t), set()).add(course.tape.values[node])
        return any(len(values) > 1 for values in seen.values())

    def _surround(self, indices: list[Index]) -> Surroundings:
        courses = self.merge.courses
        t = np.array([float(index[1]) for index in indices])
        k = np.array([float(courses[index[0]].tensor + 1) for index in indices])
        names = {name for course in courses for name in course.knobs}
        knobs = {n: np.array([courses[i[0]].knobs.get(n, np.nan) for i in indices]) for n in sorted(names)}
        return Surroundings(t, k, knobs, self._bases(), self.close, self._spent < PATIENCE)

    def _bases(self) -> tuple[float, ...]:
        """Give the shares of one that occur as numbers, which powers may have as their base."""
        found = dict.fromkeys(self.merge.bases)
        for part in self.merge.all_parts():
            if part.kind == "number" and len(set(part.values.values())) == 1:
                value = next(iter(part.values.values()))
                for share in (value, 1.0 - value):
                    short = shortened(share, 8) if self.close < 1e-9 else float(f"{share:.6g}")
                    if short is not None and 0.0 < short < 1.0:
                        found[short] = None
        return tuple(found)
