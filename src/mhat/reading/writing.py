"""From parts to a rule: which are lines of their own, what they are called, and in which order they stand.

It sees no tape and no framework.
"""

from __future__ import annotations

import heapq
import linecache
from collections.abc import Mapping
from dataclasses import dataclass, field

from mhat.errors import Place
from mhat.language.tree import Assignment, Expression, Knob, Name, Number, Operation, State, Tree, is_taken
from mhat.language.vocabulary import VOCABULARY
from mhat.language.walking import names_in
from mhat.ops.table import OPERATIONS
from mhat.reading.courses import Span, Unreadable
from mhat.reading.merging import BRANCH, OP, STATE, Carried, Merge, Part
from mhat.reading.sequences import op
from mhat.reading.spellings import is_in_place, spelled
from mhat.reading.standing import Standing
from mhat.reading.tidying import tidied

INPUTS = ("x", "g", "t", "k", "n")
# What is used twice and has no name of the user's.
UNNAMED = {"norm": "length", "sum": "total", "mean": "average", "sqrt": "root", "abs": "magnitude", "div": "share"}


@dataclass
class Writer:
    """Writes the parts of one merge."""

    parts: Standing
    result: Part
    names: dict[int, str] = field(default_factory=dict)  # of parts that are lines
    _seen: int = 0

    @property
    def merge(self) -> Merge:
        """What is written."""
        return self.parts.merge

    def tree(self, name: str, defaults: Mapping[str, float]) -> tuple[Tree, list[tuple[Span, ...]]]:
        """Write the rule, and the places that each of its lines, and its result, came from; raises Unreadable."""
        parts, roots = self._all_parts()
        states = self.merge.states
        lines = self._ordered(self._lines(parts, roots), roots)
        self._name(lines, states)
        body = [Assignment((self.names[id(part)],), tidied(self._expression(part, whole=True))) for part in lines]
        places = [self._places(part) for part in lines]
        late = [s for s in states if s.update is not None and self.names.get(id(self.parts.of(s.update))) != s.name]
        written = [(s.name, self._expression(self.parts.of(s.update))) for s in late if s.update is not None]
        written = [(target, value) for target, value in written if value != Name(target)]
        result = tidied(self._expression(self.parts.of(self.result)))
        if written and names_in(result) & {target for target, _ in written}:
            moved = self._free("x_new", {*self.names.values()})
            body.append(Assignment((moved,), result))
            places.append(self.parts.of(self.result).place)
            result = Name(moved)
        body, places = self._with_late(body, places, written)
        starts = tuple(State(s.name, self._start(s)) for s in states)
        used = {n for line in body for n in names_in(line.value)} | names_in(result)
        used |= {n for s in starts for n in names_in(s.start)}
        order = list(VOCABULARY)
        knobs = sorted((k for k in defaults if k in used), key=lambda k: (order.index(k) if k in order else 99, k))
        inputs = tuple(each for each in INPUTS if each in ("x", "g") or each in used)
        tree = Tree(name, inputs, starts, tuple(Knob(k, defaults[k]) for k in knobs), tuple(body), result)
        return tree, [*places, self._places(self.parts.of(self.result))]

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

    def _all_parts(self) -> tuple[dict[int, Part], list[Part]]:
        """Give every part that is needed, and what x and the states become; what a condition asks may carry states."""
        while True:
            self.merge.complete()
            roots = [self.result, *(state.update for state in self.merge.states if state.update is not None)]
            parts = self._reached(roots)
            if len(roots) == len(self.merge.states) + 1 and self._seen == len(self.merge.all_parts()):
                return parts, roots
            self._seen = len(self.merge.all_parts())
            self.parts.clear()

    def _reached(self, roots: list[Part]) -> dict[int, Part]:
        found: dict[int, Part] = {}
        waiting = [self.parts.of(root) for root in roots]
        while waiting:
            part = waiting.pop()
            if id(part) not in found:
                found[id(part)] = part
                waiting += self.parts.inner(part)
        return found

    def _lines(self, parts: dict[int, Part], roots: list[Part]) -> list[Part]:
        """Choose the parts that are lines of their own."""
        uses: dict[int, int] = {}
        passing = set[int]()  # what is made on the way to what the same piece of code gives
        for part in parts.values():
            for inner in self.parts.inner(part):
                uses[id(inner)] = uses.get(id(inner), 0) + 1
                if part.kind == OP and (inner.place == part.place or self._goes_on(part, inner)):
                    passing.add(id(inner))
        updates = {id(self.parts.of(root)) for root in roots[1:]}
        lines = []
        chosen = {id(self.parts.of(each)) for part in parts.values() if part.kind == BRANCH for each in part.parts}
        for key, part in parts.items():
            if part.kind not in (OP, BRANCH) or (key == id(self.parts.of(roots[0])) and not uses.get(key)
                                                and key not in updates):  # fmt: skip
                continue
            named = spelled(part.place)
            small = self.parts.is_small(part)
            named = named if key not in chosen | passing or uses.get(key, 0) > 1 else ""
            fixed = self.parts.is_knob_alone(part) and not (uses.get(key, 0) > 1 and self.parts.size(part) > 1)
            if key in updates or (uses.get(key, 0) > 1 and not small) or (named and not fixed):
                lines.append(part)
        return lines

    def _goes_on(self, part: Part, inner: Part) -> bool:
        """Whether a part only goes on in place with what another one began; what scales it at last stands apart."""
        if not is_in_place(part.place) or not spelled(part.place) or spelled(part.place) != spelled(inner.place):
            return False
        scales = part.op in ("mul", "div") and any(self.parts.size(each) < 100 for each in self.parts.inner(part))
        return not scales

    def _places(self, part: Part) -> tuple[Span, ...]:
        """Give the places of a line: its own, and those of the ways that part in it."""
        found, seen, waiting = list(part.place[:1]), set[int](), [part]
        while waiting:
            each = waiting.pop()
            seen.add(id(each))
            inner = [i for i in self.parts.inner(each) if id(i) not in self.names]
            if each.kind == BRANCH:
                found += [span for i in inner for span in i.place[:1] if span not in found]
            waiting += [i for i in inner if id(i) not in seen]
        return tuple(found)

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
        found, seen, waiting = set[int](), set[int](), self.parts.inner(part)
        while waiting:
            inner = waiting.pop()
            if id(inner) in seen:
                continue
            seen.add(id(inner))
            if id(inner) in wanted:
                found.add(id(inner))
            else:
                waiting += self.parts.inner(inner)
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
            update = self.parts.of(state.update) if state.update is not None else None
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
            named = [_plain(spelled(self.parts.of(each).place)) for each in part.parts]
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
        if any(
            self.parts.of(s.update) not in lines or self.names.get(id(self.parts.of(s.update))) != name for s in carried
        ):
            return False
        if any(at[id(self.parts.of(s.update))] < place for s in carried):
            return False
        named = set(at)
        late = [self.parts.of(s.update) for s in states if s.update is not None]
        late = [each for each in late if not (each in lines and self.names.get(id(each)) in {s.name for s in states})]
        for i, reader in enumerate([*lines, self.parts.of(self.result), *late]):
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
        return any(
            self._reads(part, state, {id(each) for each in lines}) for part in [*behind, self.parts.of(self.result)]
        )

    def _reads(self, part: Part, state: Carried, lines: set[int]) -> bool:
        waiting, first = [part], True
        seen = set[int]()
        while waiting:
            inner = waiting.pop()
            if inner.kind == STATE and inner.state is state:
                return True
            if id(inner) not in seen and (first or id(inner) not in lines):
                waiting += self.parts.inner(inner)
            seen.add(id(inner))
            first = False
        return False

    def _expression(self, part: Part, whole: bool = False) -> Expression:
        """Write a part, or its name if it is a line; `whole`: the line itself."""
        if not whole and id(part) in self.names:
            return Name(self.names[id(part)])
        if part.kind == "number":
            return self.parts.number(part)
        if part.kind == "knob":
            return Name(part.op)
        if part.kind == STATE:
            assert part.state is not None
            return Name(part.state.name)
        if part.kind in ("x", "g"):
            return Name(part.kind)
        inner = [self._expression(self.parts.of(each)) for each in part.parts]
        if part.kind == BRANCH:
            return self._choice(part, inner)
        if part.op not in OPERATIONS:
            raise Unreadable(f"`{part.op}` is not in the rule language", part.place)
        return Operation(part.op, tuple(inner), part.over, _place(part))

    def _choice(self, part: Part, inner: list[Expression]) -> Expression:
        made = inner[-1]
        for (asked, written, denied), value in zip(reversed(self.parts.asked(part)), reversed(inner[:-1]), strict=True):
            condition = written if asked is None else self._expression(self.parts.of(asked))
            assert condition is not None
            made = op("where", condition, made, value) if denied else op("where", condition, value, made)
        return made

    def _start(self, state: Carried) -> Expression:
        if state.start is None:
            return Number(0.0)
        start = self.parts.of(state.start)
        if start.kind == "number" and len(set(start.values.values())) > 1:
            raise Unreadable("a state starts elsewhere each time")
        return tidied(self._expression(start))


def _place(part: Part) -> Place | None:
    """Give the place in the source that an operation came from."""
    span = next(iter(part.place), None)
    if span is None or span[0].startswith("<"):
        return None
    file, line, end, column, end_column = span
    text = linecache.getline(file, line)
    return Place(file, line, column + 1, end_column + 1 if end == line else len(text), text)


def _plain(name: str) -> str:
    """Take from a name what only says where it is held."""
    for front in ("device_", "grouped_", "_"):
        name = name.removeprefix(front)
    return name.strip("_") if name.isascii() else "".join(c for c in name if c.isalnum() or c == "_").strip("_")
