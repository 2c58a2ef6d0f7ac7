"""Runs whose number is read at once: on a stream, or on a landscape, where the gradient answers. It knows no rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Number, Run
from mhat.explanations.numbers.responses import Spot
from mhat.explanations.numbers.walks import walk
from mhat.explanations.runs import Setting, named, read
from mhat.language import Level, Name
from mhat.streams import Stream


class Unread(Exception):
    """There is no landscape by name that a rule could be run on: a rule per matrix takes matrices."""


def measured(setting: Setting, run: Run) -> Run:
    """Give a run of a rule with the number that is read from it.

    A rule per matrix is run on matrices of one row, which no text names: its run has a number and no stream. Raises
    Unread where there is not even that.
    """
    return _of_rows(setting, run) if setting.rule.level == Level.MATRIX else read(setting, run)


def repeatable(claim: Claim) -> Claim:
    """Give a claim without the runs that no text names."""
    evidence = claim.evidence
    if isinstance(evidence, Comparison) and not all(run.stream for run in evidence.runs):
        return replace(claim, evidence=replace(evidence, runs=tuple(run for run in evidence.runs if run.stream)))
    if isinstance(evidence, Number) and evidence.measured is not None and not evidence.measured.stream:
        return replace(claim, evidence=replace(evidence, measured=None))
    return claim


def _of_rows(setting: Setting, run: Run) -> Run:
    stream = named(run.stream, run.steps)
    if not isinstance(stream, Stream):
        raise Unread
    values = np.asarray(stream.values)
    spots = () if run.variable in ("x", "update") else (Spot(len(setting.rule.tree.body), Name(run.variable)),)
    gradients = values.reshape(len(values), -1)
    walked = walk(setting.rule, setting.in_force, gradients, spots, start=run.start)
    course = {"x": walked.x, "update": walked.moves}.get(run.variable)
    part = np.asarray(walked.spots[0] if course is None else course)
    part = part[run.step - 1 :] if run.over else part[run.step - 1]
    if part.size == 1 and not run.over:
        value = float(part.item())
    elif run.over in ("largest", "mean"):
        value = float(np.max(np.abs(part)) if run.over == "largest" else np.mean(np.abs(part)))
    else:
        value = float(np.sqrt(np.mean(np.square(part))))
    return replace(run, rule=setting.text, stream="", knobs=dict(setting.knobs), value=value)


def move(setting: Setting, stream: str, step: int, steps: int | None = None) -> Run:
    """Read how far x goes in one step of a run."""
    return measured(setting, Run("", stream, steps or step, "update", step))
