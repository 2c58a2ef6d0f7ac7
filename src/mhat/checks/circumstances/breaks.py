"""What happened to a run from some step on: its count began again, its state was lost. They know no file.

The steps before agree with the rule; those after are run on from what was carried there, or from what a new run has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.checks.circumstances.replay import Replay, Setting
from mhat.checks.circumstances.rows import Rows
from mhat.language import Rule
from mhat.language.inference import names_read
from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.walking import mapped_tree
from mhat.mistakes.slots import Edit
from mhat.search.candidates import Candidate

FEWEST_BEFORE = 4
FEWEST_AFTER = 3


@dataclass(frozen=True)
class _Event:
    """What may have happened before a step: the count, and which states, begin anew."""

    sentence: str
    counts: bool
    lost: tuple[str, ...]


def broken_at(rows: Rows, rule: Rule, settings: Sequence[Setting]) -> Candidate | None:
    """Find the step from which on a run is another one, and what happened there; None if that explains nothing."""
    replay = Replay(rows)
    for setting in settings:
        agreed = replay.agrees(rule.tree, replay.with_start(rule.tree, setting))
        at = int(np.argmin(agreed)) if not agreed.all() else 0
        if at < FEWEST_BEFORE or rows.steps - at < FEWEST_AFTER:
            continue
        _, carried = Replay(rows.first_steps(at)).course(rule.tree, setting)
        after = Replay(_from(rows, at))
        for event in _events(rule, at + 1):
            states = {name: values for name, values in carried.items() if name not in event.lost}
            begun = replace(setting, begin=0.0 if event.counts else float(at), states=states)
            if after.agrees(rule.tree, begun).all():
                return _as_candidate(rule, event, at + 1, setting.knobs)
    return None


def _events(rule: Rule, step: int) -> Iterator[_Event]:
    states = tuple(rule.tree.state_names)
    counts = "t" in names_read(rule.tree)
    kept = f", and {_all(states)} {'are' if len(states) > 1 else 'is'} kept" if states else ""
    if counts:
        yield _Event(f"the step counter begins again at step {step}{kept}", True, ())
    if states:
        yield _Event(f"at step {step} {_all(states)} begin{'' if len(states) > 1 else 's'} anew", False, states)
        if counts:
            yield _Event(f"at step {step} everything begins anew: {_all(states)} and the step counter", True, states)
    if len(states) > 1:
        for name in states:
            yield _Event(f"at step {step} `{name}` begins anew", False, (name,))
            if counts:
                yield _Event(f"at step {step} `{name}` and the step counter begin anew", True, (name,))


def _all(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _as_candidate(rule: Rule, event: _Event, step: int, knobs: Mapping[str, Any]) -> Candidate:
    """Write the event into the rule."""
    tree = rule.tree
    t, at = Name("t"), Number(float(step))
    if event.counts:
        since: Expression = Operation("sub", (t, Number(float(step - 1))))
        counted = Operation("where", (Operation("lt", (t, at)), t, since))
        tree = mapped_tree(tree, lambda node: counted if node == t else node)
    starts = {state.name: state.start for state in tree.states}
    lines = tuple(
        Assignment((name,), Operation("where", (Operation("eq", (t, at)), starts[name], Name(name))))
        for name in event.lost
    )
    inputs = tree.inputs if "t" in tree.inputs or not (lines or event.counts) else (*tree.inputs, "t")
    tree = _told(replace(tree, body=(*lines, *tree.body), inputs=inputs))
    told = {
        name: float(value) for name, value in knobs.items()
        if np.ndim(value) == 0 and float(value) != rule.knobs[name]
    }  # fmt: skip
    return Candidate(tree, (Edit(event.sentence, (), "break"),), told)


def _told(tree: Tree) -> Tree:
    """Give the inputs in their order."""
    return replace(tree, inputs=tuple(name for name in ("x", "g", "t", "k", "n") if name in tree.inputs))


def _from(rows: Rows, step: int) -> Rows:
    cut = {name: getattr(rows, name)[step:] for name in ("gradients", "observed", "g_half", "x_half")}
    over = {name: values[step:] for name, values in rows.schedules.items()}
    start = rows.observed[step - 1] if rows.observe == "x" else rows.start
    return replace(rows, **cut, schedules=over, start=start)
