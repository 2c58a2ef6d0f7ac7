"""What one rule calls otherwise than another: the right rule written with the names of the one beside it.

Names that are in both mean the same; of the others those are namesakes that hold the same numbers, and what is left is
paired in its order. It knows no rule by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mhat.explanations.consequences.pairs import Pair, Setting, courses_of
from mhat.explanations.lines.degrees import degrees_of
from mhat.language import Rule
from mhat.language.definition import of_tree
from mhat.language.tree import EVALUATION, INPUTS, Assignment, Knob, State, Tree
from mhat.language.walking import renamed

STREAMS = ("normal", "constant:10")
STEPS = 30


def aligned(pair: Pair) -> Pair:
    """Write the right rule with the names that the other one has for the same things."""
    knobs = _knobs(pair)
    right = _renamed(pair.right, knobs) if knobs else pair.right
    same = replace(pair, right=right)
    if set(right.tree.state_names) ^ set(pair.wrong.tree.state_names) or set(right.variables) ^ set(
        pair.wrong.variables
    ):
        names = _states_and_variables(same)
        return replace(same, right=_renamed(right, names)) if names else same
    return same


def _knobs(pair: Pair) -> dict[str, str]:
    """Pair knobs of equal defaults that only one of the two has."""
    left = {name: value for name, value in pair.right.knobs.items() if name not in pair.wrong.knobs}
    known = {*INPUTS, *pair.right.variables, *pair.right.tree.state_names}
    found: dict[str, str] = {}
    for name, value in pair.wrong.knobs.items():
        if name not in pair.right.knobs and name not in known:
            twin = next((own for own, default in left.items() if default == value and own not in found), None)
            if twin is not None:
                found[twin] = name
    return found


def _states_and_variables(pair: Pair) -> dict[str, str]:
    found: dict[str, str] = {}
    # What the language itself names stays what it is.
    taken = {*INPUTS, EVALUATION, *pair.wrong.variables, *pair.wrong.tree.state_names}
    known = {*INPUTS, EVALUATION, *pair.right.variables, *pair.right.tree.state_names, *pair.right.knobs}
    settings = [Setting(stream, 0.5, STEPS) for stream in STREAMS]
    with np.errstate(all="ignore"):
        right, wrong = (courses_of(rule, settings, pair.known) for rule in (pair.right, pair.wrong))
    for own, other in (
        (pair.right.tree.state_names, pair.wrong.tree.state_names),
        (pair.right.variables, pair.wrong.variables),
    ):
        left = [name for name in own if name not in taken and name not in found]
        free = [name for name in other if name not in known and name not in found.values()]
        for name in list(left):
            twin = next((each for each in free if _alike(right, wrong, name, each)), None)
            if twin is not None:
                found[name] = twin
                left.remove(name)
                free.remove(twin)
        found |= _by_lines(pair, left, free, found)
        left, free = ([name for name in names if name not in (*found, *found.values())] for names in (left, free))
        pairs = list(zip(left, free, strict=False)) if len(left) == len(free) else []
        found.update((name, twin) for name, twin in pairs if _of_one_kind(pair, name, twin))
    return found


def _of_one_kind(pair: Pair, name: str, other: str) -> bool:
    """Whether both see gradients or neither does, and grow with the same power of them as far as that is known."""
    if ("g" in pair.right.dependence[name]) != ("g" in pair.wrong.dependence[other]):
        return False
    degrees = degrees_of(pair.right.tree).get(name), degrees_of(pair.wrong.tree).get(other)
    return None in degrees or degrees[0] == degrees[1]


def _by_lines(pair: Pair, left: Sequence[str], free: Sequence[str], found: Mapping[str, str]) -> dict[str, str]:
    """Pair variables that are made alike, as far as their names are paired already."""
    own = {target: line.value for line in pair.right.tree.body for target in line.targets}
    other = {target: line.value for line in pair.wrong.tree.body for target in line.targets}
    more: dict[str, str] = {}
    for name in left:
        if name in own:
            written = renamed(own[name], {**found, **more})
            twin = next((each for each in free if each not in more.values() and other.get(each) == written), None)
            more |= {} if twin is None else {name: twin}
    return more


def _alike(
    right: Sequence[Mapping[str, np.ndarray]], wrong: Sequence[Mapping[str, np.ndarray]], name: str, other: str
) -> bool:
    """Whether two variables hold the same numbers on all streams."""
    return all(
        name in one and other in two and np.allclose(one[name], two[other], rtol=1e-6, atol=0.0, equal_nan=True)
        for one, two in zip(right, wrong, strict=True)
    )


def _renamed(rule: Rule, names: dict[str, str]) -> Rule:
    """Write a rule with other names."""

    tree = rule.tree
    written = Tree(
        tree.name,
        tree.inputs,
        tuple(State(names.get(state.name, state.name), renamed(state.start, names)) for state in tree.states),
        tuple(
            Knob(
                names.get(knob.name, knob.name),
                knob.default,
                expression=None if knob.expression is None else renamed(knob.expression, names),
            )
            for knob in tree.knobs
        ),
        tuple(
            Assignment(tuple(names.get(target, target) for target in line.targets), renamed(line.value, names))
            for line in tree.body
        ),
        renamed(tree.result, names),
        tree.flatten,
    )
    return of_tree(written, paper=rule.paper)
