"""Runs whose number is read at once: on a stream, or on a landscape, where the gradient answers. It knows no rule."""

from __future__ import annotations

from mhat.explanations.claims import Run
from mhat.explanations.runs import Setting, read


class Unread(Exception):
    """There is no stream by name that a rule could be run on: a rule per matrix takes matrices."""


def measured(setting: Setting, run: Run) -> Run:
    """Give a run of a rule with the number that is read from it."""
    return read(setting, run)


def move(setting: Setting, stream: str, step: int, steps: int | None = None) -> Run:
    """Read how far x goes in one step of a run."""
    return measured(setting, Run("", stream, steps or step, "update", step))
