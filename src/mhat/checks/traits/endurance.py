"""Whether a subject goes on as it began: a long stream, for counters that stop or wrap, and states that overflow.

It sees subjects only. How far it is followed depends on how long a step takes, and is said where that is not far.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.findings import LawFinding
from mhat.checks.gradients import Setting, drive_once, tensors_of
from mhat.checks.matrices import gradients as matrices
from mhat.checks.matrices.orthogonals import Meaning, guarding
from mhat.checks.oracle import bound
from mhat.checks.question import FRESH_STEPS, Question
from mhat.checks.traits.lateness import driven_in_turns, late_window
from mhat.checks.verdict import Verdict
from mhat.dtypes import DTYPES
from mhat.errors import SubjectError
from mhat.language import Rule
from mhat.language.inference import Level
from mhat.search.matching import loose_bound
from mhat.search.matrices import evaluator_of
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
NAME = "long run"
INTUITION = "What holds at first holds later: counters count on, and states stay finite."
STEPS = 600
# What a text may count in, and how many steps show it.
COUNTERS = {"int16": 33_000, "float16": 2_200, "half": 2_200}
# Seconds that a long run may take: twice what a step of a millisecond needs, so that no busy machine decides.
SECONDS = 1.2
SECONDS_OF_COUNTERS = 6.0
FEWEST = 120
MARGIN = 10.0
SHORTLY = "it was followed for {steps} steps: one takes {ms:.3g} ms"
FAILS = "it was followed for {few} steps: over {steps} it {said}"
# What is raised where numbers are no longer what they were.
OF_NUMBERS = ("OverflowError", "ZeroDivisionError", "FloatingPointError", "math domain error")
# Where a counter ends, step by step, and of which type it is.
ENDS = (
    (127, 129, "a counter in int8 wraps at 127"),
    (255, 258, "a counter in uint8 wraps at 256, one in bfloat16 stops there"),
    (2047, 2060, "a counter in float16 stops at 2048"),
    (32767, 32769, "a counter in int16 wraps at 32767"),
)


def with_endurance(
    verdict: Verdict, question: Question, form: Rule, estimated: Mapping[str, float], meaning: Meaning | None = None
) -> Verdict:
    """Add to the verdict on what conforms whether it does so for long; `meaning`: of `orthogonal`, if another."""
    subject = question.subject
    coarse = DTYPES[subject.dtype].small or (meaning is not None and meaning.coarse)
    if not verdict.conforms or question.recorded is not None:
        return verdict
    if coarse:
        return _in_a_small_type(verdict, question, form, estimated) if meaning is None else verdict
    a_step = _seconds_a_step(question)
    steps = _far_enough(question, a_step)
    if steps < STEPS:
        # The first run may have compiled something, or the machine was busy.
        a_step = min(a_step, _seconds_a_step(question))
        steps = _far_enough(question, a_step)
    if steps < FEWEST:
        return replace(verdict, notes=(*verdict.notes, SHORTLY.format(steps=FRESH_STEPS, ms=1e3 * a_step)))
    try:
        seen = _driven(question, steps)
    except SubjectError as error:
        return _failed(verdict, error, steps)
    shown = _first_apart(question, seen, form, estimated, meaning)
    if shown is not None:
        law = LawFinding(NAME, False, INTUITION, shown)
        return replace(verdict, conforms=False, dialect=None, diagnosis=None, laws=(*verdict.laws, law))
    if steps < _wanted(question):
        return replace(verdict, notes=(*verdict.notes, SHORTLY.format(steps=steps, ms=1e3 * a_step)))
    return verdict


def _in_a_small_type(verdict: Verdict, question: Question, form: Rule, estimated: Mapping[str, float]) -> Verdict:
    """Add to the verdict on what computes in a small type whether it does so for long."""
    if question.rule.level == Level.MATRIX or question.observe != "x" or question.subject.begins:
        return verdict
    steps = _far_enough(question, _seconds_a_step(question))
    if steps < STEPS:
        return verdict
    try:
        shown = late_window(question, driven_in_turns(question, steps), form, estimated)
    except SubjectError as error:
        return _failed(verdict, error, steps)
    if shown is None:
        return verdict
    law = LawFinding(NAME, False, INTUITION, shown)
    return replace(verdict, conforms=False, dialect=None, diagnosis=None, laws=(*verdict.laws, law))


def _failed(verdict: Verdict, error: SubjectError, steps: int) -> Verdict:
    """Say what a subject raised over many steps: of its numbers it is a fault, of anything else it may be a limit."""
    said = error.what.partition("` ")[2] or error.what
    shown = FAILS.format(few=FRESH_STEPS, steps=steps, said=said)
    if not any(kind in said for kind in OF_NUMBERS):
        return replace(verdict, notes=(*verdict.notes, shown))
    law = LawFinding(NAME, False, INTUITION, shown)
    return replace(verdict, conforms=False, dialect=None, diagnosis=None, laws=(*verdict.laws, law))


def _seconds_a_step(question: Question) -> float:
    began = time.perf_counter()
    _driven(question, FRESH_STEPS)
    return (time.perf_counter() - began) / FRESH_STEPS


def _far_enough(question: Question, a_step: float) -> int:
    """Choose how many steps to follow, as many as show what the text counts in, as far as time allows."""
    wanted = _wanted(question)
    allowed = SECONDS if wanted == STEPS else SECONDS_OF_COUNTERS
    return min(wanted, int(allowed / max(a_step, 1e-7)))


def _wanted(question: Question) -> int:
    """Give how many steps show what a text counts in."""
    source = question.subject.source
    text = "" if source is None else "\n".join(source.lines)
    return max((steps for counter, steps in COUNTERS.items() if counter in text), default=STEPS)


def _driven(question: Question, steps: int) -> Observed:
    """Drive a subject as it stands, with gradients that neither die nor grow, each coordinate of another size."""
    if question.rule.level == Level.MATRIX:
        return matrices.drive_long(question.subject, question.rule, question.held, steps, question.observe)
    tensors = tensors_of(question.subject)
    rng = np.random.Generator(np.random.PCG64(57))
    gradients = 0.5 + rng.normal(size=(steps, tensors, 4))
    gradients[..., 0] = 1.0
    gradients *= np.array([1.0, 1.0, 1e-2, 30.0])
    if not question.subject.vectors:
        # Each coordinate has a run of its own.
        gradients = gradients[..., :2]
    return drive_once(question.subject, question.rule, question.held, gradients, Setting(), observe=question.observe)


def _first_apart(
    question: Question, seen: Observed, form: Rule, estimated: Mapping[str, float], meaning: Meaning | None
) -> str | None:
    wanted = evaluator_of(seen.probes, {} if meaning is None else meaning.instead).run(form.tree, estimated)
    dtype = question.subject.dtype
    limit = MARGIN * loose_bound(seen, dtype)
    if meaning is not None and meaning.guarded:
        limit = limit + guarding(form, seen.probes, estimated)
    if dtype != "float64":
        limit = np.maximum(limit, bound(form, seen.probes, estimated, wanted, dtype))
    with np.errstate(all="ignore"):
        near = (np.abs(seen.values - wanted) <= limit) | (seen.values == wanted)
    apart = ~(near | (np.isnan(seen.values) & np.isnan(wanted)))
    if not apart.any():
        return None
    step, probe, tensor, i = (int(n) for n in np.argwhere(apart)[0])
    got, expected = float(seen.values[step, probe, tensor, i]), float(wanted[step, probe, tensor, i])
    left = f"at step {step + 1} of {len(wanted)} {question.observe} = {got:.6g} where {expected:.6g} is expected"
    hint = next((said for first, last, said in ENDS if first <= step + 1 <= last), None)
    return left if hint is None else f"{left} ({hint})"
