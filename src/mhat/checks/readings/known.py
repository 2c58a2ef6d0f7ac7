"""The edits that mhat knows of, held against what was read: which of them explain all of it, or a part.

An edit explains a state, or `x`, if with it the step makes of it what was read; it must leave the rest as it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mhat.checks.readings.alignment import Alignment
from mhat.checks.readings.frames import Frame
from mhat.checks.readings.products import Value
from mhat.checks.readings.steps import Steps
from mhat.language.tree import Expression, Operation, Tree
from mhat.language.walking import names_in, subexpressions
from mhat.mistakes import Edits, edits_of
from mhat.mistakes.slots import RESULT, Content, Edit, Slot, assembled


@dataclass(frozen=True)
class Effect:
    """What an edit does: what becomes right, and what becomes something else that is not right either."""

    edit: Edit
    right: frozenset[str]
    wrong: frozenset[str]


@lru_cache(maxsize=64)
def edits(tree: Tree) -> Edits:
    """Derive the edits of a tree, once."""
    return edits_of(tree)


@lru_cache(maxsize=64)
def by_changes(tree: Tree) -> dict[frozenset[tuple[Slot, Content]], Edit]:
    """Give the plainest edit that fills slots so."""
    found: dict[frozenset[tuple[Slot, Content]], Edit] = {}
    for edit in sorted(edits(tree).all, key=lambda edit: edit.cost):
        found.setdefault(frozenset(edit.changes), edit)
    return found


def effects(alignment: Alignment, tree: Tree, base: Frame, until: float) -> Iterator[Effect]:
    """Say what each edit of a tree does beside what was read, as many as there is time for."""
    apart = frozenset([*base.apart, *(f"start {name}" for name in alignment.starts_apart)])
    reached, steps = _reached(base), Steps(base)
    ours = steps.made(tree)
    for edit in sorted(edits(tree).all, key=lambda edit: edit.cost):
        if time.thread_time() > until:
            return
        # What changes lines alone of which nothing is made that is wrong explains nothing.
        if all(slot in reached and apart.isdisjoint(reached[slot]) for slot, _ in edit.changes):
            continue
        effect = _effect(alignment, base, steps, ours, edit, apart)
        if effect is not None and effect.right:
            yield effect


def _reached(frame: Frame) -> dict[Slot, frozenset[str]]:
    """Say which states, or `x`, are made of each line, where those that both rules have end a way."""
    readers: dict[str, frozenset[str]] = {name: frozenset() for name in frame.tree.variables}
    for name in names_in(frame.tree.result):
        readers[name] = readers.get(name, frozenset()) | {"x"}
    found: dict[Slot, frozenset[str]] = {RESULT: frozenset({"x"})}
    for i, line in reversed(list(enumerate(frame.tree.body))):
        target = line.targets[0]
        own = readers.get(target, frozenset())
        if frame.last.get(target) == i:
            own = frozenset({target})
        found["line", i] = own
        for name in names_in(line.value):
            readers[name] = readers.get(name, frozenset()) | own
    return found


def _effect(
    alignment: Alignment, base: Frame, steps: Steps, ours: Mapping[str, Any], edit: Edit, apart: frozenset[str]
) -> Effect | None:
    tree = assembled(base.tree, dict(edit.changes), checked=False)
    if tree is None:
        return None
    try:
        made = steps.made(tree)
    except (KeyError, ValueError, TypeError):
        return None
    right, wrong = set[str](), set[str]()
    for name, value in made.items():
        if value is ours[name]:
            continue
        at = alignment.points.vector(value)
        if alignment.points.equal(at, base.wanted(name).at):
            right.add(name)
        elif not alignment.points.equal(at, base.made[name].at):
            wrong.add(name)
    try:
        for slot, _ in edit.changes:
            if slot[0] == "start" and slot[1] in alignment.shared:
                _start(alignment, tree, str(slot[1]), right, wrong)
    except KeyError:  # A start that names what only the step's lines make is no start.
        return None
    return Effect(edit, frozenset(right & apart), frozenset(wrong))


def _start(alignment: Alignment, tree: Tree, name: str, right: set[str], wrong: set[str]) -> None:
    start = next(state.start for state in tree.states if state.name == name)
    mine, theirs = alignment.starts(name, start)
    (right if alignment.algebra.equal(mine, theirs) else wrong).add(f"start {name}")


def promising(alignment: Alignment, base: Frame, until: float) -> list[Edit]:
    """Give edits of several lines after which more of what the reference computes stands in what was read."""
    own = [value for name in base.made for value in base.own_parts(name)]
    found: list[tuple[float, float, int, Edit]] = []
    before = _share(base, own)
    for i, edit in enumerate(edits(base.tree).plain):
        if time.thread_time() > until:
            break
        if len(edit.changes) < 2:
            continue
        tree = assembled(base.tree, dict(edit.changes))
        if tree is None:
            continue
        after = _share(alignment.of(tree, base), own)
        if after > before:
            found.append((-after, edit.cost, i, edit))
    return [edit for *_, edit in sorted(found)]


def _share(frame: Frame, own: Sequence[Value]) -> float:
    """Say which share of the operations of a step come to what some operation of the rule that was read does."""
    there = total = 0
    slots: list[tuple[Slot, Expression]] = [(("line", i), line.value) for i, line in enumerate(frame.tree.body)]
    for slot, whole in [*slots, (RESULT, frame.tree.result)]:
        for node in subexpressions(whole):
            if isinstance(node, Operation):
                value = frame.value(slot, node)
                total += 1
                there += any(frame.algebra.equal(value, each) for each in own)
    return there / total if total else 0.0


def covers(found: Sequence[Effect], wanted: frozenset[str], most: int) -> Iterator[tuple[Effect, ...]]:
    """Join edits that explain parts, so that together they explain all that is wanted; those with fewest first."""
    clean: dict[frozenset[str], list[Effect]] = {}
    for effect in found:
        if not effect.wrong:
            clean.setdefault(effect.right, []).append(effect)
    kinds = sorted(clean, key=len, reverse=True)

    def joined(left: frozenset[str], chosen: tuple[Effect, ...], many: int) -> Iterator[tuple[Effect, ...]]:
        if not left:
            yield chosen
            return
        if many == 0:
            return
        first = min(left)
        for kind in kinds:
            if first in kind and kind <= left:
                for effect in clean[kind][:2]:
                    yield from joined(left - kind, (*chosen, effect), many - 1)

    for size in range(1, most + 1):
        some = False
        for chosen in joined(wanted, (), size):
            if len(chosen) == size:
                some = True
                yield chosen
        if some:
            return
