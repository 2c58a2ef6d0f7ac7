"""The steps of all courses laid upon one another: where they agree there is an operation, where not, a branch.

A part stands for what happens at one place in every step. It knows nothing of text and of how parts are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mhat.reading.courses import (
    CARRIED,
    FOREIGN,
    GRADIENT,
    KNOB,
    MADE,
    NONE,
    NUMBER,
    Course,
    Span,
    Unreadable,
    X,
)
from mhat.reading.sequences import Surroundings, fitted, is_plain, shortened

Index = tuple[int, int]  # a course and a step
Nodes = Mapping[Index, int]
REDUCTIONS = ("sum", "mean", "norm", "largest")
MOST_STATES = 60
OP, STATE, BRANCH = "operation", "state", "branch"


@dataclass(eq=False)
class Part:
    """What happens at one place of a step, in all steps that come there."""

    kind: str  # number, knob, g, x, state, operation or branch
    op: str = ""  # of an operation; the name of a knob
    parts: list[Part] = field(default_factory=list)
    over: str | None = None
    values: dict[Index, float] = field(default_factory=dict)  # of a number
    nodes: dict[Index, int] = field(default_factory=dict)
    cases: list[frozenset[Index]] = field(default_factory=list)  # of a branch: the steps that took each part
    state: Carried | None = None
    place: tuple[Span, ...] = ()
    order: int = -1


@dataclass(eq=False)
class Carried:
    """A state: the node that carries it into each step, what it becomes, and how it starts."""

    number: int
    nodes: dict[Index, int]
    start: Part | None = None
    update: Part | None = None
    name: str = ""


class Merge:
    """Lays the courses upon one another."""

    def __init__(self, courses: Sequence[Course], by_place: bool = True) -> None:
        self.courses = courses
        self.by_place = by_place
        self.states: list[Carried] = []
        self.x_starts: dict[Index, float] = {}
        self._known: dict[tuple[tuple[Index, int], ...], Part] = {}
        self._of_node: dict[tuple[Index, int], list[Part]] = {}
        self._depth = self._done = 0
        self._readers: list[tuple[Span, ...]] = []  # the places of what is being laid

    def fold(self) -> Part:
        """Fold all steps; give what x becomes. The states are in `states`, each with what it becomes."""
        result = self.part({
            (c, t): course.results[t] for c, course in enumerate(self.courses) for t in range(1, course.steps + 1)
        })  # fmt: skip
        self.complete()
        return result

    def complete(self) -> None:
        """Find what each state becomes, and those of which that is made in turn."""
        while waiting := [state for state in self.states if state.update is None]:
            self._done += 1
            if self._done >= MOST_STATES:
                raise Unreadable("what it carries from step to step does not come to an end")
            state = waiting[0]
            nodes = {(c, t - 1): node for (c, t), node in state.nodes.items() if t > 1}
            if len(nodes) < 2:
                raise Unreadable("a number from one step is used much later, once")
            state.update = self.part(nodes)

    def parts_with(self, index: Index, node: int) -> list[Part]:
        """Give the parts that stand for a node of a step."""
        return self._of_node.get((index, node), [])

    def all_parts(self) -> list[Part]:
        """Give every part."""
        return list(self._known.values())

    def part(self, nodes: Nodes) -> Part:
        """Lay nodes upon one another, one for each step."""
        key = tuple(sorted((index, self.courses[index[0]].seen(node)) for index, node in nodes.items()))
        known = self._known.get(key)
        if known is None:
            if self._depth > 400:
                raise Unreadable("an expression nests too deeply")
            self._depth += 1
            known = self._known[key] = self._laid(dict(key))
            self._depth -= 1
            for item in known.nodes.items():
                self._of_node.setdefault(item, []).append(known)
        return known

    def kind(self, index: Index, node: int) -> str:
        return self.courses[index[0]].kind(index[1], node)

    def _laid(self, nodes: dict[Index, int]) -> Part:
        if all(self.courses[c].depends[node] == NONE for (c, _), node in nodes.items()):
            values = {index: self.value(index, node) for index, node in nodes.items()}
            made = any(self.courses[c].tape.ops[node] != "constant" for (c, _), node in nodes.items())
            if not made or is_plain(list(values.items()), [c.tensor for c in self.courses]):
                return Part(NUMBER, values=values, nodes=nodes)
        kinds = {index: self.kind(index, node) for index, node in nodes.items()}
        if FOREIGN in kinds.values():
            reader = next((place for place in reversed(self._readers) if place), ())
            raise Unreadable("one coordinate looks at another one in a way that is no reduction", reader)
        later = {index: kind for index, kind in kinds.items() if index[1] > 1}
        first = {index: kind for index, kind in kinds.items() if index[1] == 1}
        there = set(later.values())
        begun = all(kind in (NUMBER, X, KNOB) or self._is_early(i, nodes[i], kind) for i, kind in first.items())
        if later and there <= {X, CARRIED} and begun:
            return self._carried(nodes, there, first)
        nothing = all(kind == NUMBER and self.value(i, nodes[i]) == 0.0 for i, kind in first.items())
        if later and there == {MADE} and first and nothing:
            # At step 1 what the operation works on are plain zeros still, and so is what it gives.
            return self.part({index: node for index, node in nodes.items() if index in later})
        groups: dict[tuple[str, ...], dict[Index, int]] = {}
        for index, node in nodes.items():
            groups.setdefault(self._signature(index, node, kinds[index]), {})[index] = node
        if len(groups) == 1:
            return self._alike(nodes, next(iter(kinds.values())))
        if all(self.courses[c].depends[node] == NONE for (c, _), node in nodes.items()):
            # Numbers that came by different ways may be one sequence all the same.
            values = {index: self.value(index, node) for index, node in nodes.items()}
            if self._is_sequence(values):
                return Part(NUMBER, values=values, nodes=nodes)
        return self._branch(list(groups.values()))

    def _is_sequence(self, values: dict[Index, float]) -> bool:
        """Whether numbers are an expression in `t` and `k`."""
        t = np.array([float(step) for _, step in values])
        k = np.array([float(self.courses[c].tensor + 1) for c, _ in values])
        around = Surroundings(t, k, {}, self.bases, deep=False)
        return len(set(t)) > 4 and fitted(np.array(list(values.values())), around) is not None

    @cached_property
    def bases(self) -> tuple[float, ...]:
        """The shares of one that stand as numbers in the code, which powers may have as their base."""
        found: dict[float, None] = {}
        for course in self.courses:
            plain = {course.tape.values[i] for i in course.lane if course.tape.ops[i] == "constant"}
            for value in sorted(plain):
                for share in (value, 1.0 - value):
                    short = shortened(share, 8)
                    if short is not None and 0.0 < short < 1.0:
                        found[short] = None
        return tuple(found)

    def _is_early(self, index: Index, node: int, kind: str) -> bool:
        """Whether a node was there before the first step, or might have been: it is made of plain numbers."""
        course = self.courses[index[0]]
        return kind == MADE and (node < course.begins[1] or course.depends[node] == NONE)

    def _signature(self, index: Index, node: int, kind: str) -> tuple[str, ...]:
        tape = self.courses[index[0]].tape
        if kind == MADE:
            count = "" if tape.ops[node] in REDUCTIONS else str(len(tape.inputs[node]))
            return kind, tape.ops[node], count, str(self.place(index, node)) if self.by_place else ""
        return (kind, str(tape.names[node])) if kind == KNOB else (kind,)

    def _branch(self, groups: list[dict[Index, int]]) -> Part:
        parts = [self.part(group) for group in groups]
        place = next((part.place for part in parts if part.place), ())
        every = {index: node for group in groups for index, node in group.items()}
        order = max(part.order for part in parts)
        return Part(BRANCH, parts=parts, cases=[frozenset(g) for g in groups], nodes=every, place=place, order=order)

    def _carried(self, nodes: dict[Index, int], there: set[str], first: dict[Index, str]) -> Part:
        if there == {X}:
            for index, kind in first.items():
                if kind == NUMBER or self.courses[index[0]].depends[nodes[index]] == NONE:
                    self.x_starts[index] = self.value(index, nodes[index])
            return Part(X, nodes=nodes)
        carried = {index: node for index, node in nodes.items() if index[1] > 1}
        state = self._state(carried)
        if first and state.start is None:
            # Laid upon one another they would be carried again.
            begins = {index: nodes[index] for index in first}
            state.start = self.part(begins)
        return Part(STATE, state=state, nodes=nodes)

    def _state(self, nodes: dict[Index, int]) -> Carried:
        for state in self.states:
            common = state.nodes.keys() & nodes.keys()
            if common and all(state.nodes[index] == nodes[index] for index in common):
                if not nodes.keys() <= state.nodes.keys():
                    state.nodes.update(nodes)
                    state.update = None
                return state
        # What one branch carries and what another does are one state, if one line of the user's makes both.
        made = {self._made(index, node) for index, node in nodes.items()}
        for state in self.states:
            apart = state.nodes.keys().isdisjoint(nodes)
            if apart and len(made) == 1 and {self._made(i, n) for i, n in state.nodes.items()} == made:
                state.nodes.update(nodes)
                state.update = None
                return state
        state = Carried(len(self.states), dict(nodes))
        self.states.append(state)
        return state

    def _made(self, index: Index, node: int) -> tuple[str, tuple[Span, ...]]:
        return self.courses[index[0]].tape.ops[node], self.place(index, node)

    def _alike(self, nodes: dict[Index, int], kind: str) -> Part:
        """Make the part of nodes that are all of one kind."""
        if kind == NUMBER:
            return Part(NUMBER, values={i: self.value(i, node) for i, node in nodes.items()}, nodes=nodes)
        index, node = max(nodes.items(), key=lambda item: (item[0][1], -item[0][0]))
        tape = self.courses[index[0]].tape
        if kind == KNOB:
            return Part(KNOB, op=str(tape.names[node]), nodes=nodes)
        if kind in (GRADIENT, X):
            return Part(kind, nodes=nodes)
        if kind == CARRIED:
            return Part(STATE, state=self._state(nodes), nodes=nodes)
        op = tape.ops[node]
        place = self.place(index, node)
        if op in REDUCTIONS:
            return self._reduction(op, nodes, place, node)
        if op == "add":
            whole = self._over_all(nodes, place, node)
            if whole is not None:
                return whole
        count = len(tape.inputs[node])
        self._readers.append(place)
        parts = [
            self.part({i: self.courses[i[0]].tape.inputs[n][which] for i, n in nodes.items()}) for which in range(count)
        ]
        self._readers.pop()
        return Part(OP, op=op, parts=parts, nodes=nodes, place=place, order=node)

    def _reduction(self, op: str, nodes: dict[Index, int], place: tuple[Span, ...], order: int) -> Part:
        """Make a reduction of the element of this coordinate, which stands for all."""
        overs: set[str | None] = set()
        inner = {}
        for index, node in nodes.items():
            course = self.courses[index[0]]
            elements = course.tape.inputs[node]
            if len(elements) == course.sizes[course.tensor]:
                overs.add(None)
                inner[index] = elements[course.coordinate]
            elif len(elements) == sum(course.sizes):
                overs.add("all")
                inner[index] = elements[sum(course.sizes[: course.tensor]) + course.coordinate]
            elif len(elements) == len(course.sizes) and course.tape.ops[elements[course.tensor]] == op:
                overs.add("all")
                own = elements[course.tensor]
                inner[index] = course.tape.inputs[own][course.coordinate]
            else:
                raise Unreadable("a reduction runs over a part of a tensor", place)
        if len(overs) > 1:
            raise Unreadable("a reduction runs over a tensor in one step and over all of them in another", place)
        part = self.part(inner)
        return Part(OP, op=op, parts=[part], over=overs.pop(), nodes=nodes, place=place, order=order)

    def _over_all(self, nodes: dict[Index, int], place: tuple[Span, ...], order: int) -> Part | None:
        """Make a sum over all tensors of one that adds up what each of them sums up to."""
        inner, squares = {}, set[bool]()
        for index, node in nodes.items():
            course = self.courses[index[0]]
            terms = [term for term in self._terms(index, node) if not self._is_zero(index, term)]
            if len(terms) != len(course.sizes) or len(terms) < 2:
                return None
            own = terms[course.tensor]
            squared = course.tape.ops[own] == "pow" and course.tape.values[course.tape.inputs[own][1]] == 2.0
            summed = course.tape.inputs[own][0] if squared else own
            elements = course.tape.inputs[summed]
            if (
                course.tape.ops[summed] != ("norm" if squared else "sum")
                or len(elements) != course.sizes[course.tensor]
            ):
                return None
            inner[index] = elements[course.coordinate]
            squares.add(squared)
        if len(squares) > 1:
            return None
        part = self.part(inner)
        if squares == {True}:
            two = Part(NUMBER, values=dict.fromkeys(nodes, 2.0), nodes=nodes)
            part = Part(OP, op="pow", parts=[part, two], nodes=part.nodes, order=order)
        return Part(OP, op="sum", parts=[part], over="all", nodes=nodes, place=place, order=order)

    def _terms(self, index: Index, node: int) -> list[int]:
        tape = self.courses[index[0]].tape
        if tape.ops[node] != "add":
            return [node]
        return [term for each in tape.inputs[node] for term in self._terms(index, each)]

    def _is_zero(self, index: Index, node: int) -> bool:
        course = self.courses[index[0]]
        return course.depends[node] == NONE and course.tape.values[node] == 0.0

    def value(self, index: Index, node: int) -> float:
        return self.courses[index[0]].tape.values[node]

    def place(self, index: Index, node: int) -> tuple[Span, ...]:
        tape = self.courses[index[0]].tape
        return tape.places[tape.where[node]] if tape.where[node] >= 0 else ()
