"""From parts to a rule: which are lines of their own, what they are called, and in which order they stand.

It sees no tape and no framework.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.language.tree import Assignment, Expression, Knob, Name, Number, Operation, State, Tree, is_taken
from mhat.language.vocabulary import VOCABULARY
from mhat.language.walking import names_in
from mhat.ops.table import OPERATIONS
from mhat.reading.conditions import condition_of
from mhat.reading.courses import Span, Unreadable
from mhat.reading.merging import BRANCH, OP, STATE, Carried, Index, Merge, Part
from mhat.reading.sequences import Surroundings, fitted, op, shortened
from mhat.reading.spellings import spelled
from mhat.reading.tidying import tidied

INPUTS = ("x", "g", "t", "k", "n")
# What is used twice and has no name of the user's.
UNNAMED = {"norm": "length", "sum": "total", "mean": "average", "sqrt": "root", "abs": "size", "div": "share"}


@dataclass
class Writer:
    """Writes the parts of one merge."""

    merge: Merge
    result: Part
    close: float = 4e-12  # how near numbers come to what they are made of
    names: dict[int, str] = field(default_factory=dict)  # of parts that are lines
    _canonical: dict[int, Part] = field(default_factory=dict)
    _parts: int = 0
    _alike: dict[tuple[Any, ...], Part] = field(default_factory=dict)
    _conditions: dict[int, list[tuple[Part | None, Expression | None, bool]]] = field(default_factory=dict)

    def tree(self, name: str, defaults: Mapping[str, float]) -> tuple[Tree, list[tuple[Span, ...]]]:
        """Write the rule, and the places that each of its lines, and its result, came from; raises Unreadable."""
        parts, roots = self._all_parts()
        states = self.merge.states
        lines = self._ordered(self._lines(parts, roots), roots)
        self._name(lines, states)
        body = [Assignment((self.names[id(part)],), tidied(self._expression(part, whole=True))) for part in lines]
        places = [part.place for part in lines]
        late = [s for s in states if s.update is not None and self.names.get(id(self._of(s.update))) != s.name]
        written = [(s.name, self._expression(self._of(s.update))) for s in late if s.update is not None]
        written = [(target, value) for target, value in written if value != Name(target)]
        result = tidied(self._expression(self._of(self.result)))
        if written and names_in(result) & {target for target, _ in written}:
            moved = self._free("x_new", {*self.names.values()})
            body.append(Assignment((moved,), result))
            places.append(self._of(self.result).place)
            result = Name(moved)
        body, places = self._with_late(body, places, written)
        starts = tuple(State(s.name, self._start(s)) for s in states)
        used = {n for line in body for n in names_in(line.value)} | names_in(result)
        used |= {n for s in starts for n in names_in(s.start)}
        order = list(VOCABULARY)
        knobs = sorted((k for k in defaults if k in used), key=lambda k: (order.index(k) if k in order else 99, k))
        inputs = tuple(each for each in INPUTS if each in ("x", "g") or each in used)
        tree = Tree(name, inputs, starts, tuple(Knob(k, defaults[k]) for k in knobs), tuple(body), result)
        return tree, [*places, self._of(self.result).place]

    def _with_late(
        self,
        body: list[Assignment],
        places: list[tuple[Span, ...]],
        written: list[tuple[str, Expression]],
    ) -> tuple[list[Assignment], list[tuple[Span, ...]]]:
        """Set the states that take what is there already, all at once: none reads what another has been set to."""
        targets = [target for target, _ in written]
        waiting = []
        for i, (target, value) in enumerate(written):
            if names_in(value) & set(targets[:i]):
                moved = self._free(f"{target}_new", {*self.names.values(), *targets})
                body.append(Assignment((moved,), tidied(value)))
                places.append(())
                value = Name(moved)
            waiting.append(Assignment((target,), tidied(value)))
        return [*body, *waiting], [*places, *(() for _ in waiting)]

    def _of(self, part: Part | None) -> Part:
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
                return "number", self._number(part)
            except Unreadable:
                return (id(part),)
        if part.kind == STATE:
            return STATE, id(part.state)
        if part.kind in ("x", "g", "knob"):
            return part.kind, part.op
        if part.kind == OP:
            return OP, part.op, part.over, *(id(self._of(each)) for each in part.parts)
        return (id(part),)

    def _inner(self, part: Part) -> list[Part]:
        """Give the parts that a part is made of, conditions too."""
        inner = [self._of(each) for each in part.parts]
        if part.kind == BRANCH:
            inner += [self._of(asked) for asked, _, _ in self._asked(part) if asked is not None]
        return inner

    def _asked(self, part: Part) -> list[tuple[Part | None, Expression | None, bool]]:
        known = self._conditions.get(id(part))
        if known is None:
            known = self._conditions[id(part)] = []
            for i, case in enumerate(part.cases[:-1]):
                others = frozenset(index for later in part.cases[i + 1 :] for index in later)
                found = condition_of(self.merge, case, others, part.place)
                known.append((found.asked, found.written, found.denied))
        return known

    def _all_parts(self) -> tuple[dict[int, Part], list[Part]]:
        """Give every part that is needed, and what x and the states become; what a condition asks may carry states."""
        while True:
            self.merge.complete()
            roots = [self.result, *(state.update for state in self.merge.states if state.update is not None)]
            parts = self._reached(roots)
            if len(roots) == len(self.merge.states) + 1 and self._parts == len(self.merge.all_parts()):
                return parts, roots
            # With new parts others may stand for more.
            self._parts = len(self.merge.all_parts())
            self._canonical.clear()
            self._alike.clear()

    def _reached(self, roots: list[Part]) -> dict[int, Part]:
        found: dict[int, Part] = {}
        waiting = [self._of(root) for root in roots]
        while waiting:
            part = waiting.pop()
            if id(part) not in found:
                found[id(part)] = part
                waiting += self._inner(part)
        return found

    def _lines(self, parts: dict[int, Part], roots: list[Part]) -> list[Part]:
        """Choose the parts that are lines of their own."""
        uses: dict[int, int] = {}
        passing = set[int]()  # what is made on the way to what the same piece of code gives
        for part in parts.values():
            for inner in self._inner(part):
                uses[id(inner)] = uses.get(id(inner), 0) + 1
                if inner.place == part.place and part.kind == OP:
                    passing.add(id(inner))
        updates = {id(self._of(root)) for root in roots[1:]}
        lines = []
        chosen = {id(self._of(each)) for part in parts.values() if part.kind == BRANCH for each in part.parts}
        for key, part in parts.items():
            if part.kind not in (OP, BRANCH) or (key == id(self._of(roots[0])) and not uses.get(key)
                                                and key not in updates):  # fmt: skip
                continue
            named = spelled(part.place)
            small = self._is_small(part)
            named = named if key not in chosen | passing or uses.get(key, 0) > 1 else ""
            if key in updates or (uses.get(key, 0) > 1 and not small) or (named and not self._is_knob_alone(part)):
                lines.append(part)
        return lines

    def _is_small(self, part: Part) -> bool:
        """Whether a part is written anew wherever it is needed: a few operations on knobs, `t` and numbers."""
        return self._size(part) <= 4

    def _size(self, part: Part) -> int:
        """Count the operations of a part on knobs, `t` and numbers; many if it is made of anything else."""
        if part.kind in ("number", "knob"):
            return 0
        return 1 + sum(map(self._size, self._inner(part))) if part.kind == OP else 100

    def _is_knob_alone(self, part: Part) -> bool:
        """Whether a part is made of knobs and plain numbers that never change."""
        if part.kind == "number":
            return len(set(part.values.values())) == 1
        return part.kind == "knob" or (part.kind == OP and all(map(self._is_knob_alone, self._inner(part))))

    def _ordered(self, lines: list[Part], roots: list[Part]) -> list[Part]:
        """Order lines as they came on the tape, each behind those that it is made of."""
        wanted = {id(part): part for part in lines}
        needs = {key: self._needs(part, wanted) for key, part in wanted.items()}
        ready = [(self._position(wanted[key]), key) for key, need in needs.items() if not need]
        heapq.heapify(ready)
        ordered, done = [], set[int]()
        while ready:
            _, key = heapq.heappop(ready)
            ordered.append(wanted[key])
            done.add(key)
            for other, need in needs.items():
                if key in need and need <= done and other not in done:
                    heapq.heappush(ready, (self._position(wanted[other]), other))
        return ordered

    def _position(self, part: Part) -> int:
        (c, t), node = max(part.nodes.items(), key=lambda item: (item[0][1], -item[0][0]))
        return node - self.merge.courses[c].begins[t]

    def _needs(self, part: Part, wanted: dict[int, Part]) -> set[int]:
        found, seen, waiting = set[int](), set[int](), self._inner(part)
        while waiting:
            inner = waiting.pop()
            if id(inner) in seen:
                continue
            seen.add(id(inner))
            if id(inner) in wanted:
                found.add(id(inner))
            else:
                waiting += self._inner(inner)
        return found

    def _free(self, name: str, taken: set[str]) -> str:
        base, number = name, 2
        while name in taken or is_taken(name) or name in self._reserved:
            name = f"{base}_{number}"
            number += 1
        return name

    @property
    def _reserved(self) -> set[str]:
        knobs = {name for course in self.merge.courses for name in course.knobs}
        return {*INPUTS, *knobs, *OPERATIONS, "loss", "h"}

    def _name(self, lines: list[Part], states: list[Carried]) -> None:
        """Name states and lines as the user does, the same name again for what takes its place."""
        taken = set[str]()
        for state in states:
            update = self._of(state.update) if state.update is not None else None
            wanted = self._wanted(update) if update is not None else ""
            state.name = self._free(wanted or f"s{state.number + 1}", taken)
            taken.add(state.name)
            reads_old = update is not None and self._reads_late(update, state, lines)
            if update in lines and id(update) not in self.names and not reads_old:
                self.names[id(update)] = state.name
        for part in lines:
            if id(part) not in self.names:
                wanted = self._wanted(part) or UNNAMED.get(part.op, "a")
                if wanted in taken and self._may_be_called(part, wanted, lines, states):
                    self.names[id(part)] = wanted
                    continue
                self.names[id(part)] = self._free(wanted, taken)
                taken.add(self.names[id(part)])

    def _wanted(self, part: Part) -> str:
        """Say what the user calls a part."""
        name = _plain(spelled(part.place))
        if part.kind == BRANCH:
            named = [_plain(spelled(self._of(each).place)) for each in part.parts]
            others = [each for each in named if each and each not in INPUTS]
            return next(iter([*others, *filter(None, named)]), name)
        return name

    def _may_be_called(self, part: Part, name: str, lines: list[Part], states: list[Carried]) -> bool:
        """Whether a line may have a name that others have too: nobody behind it means one that came before."""
        if is_taken(name) or name in self._reserved:
            return False
        at = {id(each): i for i, each in enumerate(lines)}
        place = at[id(part)]
        same = [each for each in lines if self.names.get(id(each)) == name]
        after = [at[id(each)] for each in same if at[id(each)] > place]
        before = {id(each) for each in same if at[id(each)] < place}
        carried = [state for state in states if state.name == name]
        if any(self._of(s.update) not in lines or self.names.get(id(self._of(s.update))) != name for s in carried):
            return False
        if any(at[id(self._of(s.update))] < place for s in carried):
            return False
        named = set(at)
        late = [self._of(s.update) for s in states if s.update is not None]
        late = [each for each in late if not (each in lines and self.names.get(id(each)) in {s.name for s in states})]
        for i, reader in enumerate([*lines, self._of(self.result), *late]):
            if i <= place:
                continue
            if any(self._reads(reader, state, named) for state in carried):
                return False
            needs = self._needs(reader, dict(zip(at, lines, strict=True)))
            needs |= {id(reader)} if reader in late and id(reader) in at else set()
            if needs & before or (id(part) in needs and any(i > later for later in after)):
                return False
        return True

    def _reads_late(self, update: Part, state: Carried, lines: list[Part]) -> bool:
        """Whether anything behind the line of a state's new value reads the old one."""
        behind = lines[lines.index(update) + 1 :] if update in lines else []
        return any(self._reads(part, state, {id(each) for each in lines}) for part in [*behind, self._of(self.result)])

    def _reads(self, part: Part, state: Carried, lines: set[int]) -> bool:
        waiting, first = [part], True
        seen = set[int]()
        while waiting:
            inner = waiting.pop()
            if inner.kind == STATE and inner.state is state:
                return True
            if id(inner) not in seen and (first or id(inner) not in lines):
                waiting += self._inner(inner)
            seen.add(id(inner))
            first = False
        return False

    def _expression(self, part: Part, whole: bool = False) -> Expression:
        """Write a part, or its name if it is a line; `whole`: the line itself."""
        if not whole and id(part) in self.names:
            return Name(self.names[id(part)])
        if part.kind == "number":
            return self._number(part)
        if part.kind == "knob":
            return Name(part.op)
        if part.kind == STATE:
            assert part.state is not None
            return Name(part.state.name)
        if part.kind in ("x", "g"):
            return Name(part.kind)
        inner = [self._expression(self._of(each)) for each in part.parts]
        if part.kind == BRANCH:
            return self._choice(part, inner)
        if part.op not in OPERATIONS:
            raise Unreadable(f"`{part.op}` is not in the rule language", part.place)
        return Operation(part.op, tuple(inner), part.over)

    def _choice(self, part: Part, inner: list[Expression]) -> Expression:
        made = inner[-1]
        for (asked, written, denied), value in zip(reversed(self._asked(part)), reversed(inner[:-1]), strict=True):
            condition = written if asked is None else self._expression(self._of(asked))
            assert condition is not None
            made = op("where", condition, made, value) if denied else op("where", condition, value, made)
        return made

    def _start(self, state: Carried) -> Expression:
        if state.start is None:
            return Number(0.0)
        start = self._of(state.start)
        if start.kind == "number" and len(set(start.values.values())) > 1:
            raise Unreadable("a state starts elsewhere each time")
        return tidied(self._expression(start))

    def _number(self, part: Part) -> Expression:
        indices = sorted(part.values)
        values = np.array([part.values[index] for index in indices])
        found = fitted(values, self._surround(indices))
        if found is None:
            shown = ", ".join(f"{value:.6g}" for value in values[:4])
            raise Unreadable(f"what depends on the step alone is not recognised: {shown} ...", part.place)
        return found

    def _surround(self, indices: list[Index]) -> Surroundings:
        courses = self.merge.courses
        t = np.array([float(index[1]) for index in indices])
        k = np.array([float(courses[index[0]].tensor + 1) for index in indices])
        names = {name for course in courses for name in course.knobs}
        knobs = {n: np.array([courses[i[0]].knobs.get(n, np.nan) for i in indices]) for n in sorted(names)}
        return Surroundings(t, k, knobs, self._bases(), self.close)

    def _bases(self) -> tuple[float, ...]:
        """Give the shares of one that occur as numbers, which powers may have as their base."""
        found: dict[float, None] = {}
        for part in self.merge.all_parts():
            if part.kind == "number" and len(set(part.values.values())) == 1:
                value = next(iter(part.values.values()))
                for share in (value, 1.0 - value):
                    short = shortened(share, 8) if self.close < 1e-9 else float(f"{share:.6g}")
                    if short is not None and 0.0 < short < 1.0:
                        found[short] = None
        return tuple(found)


def _plain(name: str) -> str:
    """Take from a name what only says where it is held."""
    for front in ("device_", "grouped_", "_"):
        name = name.removeprefix(front)
    return name.strip("_") if name.isascii() else "".join(c for c in name if c.isalnum() or c == "_").strip("_")
