"""Judge a recorded run on its record alone: fitted on the first half, confirmed on the whole. It drives nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from mhat.checks.conformance import SECONDS, askable, identified, judged
from mhat.checks.deviation import VISIBLE, sequences
from mhat.checks.findings import Diagnosis
from mhat.checks.question import Question
from mhat.checks.verdict import Verdict
from mhat.dtypes import DTYPES
from mhat.errors import BadValue
from mhat.language import Rule
from mhat.language.tree import Name, Operation
from mhat.language.walking import names_in
from mhat.search.effort import Effort, Listener
from mhat.search.evaluator import Evaluator
from mhat.search.matching import update_scale
from mhat.search.observed import Observed, Probes
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
FEWEST_STEPS = 4
CONSISTENT = "what fits is consistent with this record: found on its first half and confirmed on the whole of it"


class Recorded(Protocol):
    """What a record must hold: gradients and what was observed, (T, *shape) for each tensor."""

    @property
    def name(self) -> str: ...
    @property
    def gradients(self) -> Sequence[Array]: ...
    @property
    def observed(self) -> Sequence[Array]: ...
    @property
    def observe(self) -> str: ...
    @property
    def start(self) -> Sequence[Array] | None: ...
    @property
    def knobs(self) -> Mapping[str, float]: ...


def check_record(
    record: Recorded,
    rule: Rule,
    *,
    strict: bool = False,
    seconds: float = SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Verdict:
    """Check a recorded run against a rule. What fits is consistent with this record, and no more is claimed.

    Knobs given, or told by the record, are held; others are estimated unless `strict`.

    Raises BadValue for a record of fewer than four steps, UnknownName for a knob that the rule does not have.
    """
    question = _question(record, rule, knobs or {})
    return _noted(judged(question, Effort(seconds, report), strict=strict), record, question)


def identify_record(
    record: Recorded,
    rules: Sequence[Rule],
    *,
    seconds: float = 2 * SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Verdict:
    """Find which of the rules a recorded run follows, and if none, which it is nearest to and what was changed.

    Knobs given are held where a rule has them. Raises as `check_record` does.
    """
    questions = {
        rule.name: _question(record, rule, {name: value for name, value in (knobs or {}).items() if name in rule.knobs})
        for rule in askable(rules, record.observe)
    }
    verdict = identified(list(questions.values()), Effort(seconds, report))
    return _noted(verdict, record, questions[verdict.against])


def _noted(verdict: Verdict, record: Recorded, question: Question) -> Verdict:
    """Add what a record cannot tell."""
    notes = [CONSISTENT] if verdict.conforms or verdict.diagnosis is not None else []
    if record.start is None and record.observe == "x":
        steps_alone = question.observe == "update"
        taken = "what its steps add to it is compared, from the second step on" if steps_alone else "0 is taken"
        notes.append(f"the record does not say where x starts: {taken} (a row of step 0 with x alone says it)")
    if verdict.diagnosis is not None:
        for other in verdict.diagnosis.others[:1]:
            apart = _telling_apart(question, verdict.diagnosis, other)
            if apart is not None:
                notes.append(f"the gradients {list(apart)} would tell the first two answers apart")
    return replace(verdict, notes=(*notes, *verdict.notes))


def _question(record: Recorded, rule: Rule, held: Mapping[str, float]) -> Question:
    """Put a record in the place of what a subject would have done; knobs that it tells are held too."""
    held = {name: value for name, value in record.knobs.items() if name in rule.knobs} | dict(held)
    gradients, observed, start = side_by_side(record)
    steps = len(gradients)
    if steps < FEWEST_STEPS:
        raise BadValue(f"the record has {steps} steps", f"Record at least {FEWEST_STEPS}.")
    dtype = "float32" if np.array_equal(observed, observed.astype(np.float32), equal_nan=True) else "float64"
    observe, slack = record.observe, np.zeros_like(observed)
    if record.start is None and observe == "x" and not _reads_x(rule) and np.isfinite(observed[0]).all():
        # What is written down is rounded, and where the first step came from is not known.
        slack = 2 * DTYPES[dtype].epsilon * np.abs(observed)
        slack[0] = np.inf
        observe, start, observed = "update", observed[0], np.diff(observed, axis=0, prepend=observed[:1])
    knobs = {**rule.knobs, **held}

    def upto(step: int) -> Observed:
        probes = Probes(gradients[None, :step], start[None], knobs, observe)
        return Observed(probes, observed[:step, None], slack[:step, None])

    subject = Subject(record.name, _refused, dtype=dtype)
    return Question(subject, rule, observe, held, (upto(max(steps // 2, 2)), upto(steps)))


def _reads_x(rule: Rule) -> bool:
    """Whether what a step adds to x depends on x."""
    result = rule.tree.result
    added = result.arguments[1:] if isinstance(result, Operation) and result.arguments[0] == Name("x") else (result,)
    states = [state.start for state in rule.tree.states]
    return any("x" in names_in(part) for part in (*added, *states, *(line.value for line in rule.tree.body)))


def side_by_side(record: Recorded) -> tuple[Array, Array, Array]:
    """Lay tensors side by side, (step, tensor, coordinate); of different sizes they become one long tensor."""
    flat = [np.asarray(g, dtype=np.float64).reshape(len(g), -1) for g in record.gradients]
    seen = [np.asarray(x, dtype=np.float64).reshape(len(x), -1) for x in record.observed]
    starts = [np.zeros(g.shape[1]) for g in flat] if record.start is None else [np.ravel(s) for s in record.start]
    if len({g.shape[1] for g in flat}) == 1:
        return np.stack(flat, axis=1), np.stack(seen, axis=1), np.stack(starts)
    return np.hstack(flat)[:, None], np.hstack(seen)[:, None], np.hstack(starts)[None]


def _refused(gradients: list[Array], start: list[Array], knobs: dict[str, float]) -> list[Array]:
    raise BadValue("a record cannot be driven", "Check the implementation itself to learn more.")


def _telling_apart(question: Question, a: Diagnosis, b: Diagnosis) -> tuple[float, ...] | None:
    """Find the shortest simple gradients on which two answers differ."""
    simple = list(dict.fromkeys(sequences()))
    gradients = np.zeros((max(map(len, simple)), 1, len(simple)))
    for i, sequence in enumerate(simple):
        gradients[: len(sequence), 0, i] = sequence
    evaluator = Evaluator(question.probes_of(gradients))
    first, second = (evaluator.run(answer.rule.tree, answer.knobs)[:, 0, 0] for answer in (a, b))
    with np.errstate(all="ignore"):
        apart = np.abs(first - second) > VISIBLE * update_scale(first, np.zeros_like(first[0]))
    for i, sequence in enumerate(simple):
        hits = np.flatnonzero(apart[: len(sequence), i])
        if hits.size:
            return sequence[: int(hits[0]) + 1]
    return None
