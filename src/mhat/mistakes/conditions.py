"""What changes with the step: a knob from some step on, by epochs, at every so many; states begun anew.

It knows no rule by name.
"""

from __future__ import annotations

from collections.abc import Iterator

from mhat.language.tree import Assignment, Expression, Name, Number, State, Tree
from mhat.language.vocabulary import meaning_of
from mhat.language.walking import mapped, names_in
from mhat.mistakes.paths import ONE, ZERO, T, operation
from mhat.mistakes.slots import Content, Edit, Slot, line_spots
from mhat.mistakes.throughout import exchanged_name, throughout
from mhat.notation.decimals import near

STEPS = tuple(range(1, 12))
COUNTS = (2, 3, 4, 5, 6, 7, 8, 10)
# What a knob becomes from a step on: of a share another one, of others a multiple.
SHARES, MULTIPLES = (0.0, 0.5, 0.9, 0.99), (0.5, 0.1, 0.0, 2.0, 10.0)
FALLING = (0.5, 0.1, 0.9)


def changing(tree: Tree) -> Iterator[Edit]:
    """Yield all of them."""
    for knob in tree.knob_names:
        if knob != "eps":
            for where in (None, _is_plain):
                yield from _changing_knob(tree, knob, where)
    yield from _begun_anew(tree)


def _is_plain(line: Assignment) -> bool:
    return "t" not in names_in(line.value)


def _changing_knob(tree: Tree, knob: str, where: object) -> Iterator[Edit]:
    word = "" if where is None else "but for the corrections "
    for value, how, cost in _courses(knob):
        changes = throughout(tree, exchanged_name(knob, value), where)  # type: ignore[arg-type]
        if not changes or (where is not None and changes == throughout(tree, exchanged_name(knob, value))):
            continue
        yield Edit(f"{word}`{knob}` {how}", changes, "scheduled", cost)


def _courses(knob: str) -> Iterator[tuple[Expression, str, float]]:
    """Yield what stands for a knob that changes, how it does, and how far-fetched that is."""
    name = Name(knob)
    share = meaning_of(knob).is_share
    others: list[tuple[Expression, str]] = []
    for value in SHARES if share else MULTIPLES:
        other = Number(value) if share or not value else operation("mul", Number(value), name)
        others.append((other, f"is {near(value)}" if share or not value else f"is {near(value)} times as large"))
    for other, word in others:
        for step in STEPS:
            early = operation("le", T, Number(float(step)))
            yield operation("where", early, name, other), f"{word} after step {step}", 1.15
            yield operation("where", early, other, name), f"{word} up to step {step}", 1.15
    if share:
        risen = operation("sub", ONE, operation("div", ONE, T))
        yield operation("minimum", name, risen), "is at most `1 - 1 / t`", 1.15
        ten = operation("div", operation("add", ONE, T), operation("add", Number(10.0), T))
        yield operation("minimum", name, ten), "is at most `(1 + t) / (10 + t)`", 1.15
    for every in COUNTS:
        count = Number(float(every))
        for first in (0.0, 1.0):
            due = operation("eq", operation("mod", T, count), Number(first))
            said = f"step {every}, {2 * every} ..." if first == 0 else f"step 1, {every + 1} ..."
            yield operation("where", due, name, ZERO), f"is 0 but at {said}", 1.15
        if not share:
            for epoch in (operation("floordiv", operation("sub", T, ONE), count), operation("floordiv", T, count)):
                ahead = "" if epoch.arguments[0] != T else ", the first time after that many"
                by = operation("add", ONE, epoch)
                yield (
                    operation("div", name, by),
                    f"is divided by a number that grows once in {every} steps{ahead}",
                    1.15,
                )
                if not ahead:
                    for factor in FALLING:
                        fallen = operation("mul", name, operation("pow", Number(factor), epoch))
                        yield fallen, f"is multiplied by {near(factor)} after every {every} steps", 1.15


def _begun_anew(tree: Tree) -> Iterator[Edit]:
    """Begin states anew at a step, or once in so many: each alone, and all together."""
    starts = {state.name: state for state in tree.states if not names_in(state.start)}
    kept = [spot for spot in line_spots(tree) if spot.target in starts and spot.target in names_in(spot.part)]
    for due, when, cost in _moments():
        changes: list[tuple[Slot, Content]] = []
        for spot in kept:
            value = mapped(spot.part, exchanged_name(spot.target, _unless(due, starts[spot.target])))
            yield spot.edit(value, f"`{spot.target}` starts anew {when}", "scheduled", cost)
            changes.append(spot.change(value))
        if len({slot for slot, _ in changes}) > 1:
            yield Edit(f"all states start anew {when}", tuple(changes), "scheduled", cost)


def _unless(due: Expression, state: State) -> Expression:
    return operation("where", due, state.start, Name(state.name))


def _moments() -> Iterator[tuple[Expression, str, float]]:
    for every in COUNTS:
        for first, word in ((1.0, f"once in {every} steps"), (0.0, f"at step {every}, {2 * every} ...")):
            due = operation("eq", operation("mod", T, Number(float(every))), Number(first))
            yield due, word, 1.15
    for step in STEPS[1:]:
        yield operation("eq", T, Number(float(step))), f"at step {step}", 1.2
