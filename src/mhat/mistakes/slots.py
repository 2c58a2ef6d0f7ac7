"""A rule as slots that edits fill anew: its starts, its lines, its result. It knows no subject and no operator.

Spot    a place in what a rule computes, and the edit that puts something else there
Edit    one small change of a rule: which slots hold what instead
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mhat.language.tree import INPUTS, Assignment, Expression, State, Tree
from mhat.language.walking import names_in
from mhat.mistakes.paths import Path, at, places, replaced

# ("start", state), ("line", index) or ("result", ""); a line may become none or several. A rule has nothing before
# its first line and after its last one, but edits may put lines there, and start states of their own. What is done to
# the gradient itself stands before what is added to it, in a slot of its own, so that both can be there.
Slot = tuple[str, str | int]
Content = Expression | tuple[Assignment, ...]
RESULT: Slot = ("result", "")
FIRST: Slot = ("before", "first")
BEFORE: Slot = ("before", "")
AFTER: Slot = ("after", "")


@dataclass(frozen=True, eq=False)
class Edit:
    """One small change of a rule: which slots hold what instead, and a sentence that says it.

    `operator` names the kind of change; `cost` is how far-fetched it is among equals (1 is plain). Edits of one
    `family` are the same change made in different lines. An edit with a `number` of its own can be made anew with
    `another` one: what people write there is not known beforehand.
    """

    sentence: str
    changes: tuple[tuple[Slot, Content], ...]
    operator: str
    cost: float = 1.0
    family: str = ""
    number: float | None = None
    another: Callable[[float], Edit] | None = None

    @property
    def slots(self) -> frozenset[Slot]:
        """The slots that it fills anew."""
        return frozenset(slot for slot, _ in self.changes)


@dataclass(frozen=True)
class Spot:
    """A place in what a rule computes: the slot, the way down into its expression, and the part that stands there."""

    tree: Tree
    slot: Slot
    path: Path
    part: Expression

    @property
    def index(self) -> int:
        """The number of the line, from 0; there is none of the result."""
        return int(self.slot[1])

    @property
    def line(self) -> Assignment:
        """The line that it stands in."""
        return self.tree.body[self.index]

    @property
    def target(self) -> str:
        """The variable that its line assigns."""
        return self.line.targets[0]

    @property
    def where(self) -> str:
        """Say which line it stands in, for a sentence."""
        return "in the result" if self.slot == RESULT else f"in `{self.target}`"

    @property
    def whole(self) -> Expression:
        """All that its line or the result computes."""
        return value_at(self.tree, self.slot)

    def below(self, *way: int) -> Spot:
        """Give the spot further down that a way leads to."""
        part = at(self.part, way)
        assert part is not None
        return Spot(self.tree, self.slot, (*self.path, *way), part)

    def holding(self, new: Expression) -> Expression:
        """Give the whole expression of the slot with something else at this place."""
        return replaced(self.whole, self.path, new)

    def change(self, new: Expression) -> tuple[Slot, Content]:
        """Give the slot with what it holds when something else stands at this place."""
        return self.slot, content(self.tree, self.slot, self.holding(new))

    def edit(self, new: Expression, sentence: str, operator: str, cost: float = 1.0, family: str = "") -> Edit:
        """Make the edit that puts something else at this place and changes nothing besides."""
        return Edit(sentence, (self.change(new),), operator, cost, family)


def value_at(tree: Tree, slot: Slot) -> Expression:
    """Give what a line or the result computes."""
    return tree.result if slot == RESULT else tree.body[int(slot[1])].value


def content(tree: Tree, slot: Slot, value: Expression) -> Content:
    """Give what a line or the result holds when it computes something else."""
    return value if slot == RESULT else (replace(tree.body[int(slot[1])], value=value),)


def line_spots(tree: Tree) -> Iterator[Spot]:
    """Yield what each line with one target computes."""
    for i, line in enumerate(tree.body):
        if len(line.targets) == 1:
            yield Spot(tree, ("line", i), (), line.value)


def worded_slots(tree: Tree) -> Iterator[Spot]:
    """Yield what each line with one target computes, then the result."""
    yield from line_spots(tree)
    yield Spot(tree, RESULT, (), tree.result)


def spots_in(whole: Spot) -> Iterator[Spot]:
    """Yield every place in what one slot computes, from the outside in."""
    yield from (Spot(whole.tree, whole.slot, path, part) for path, part in places(whole.part))


def spots(tree: Tree) -> Iterator[Spot]:
    """Yield every place in every line with one target and in the result."""
    for whole in worded_slots(tree):
        yield from spots_in(whole)


def slots_of(tree: Tree) -> dict[Slot, Content]:
    """Take a rule apart."""
    slots: dict[Slot, Content] = {("start", state.name): state.start for state in tree.states}
    slots[FIRST] = slots[BEFORE] = ()
    slots.update({("line", i): (line,) for i, line in enumerate(tree.body)})
    slots[AFTER] = ()
    slots[RESULT] = tree.result
    return slots


def assembled(tree: Tree, changes: Mapping[Slot, Content], *, checked: bool = True) -> Tree | None:
    """Put a rule together again with some slots changed; None if it would read a name before it is assigned.

    `checked=False` leaves that to whoever runs the tree, and the inputs as they are.
    """
    states = tuple(
        State(state.name, changes.get(("start", state.name), state.start), state.place)  # type: ignore[arg-type]
        for state in tree.states
    )
    added = [slot for slot in changes if slot[0] == "start" and slot[1] not in tree.state_names]
    states += tuple(State(str(slot[1]), changes[slot]) for slot in added)  # type: ignore[arg-type]
    body: list[Assignment] = [*changes.get(FIRST, ()), *changes.get(BEFORE, ())]  # type: ignore[misc]
    for i, line in enumerate(tree.body):
        filling = changes.get(("line", i))
        body.extend((line,) if filling is None else filling)  # type: ignore[arg-type]
    body.extend(changes.get(AFTER, ()))  # type: ignore[arg-type]
    result = changes.get(RESULT, tree.result)
    inputs = _inputs(tree, states, body, result) if checked else tree.inputs  # type: ignore[arg-type]
    if inputs is None:
        return None
    return Tree(tree.name, inputs, states, tree.knobs, tuple(body), result, tree.flatten)  # type: ignore[arg-type]


def _inputs(
    tree: Tree, states: Iterable[State], body: Iterable[Assignment], result: Expression
) -> tuple[str, ...] | None:
    """Find the inputs that a rule needs; None if it reads what is not there."""
    states = tuple(states)
    known = {*(state.name for state in states), *tree.knob_names}
    inputs = set(tree.inputs)
    for state in states:
        if not names_in(state.start) <= {"x", "g", *tree.knob_names}:
            return None
        inputs |= names_in(state.start) & {"x", "g"}
    for targets, value in [*((line.targets, line.value) for line in body), ((), result)]:
        for name in names_in(value):
            if name not in known:
                if name not in INPUTS:
                    return None
                inputs.add(name)
        known.update(targets)
    return tuple(name for name in INPUTS if name in inputs)
