"""Whether what computes in a small type goes on as it began: how far it moves late in a run, beside what the rule does.

In float16 and bfloat16 parameters stand still where steps are too small for them, and averages where they are nearly
full: that is the type, and no fault. So a subject is held against the rule in the same type, and by how far it moves
over windows of steps, with gradients that keep x near 0. It sees subjects only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mhat.checks.gradients import Setting, drive_once, tensors_of
from mhat.checks.oracle import rounded_run
from mhat.checks.question import Question
from mhat.language import Rule
from mhat.laws.forms import forms
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
WINDOW, COORDINATES = 32, 6
# How much longer or shorter than in any honest form, and than at first, the moves of a window have to be.
APART = 0.25


def driven_in_turns(question: Question, steps: int) -> Observed:
    """Drive a subject as it stands, with gradients of both signs in turn, in turns of a length for each coordinate."""
    tensors = tensors_of(question.subject)
    t = np.arange(steps)
    turns = np.stack([np.where((t // (2 + i)) % 2 == 0, 1.0, -1.0) for i in range(COORDINATES)], axis=1)
    gradients = np.broadcast_to(turns[:, None], (steps, tensors, COORDINATES)) * 1.0
    if not question.subject.vectors:
        gradients = gradients[..., :2]
    return drive_once(question.subject, question.rule, question.held, gradients, Setting(), observe=question.observe)


def late_window(question: Question, seen: Observed, form: Rule, estimated: Mapping[str, float]) -> str | None:
    """Say from which window on a subject moves otherwise than the rule does in its type; None if it does not."""
    dtype = question.subject.dtype
    with np.errstate(all="ignore"):
        honest = [rounded_run(each, seen.probes, estimated, dtype) for each in forms(form)]
    honest.append(Evaluator(seen.probes).run(form.tree, estimated))
    got, wanted = _moves(seen.values), np.stack([_moves(values) for values in honest])
    low, high = wanted.min(axis=0), wanted.max(axis=0)
    with np.errstate(all="ignore"):
        apart = ~((got >= low * (1 - APART)) & (got <= high * (1 + APART)))
    apart &= np.isfinite(high)
    # A window counts where the others after it are apart too: rounding comes and goes, and what has ended does not.
    ended = np.logical_and.accumulate(apart[::-1].all(axis=-1), axis=0)[::-1]
    if not ended.any() or ended[0]:
        return None
    first = int(np.argmax(ended))
    now, then = float(np.median(got[first])), float(np.median(wanted[:, first]))
    return (
        f"over the steps {first * WINDOW + 1} to {(first + 1) * WINDOW} it moves by {now:.4g} in all "
        f"where the rule moves by {then:.4g} in {dtype}"
    )


def _moves(values: Array) -> Array:
    """Give how far all coordinates move over each window of steps, (window, coordinate)."""
    with np.errstate(all="ignore"):
        steps = np.abs(np.diff(values, axis=0, prepend=0.0 * values[:1])).reshape(len(values), -1)
    whole = len(steps) // WINDOW * WINDOW
    return np.asarray(steps[:whole].reshape(-1, WINDOW, steps.shape[1]).sum(axis=1))
