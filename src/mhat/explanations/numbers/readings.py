"""Runs whose number is read at once: on a stream, or on a landscape, where the gradient answers. It knows no rule."""

from __future__ import annotations

from dataclasses import replace

from mhat import landscapes, streams
from mhat.explanations.claims import Run
from mhat.explanations.runs import Setting, read, repeated
from mhat.language import Level


class Unread(Exception):
    """There is no stream by name that a rule could be run on: a rule per matrix takes matrices."""


def measured(setting: Setting, run: Run) -> Run:
    """Give a run of a rule with the number that is read from it; raises Unread where no text names such a run."""
    if setting.rule.level == Level.MATRIX:
        raise Unread
    base = run.stream.partition(":")[0].strip()
    if base in landscapes.names() and base not in streams.names():
        asked = replace(run, rule=setting.text, knobs=dict(setting.knobs))
        return replace(asked, value=repeated(asked))
    return read(setting, run)


def move(setting: Setting, stream: str, step: int, steps: int | None = None) -> Run:
    """Read how far x goes in one step of a run."""
    return measured(setting, Run("", stream, steps or step, "update", step))
