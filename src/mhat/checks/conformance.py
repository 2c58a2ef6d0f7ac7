"""Is a subject what it claims to be, in which dialect, and if not, which edits make the rule do what it does.

    check       one subject against one rule
    identify    which rule it is
    compare     where and why two subjects part

It sees subjects only: gradients in, parameters out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.checks.deviation import first_deviation
from mhat.checks.diagnosis import diagnosis_of
from mhat.checks.gradients import designed, drive, tensors_of
from mhat.checks.lawfulness import findings
from mhat.checks.question import Question
from mhat.checks.verdict import Deviation, Diagnosis, Verdict
from mhat.language import Rule
from mhat.mistakes.dialects import Dialect, dialects_of
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort
from mhat.search.knobs import Fitter
from mhat.search.matching import RELATIVE, same, update_scale
from mhat.search.variants import DEPTH, Forms
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
SECONDS = 45.0
PATIENCE = 4.0
IN_FLOAT32 = "to the rounding of float32 it is {}: it seems to compute in that type"


def check(
    subject: Subject,
    rule: Rule,
    *,
    observe: str = "x",
    strict: bool = False,
    maximize: bool = False,
    seconds: float = SECONDS,
    **knobs: float,
) -> Verdict:
    """Check a subject against a rule.

    `observe`: what the subject answers: "x", the "update", or a variable of the rule. `strict` holds the rule's
    defaults; otherwise knobs that the subject hides are estimated and reported. `maximize`: the subject climbs,
    so it is given the negated gradients. `seconds` limits the search for the mistake. Knobs given are held.

    Raises UnknownName and BadValue for what cannot be asked, SubjectError if the subject fails.
    """
    question = Question(climbing(subject) if maximize else subject, rule, observe, knobs)
    known = conforming(question, strict=strict)
    if known is not None:
        spoken, meant, estimated = known
        verdict = verdict_of(question, estimated, conforms=True)
        if not spoken:
            return verdict
        diagnosis = diagnosis_of(question, Candidate(meant.tree, (), estimated), spoken)
        return replace(verdict, dialect="; ".join(named(d) for d in spoken), diagnosis=diagnosis)
    return _deviating(question, seconds, strict)


def named(dialect: Dialect) -> str:
    """Name a dialect with its reference."""
    return f"{dialect.name} ({dialect.reference})"


def climbing(subject: Subject) -> Subject:
    """Turn a subject that climbs into one that descends: it is given the negated gradients."""

    def drive_up(gradients: list[Array], start: list[Array], knobs: dict[str, float]) -> list[Array]:
        return subject.drive([-g for g in gradients], start, knobs)

    return replace(subject, drive=drive_up)


def conforming(
    question: Question, *, strict: bool = False
) -> tuple[tuple[Dialect, ...], Rule, dict[str, float]] | None:
    """Find the form of the rule that the subject follows to rounding: as written, or a dialect; and hidden knobs."""
    forms = [((), question.rule), *dialects_of(question.rule)]
    for spoken, rule in forms:
        if question.matcher.agreed(rule.tree) == question.matcher.steps and question.agrees(rule, {}):
            return spoken, rule, {}
    if strict:
        return None
    for spoken, rule in forms:
        fitter = Fitter(question.matcher, rule.tree, question.hidden)
        knobs = fitter.quick(rule.tree) or fitter.fit(rule.tree)
        if knobs and question.confirms(rule.tree, knobs):
            return spoken, rule, knobs
    return None


def verdict_of(question: Question, estimated: Mapping[str, float], conforms: bool) -> Verdict:
    """Begin a verdict: what was asked, and the knobs as they are known."""
    known = {**question.rule.knobs, **question.subject.defaults, **question.held, **estimated}
    return Verdict(
        subject=question.subject.name,
        against=question.rule.name,
        paper=question.rule.paper,
        conforms=conforms,
        observe=question.observe,
        dtype=question.subject.dtype,
        knobs={name: known[name] for name in question.rule.knobs},
        estimated={name: estimated[name] for name in question.rule.knobs if name in estimated},
    )


def _deviating(question: Question, seconds: float, strict: bool) -> Verdict:
    # The small types tell so little apart that several edits can be made to fit anything.
    depth = DEPTH if question.subject.dtype in ("float64", "float32") else 1
    rounded = _conforms_in_float32(question)
    if rounded:
        # What is lost in rounding looks like no edit; what looks like rounding may still be a small one.
        depth, seconds = min(depth, 2), seconds / 3
    effort = Effort(seconds)
    search = Forms(
        question.rule,
        question.matcher,
        _confirmation(question),
        effort,
        () if strict else question.hidden,
        question.held,
    )
    found = search.candidates(depth)
    diagnosis, nearest, estimated = answers_of(question, found, search.nearest)
    verdict = verdict_of(question, estimated, conforms=False)
    return replace(
        verdict,
        laws=findings(question, estimated),
        deviation=first_deviation(question, estimated, None if diagnosis is None else diagnosis.rule.tree),
        diagnosis=diagnosis,
        nearest=nearest,
        notes=(IN_FLOAT32.format(question.rule.name),) if rounded and diagnosis is None else (),
    )


def _conforms_in_float32(question: Question) -> bool:
    """Whether a subject that answers in double precision is its rule, or a dialect, to the rounding of float32."""
    if question.subject.dtype != "float64":
        return False
    coarser = replace(question.subject, dtype="float32")
    return conforming(Question(coarser, question.rule, question.observe, question.held), strict=True) is not None


def answers_of(
    question: Question, found: list[Candidate], best: Candidate
) -> tuple[Diagnosis | None, Diagnosis | None, Mapping[str, float]]:
    """Make what a search has found into a diagnosis with its alternatives, or else the nearest candidate into one."""
    if found:
        answers = [diagnosis_of(question, candidate) for candidate in found[:4]]
        return replace(answers[0], others=_others(answers)), None, found[0].knobs
    return None, diagnosis_of(question, best) if best.edits else None, {}


def _confirmation(question: Question) -> Callable[[Candidate], bool]:
    return lambda candidate: question.confirms(candidate.tree, candidate.knobs)


def _others(answers: list[Diagnosis]) -> tuple[Diagnosis, ...]:
    """Keep other answers that are as simple as the first and read differently."""
    first = answers[0]
    return tuple(
        other
        for other in answers[1:]
        if len(other.edits) == len(first.edits) and len(other.knobs) <= len(first.knobs) and other.diff != first.diff
    )


def identify(
    subject: Subject,
    rules: Sequence[Rule],
    *,
    observe: str = "x",
    maximize: bool = False,
    seconds: float = 2 * SECONDS,
    **knobs: float,
) -> Verdict:
    """Find which of the rules a subject is, with which knobs, and if none, which it is nearest to and what was changed.

    The verdict's `against` names the rule. Knobs given are held where a rule has them. Raises as `check` does.
    """
    effort = Effort(seconds)
    subject = climbing(subject) if maximize else subject
    questions = []
    for rule in rules:
        if observe in ("x", "update", *rule.variables) and rule.level != "per matrix":
            questions.append(Question(subject, rule, observe, {k: v for k, v in knobs.items() if k in rule.knobs}))
    found = []
    for question in questions:
        known = conforming(question)
        if known is not None:
            spoken, _, estimated = known
            verdict = verdict_of(question, estimated, conforms=True)
            verdict = replace(verdict, dialect="; ".join(map(named, spoken)) or None)
            found.append(((len(spoken), len(estimated), len(question.rule.tree.body)), verdict))
    if found:
        return min(found, key=lambda pair: pair[0])[1]
    return _nearest_of(questions, effort)


def _nearest_of(questions: list[Question], effort: Effort) -> Verdict:
    """Search the edits of every rule, first single ones, then deeper, those first that explain most."""
    ranked = sorted(questions, key=lambda q: -q.matcher.score(q.rule.tree))
    searches = [(q, Forms(q.rule, q.matcher, _confirmation(q), effort, q.hidden, q.held)) for q in ranked]
    until = effort.seconds
    for depth in (1, 2, 3):
        answers: list[tuple[tuple[int, float], Question, Candidate]] = []
        for question, search in searches:
            if effort.ends(until if answers else until - 1):
                break
            found = search.at(depth, effort.share(0.5, until))
            if found and not answers:
                # The likeliest come first: after an answer the others are given little time for a better one.
                until = effort.within(PATIENCE, until)
            answers += [(candidate.cost, question, candidate) for candidate in found[:1]]
        if answers:
            _, question, candidate = min(answers, key=lambda answer: answer[0])
            verdict = verdict_of(question, candidate.knobs, conforms=False)
            return replace(
                verdict,
                laws=findings(question, candidate.knobs),
                deviation=first_deviation(question, candidate.knobs, candidate.tree),
                diagnosis=diagnosis_of(question, candidate),
            )
        searches = searches[:4]
    question = ranked[0]
    return replace(verdict_of(question, {}, conforms=False), deviation=first_deviation(question, {}),
                   laws=findings(question, {}))  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Where and why two subjects part: the verdict on each, and the first gradients at which they differ."""

    a: Verdict
    b: Verdict
    same: bool
    deviation: Deviation | None
    diff: str


def compare(
    a: Subject, b: Subject, *, rules: Sequence[Rule], seconds: float = 2 * SECONDS, **knobs: float
) -> Comparison:
    """Compare two subjects on the same gradients, and explain each by the rule that it is or is nearest to.

    Raises as `check` does.
    """
    halved: dict[str, Any] = {"seconds": seconds / 2, **knobs}
    verdicts = [identify(subject, rules, **halved) for subject in (a, b)]
    rule = next(rule for rule in rules if rule.name == verdicts[0].against)
    held = {name: value for name, value in knobs.items() if name in rule.knobs}
    tensors = min(tensors_of(a), tensors_of(b))
    streams = [designed(12, seed, tensors) for seed in (1, 2)]
    seen = [drive(subject, rule, held, streams, odd=False) for subject in (a, b)]
    first, second = seen[0].values, seen[1].values
    loose = max(RELATIVE[a.dtype], RELATIVE[b.dtype])
    apart = ~same(first, second, loose * update_scale(first, seen[0].probes.base) + 1e-300)
    if not apart.any():
        return Comparison(verdicts[0], verdicts[1], True, None, "")
    step, probe, tensor, i = (int(n) for n in np.argwhere(apart)[0])
    upto = slice(step + 1)
    deviation = Deviation(
        step + 1,
        float("nan"),
        tuple(seen[0].probes.gradients[probe, upto, tensor, i].tolist()),
        tuple(first[upto, probe, tensor, i].tolist()),
        tuple(second[upto, probe, tensor, i].tolist()),
        "parameters",
        tensor + 1,
    )
    return Comparison(verdicts[0], verdicts[1], False, deviation, _diff_between(*verdicts))


def _diff_between(a: Verdict, b: Verdict) -> str:
    parts = [f"{v.subject}:\n{v.diagnosis.diff}" for v in (a, b) if v.diagnosis is not None]
    return "\n".join(parts)
