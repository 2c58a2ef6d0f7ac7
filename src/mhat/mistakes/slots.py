"""A rule as slots that edits fill anew: its starts, its lines, its result. It knows no subject and no operator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mhat.language.tree import INPUTS, Assignment, Expression, State, Tree
from mhat.language.walking import names_in

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
        content = changes.get(("line", i))
        body.extend((line,) if content is None else content)  # type: ignore[arg-type]
    body.extend(changes.get(AFTER, ()))  # type: ignore[arg-type]
    result = changes.get(RESULT, tree.result)
    inputs = _inputs(tree, states, body, result) if checked else tree.inputs  # type: ignore[arg-type]
    if inputs is None:
        return None
    return Tree(tree.name, inputs, states, tree.knobs, tuple(body), result)  # type: ignore[arg-type]


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
