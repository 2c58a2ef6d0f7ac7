"""Judge a recorded run on its record alone: fitted on the first half, confirmed on the whole. It drives nothing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from mhat.checks.acceptance import Dialects
from mhat.checks.answers import Conforming, deviating, following, not_accepted, verdict_of
from mhat.checks.circumstances.attempts import Found, begun_before, first_half, plainly, scheduled
from mhat.checks.circumstances.breaks import broken_at
from mhat.checks.circumstances.contradictions import Contradiction, contradicted
from mhat.checks.circumstances.replay import Replay, Setting
from mhat.checks.circumstances.rows import Rows, laid_out
from mhat.checks.conformance import (
    SECONDS,
    askable,
    identified,
    judged,
    refuses,
)
from mhat.checks.deviation import VISIBLE, sequences
from mhat.checks.diagnosis import diagnosis_of
from mhat.checks.findings import Deviation, Diagnosis
from mhat.checks.oracle import in_ulps
from mhat.checks.question import Question
from mhat.checks.verdict import Verdict
from mhat.dtypes import DTYPES
from mhat.errors import BadValue
from mhat.language import Rule
from mhat.language.tree import Name, Operation
from mhat.language.walking import names_in
from mhat.mistakes.slots import Edit
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort, Listener
from mhat.search.evaluator import Evaluator
from mhat.search.matching import update_scale
from mhat.search.observed import Observed, Probes
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
FEWEST_STEPS = 4
# Seconds of computing for each kind of circumstance, of one rule, and of one rule among many.
SOUGHT, SHORTLY = 8.0, 2.0
# And for a beginning in the middle, which is sought last: what is found of it is found soon.
BEGUN = 3.0
# What most runs follow is asked first, of each kind of circumstance.
CLASSICS = (
    "sgd", "momentum", "nesterov", "signsgd", "signum", "tiger", "lion", "adagrad", "adadelta", "rmsprop",
    "centered_rmsprop", "adam", "adamw", "adamax", "nadam", "amsgrad", "radam", "adabelief", "yogi", "qhadam", "adan",
    "adopt", "adabound", "lamb",
)  # fmt: skip
CONSISTENT_WHOLE = "it is consistent with the whole of this record, to the rounding of what is written"
NO_START = (
    "the record does not say where x starts: its first step says it, and is no evidence "
    "(a row of step 0 with x alone says it)"
)
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
    @property
    def tensors(self) -> tuple[str, ...]: ...
    @property
    def schedules(self) -> Mapping[str, Array]: ...
    @property
    def g_halves(self) -> Sequence[Array] | None: ...
    @property
    def x_halves(self) -> Sequence[Array] | None: ...
    @property
    def dtype(self) -> str | None: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def first(self) -> int: ...


def check_record(
    record: Recorded,
    rule: Rule,
    *,
    strict: bool = False,
    dialects: Dialects = True,
    seconds: float = SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Verdict:
    """Check a recorded run against a rule. What fits is consistent with this record, and no more is claimed.

    Knobs given, or told by the record, are held; others are estimated unless `strict`. `dialects` as in a check.

    Raises BadValue for a record of fewer than four steps, UnknownName for a knob that the rule does not have.
    """
    question = _question(record, rule, knobs or {}, False if strict and dialects is True else dialects)
    effort = Effort(seconds, report)
    effort.begin(f"{rule.name}, and what the record leaves unsaid")
    rows = rows_of(record)
    found = read_as(rows, rule, question.held, effort, strict=strict)
    if found is not None:
        return _read(found, record, question, effort)
    broken = _broken(rows, question, effort)
    if broken is not None:
        return _noted(deviating(question, [broken], Candidate(rule.tree, ()), effort), record, question)
    with effort.paused():
        told = contradicted(rows, rule, question.held, odd=False, late=_for(SOUGHT))
    if told is not None:
        return _contradicting(told, record, question)
    verdict = _noted(judged(question, effort, strict=strict), record, question)
    # Any steps at all look like those of a rate of its own: it is believed only where no mistake explains them.
    if verdict.conforms or verdict.diagnosis is not None or not verdict.finished:
        return verdict
    with effort.paused():
        told = contradicted(rows, rule, question.held, odd=True, late=_for(SOUGHT))
    if told is not None:
        return _contradicting(told, record, question)
    if strict:
        return verdict
    with effort.paused():
        odd = scheduled(rows, rule, question.held, odd=True, late=_for(SOUGHT))
    return verdict if odd is None else _read(odd, record, question, effort)


def read_as(rows: Rows, rule: Rule, held: Mapping[str, float], effort: Effort, *, strict: bool) -> Found | None:
    """Find the circumstances in which a record is that of a rule, the plainest first; each is sought for seconds."""
    with effort.paused():
        found = plainly(rows, rule, held, strict=strict, late=_for(SOUGHT))
        if found is None and not strict:
            found = scheduled(rows, rule, held, odd=False, late=_for(SOUGHT))
        if found is None and not strict:
            found = begun_before(rows, rule, held, late=_for(BEGUN))
    return found


def _for(seconds: float) -> Callable[[], bool]:
    """Give a clock of computing that is late after so many seconds."""
    began = time.thread_time()
    return lambda: time.thread_time() - began > seconds


def _broken(rows: Rows, question: Question, effort: Effort) -> Candidate | None:
    """Find what happened to a run from some step on, with knobs as they are told or as its first steps tell them."""
    with effort.paused():
        settings = [Setting({**question.rule.knobs, **question.held})]
        begun = first_half(rows, question.rule, question.held, late=_for(SOUGHT))
        if begun is not None and not begun.spoken:
            settings.append(replace(begun.setting, start=None))
        return broken_at(rows, question.rule, settings)


def _contradicting(told: Contradiction, record: Recorded, question: Question) -> Verdict:
    """Say what was done otherwise than the record tells: the rule is right, and what it was given is not."""
    knobs = {
        name: float(value) for name, value in told.setting.knobs.items()
        if np.ndim(value) == 0 and name not in question.held
    }  # fmt: skip
    own = {name: value for name, value in knobs.items() if value != question.rule.knobs[name]}
    edit = Edit(told.sentence, (), "told")
    diagnosis = replace(diagnosis_of(question, Candidate(question.rule.tree, (edit,), own)), diff="")
    verdict = replace(
        verdict_of(question, own, conforms=False), diagnosis=diagnosis, deviation=_shown_by(told, question, own)
    )
    return replace(_noted(verdict, record, question), notes=(CONSISTENT_WHOLE, *record.notes, *told.rows.notes))


def _shown_by(told: Contradiction, question: Question, own: Mapping[str, float]) -> Deviation | None:
    """Find the first step that is not as it is told, and where it shows most."""
    replay, rows, tree = Replay(told.rows), told.rows, question.rule.tree
    setting = replay.with_start(tree, replace(told.told, knobs={**told.told.knobs, **own}))
    agreed = replay.agrees(tree, setting)
    if agreed.all():
        return None
    step = int(np.argmin(agreed))
    predicted = replay.run(tree, setting)
    off = np.abs(predicted[step] - rows.observed[step]) / replay.limit(tree, setting, predicted)[step]
    tensor, i = np.unravel_index(int(np.nanargmax(off)), off.shape)
    lane = (slice(step + 1), tensor, i)
    before = np.zeros(step + 1)
    if rows.observe == "x":
        first = rows.start if setting.start is None else setting.start
        before = np.concatenate([first[tensor, i][None], rows.observed[:step, tensor, i]])
    downhill = -1.0 if rows.observe == "x" else 1.0
    got, wanted = (downhill * (seen[lane] - before) for seen in (rows.observed, predicted))
    apart = float(np.abs(got[-1] - wanted[-1]))
    ulps = in_ulps(apart, float(np.nanmax(np.abs(wanted))), question.subject.dtype)
    fed, done, due = (tuple(map(float, each)) for each in (rows.gradients[lane], got, wanted))
    return Deviation(step + 1, ulps, fed, done, due, tensor=int(tensor) + 1)


def _read(found: Found, record: Recorded, question: Question, effort: Effort) -> Verdict:
    """Say that the rule is followed in the circumstances that were found out, or a form that is not accepted."""
    followed = Conforming(found.spoken, found.rule, found.estimated)
    if refuses(question, followed):
        return _noted(not_accepted(question, followed, effort), record, question)
    verdict = following(question, followed)
    notes = [CONSISTENT_WHOLE, *record.notes, *found.notes]
    if record.start is None and record.observe == "x":
        notes.append(NO_START)
    return replace(verdict, notes=(*notes, *verdict.notes))


def identify_record(
    record: Recorded,
    rules: Sequence[Rule],
    *,
    dialects: Dialects = True,
    seconds: float = 2 * SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Verdict:
    """Find which of the rules a recorded run follows, and if none, which it is nearest to and what was changed.

    Knobs given are held where a rule has them. Raises as `check_record` does.
    """
    told = knobs or {}
    questions = {
        rule.name: _question(record, rule, {name: told[name] for name in told if name in rule.knobs}, dialects)
        for rule in askable(rules, record.observe, matrices=False)
    }
    effort = Effort(seconds, report)
    rows = rows_of(record)
    first = [question for name, question in questions.items() if name in CLASSICS]
    others = [question for name, question in questions.items() if name not in CLASSICS]
    for attempt, some in itertools.product((plainly_as, scheduled_as, begun_as), (first, others)):
        read = []
        for i, question in enumerate(some, 1):
            effort.begin(f"{question.rule.name}, rule {i} of {len(some)}")
            with effort.paused():
                found = attempt(rows, question.rule, question.held)
            if found is not None:
                simplicity = (
                    int(refuses(question, Conforming(found.spoken, found.rule, found.estimated))), len(found.notes),
                    len(found.spoken), len(found.estimated), len(question.rule.tree.body),
                )  # fmt: skip
                read.append((simplicity, question, found))
        if read:
            _, question, found = min(read, key=lambda one: one[0])
            return _read(found, record, question, effort)
    verdict = identified(list(questions.values()), effort)
    return _noted(verdict, record, questions[verdict.against])


def plainly_as(rows: Rows, rule: Rule, held: Mapping[str, float]) -> Found | None:
    """Read a record as that of one of many rules, with knobs estimated."""
    return plainly(rows, rule, held, strict=False, late=_for(SHORTLY))


def scheduled_as(rows: Rows, rule: Rule, held: Mapping[str, float]) -> Found | None:
    """Read a record as that of one of many rules, under a schedule."""
    return scheduled(rows, rule, held, odd=False, late=_for(SHORTLY))


def begun_as(rows: Rows, rule: Rule, held: Mapping[str, float]) -> Found | None:
    """Read a record as that of one of many rules, begun in the middle."""
    return begun_before(rows, rule, held, late=_for(SHORTLY))


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


def _question(record: Recorded, rule: Rule, held: Mapping[str, float], dialects: Dialects) -> Question:
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
    slack = slack + _written_slack(record, rule, knobs, slack.shape)

    def upto(step: int) -> Observed:
        probes = Probes(gradients[None, :step], start[None], knobs, observe)
        return Observed(probes, observed[:step, None], slack[:step, None])

    subject = Subject(record.name, _refused, dtype=dtype)
    return Question(subject, rule, observe, held, (upto(max(steps // 2, 2)), upto(steps)), dialects)


def _reads_x(rule: Rule) -> bool:
    """Whether what a step adds to x depends on x."""
    result = rule.tree.result
    added = result.arguments[1:] if isinstance(result, Operation) and result.arguments[0] == Name("x") else (result,)
    states = [state.start for state in rule.tree.states]
    return any("x" in names_in(part) for part in (*added, *states, *(line.value for line in rule.tree.body)))


def _written_slack(record: Recorded, rule: Rule, knobs: Mapping[str, float], shape: tuple[int, ...]) -> Array:
    """Give how far what is written may lie from what was, for its digits; it adds up over the steps."""
    if all(not np.any(half) for halves in (record.g_halves, record.x_halves) for half in halves or ()):
        return np.zeros(shape)
    rows = rows_of(record)
    replay, setting = Replay(rows), Setting(knobs)
    predicted = replay.run(rule.tree, setting)
    limit = np.nan_to_num(replay.limit(rule.tree, setting, predicted))
    return np.asarray(np.cumsum(limit, axis=0)) if limit.shape == shape else np.zeros(shape)


def rows_of(record: Recorded) -> Rows:
    """Lay a record out by steps, with what is known of its rounding."""
    dtype = _dtype(record)
    halves = [
        [np.zeros(np.shape(a)) for a in arrays] if known is None else known
        for arrays, known in ((record.gradients, record.g_halves), (record.observed, record.x_halves))
    ]
    return laid_out(
        record.gradients, record.observed, record.start, (halves[0], halves[1]), record.observe, dtype,
        dict(record.schedules), record.tensors,
    )  # fmt: skip


def _dtype(record: Recorded) -> str:
    """Tell the type that a run was computed in: what its numbers all are."""
    if record.dtype is not None:
        return record.dtype
    singles = (np.array_equal(x, np.asarray(x, np.float32), equal_nan=True) for x in record.observed)
    return "float32" if all(singles) else "float64"


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
