"""Is a subject what it claims to be, in which dialect, and if not, which edits make the rule do what it does.

    check       one subject against one rule
    identify    which rule it is
    judged      one question, of a subject or of a record
    identified  several questions about one

It sees subjects only: gradients in, parameters out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.acceptance import Dialects, Form, refused, sorted_forms
from mhat.checks.answers import Conforming, deviating, following, not_accepted
from mhat.checks.defaults import with_defaults, with_switches
from mhat.checks.diagnosis import diagnosis_of
from mhat.checks.matrices.gradients import looks_at_rows
from mhat.checks.matrices.orthogonals import has_orthogonal
from mhat.checks.question import Question
from mhat.checks.readings.diagnosis import by_reading, nearest_by_reading
from mhat.checks.spellings import equal_but_for_rounding, otherwise_orthogonal, spoken_otherwise
from mhat.checks.traits.absence import with_absence
from mhat.checks.traits.apart import found_apart
from mhat.checks.traits.arithmetic import as_computed, computing_in, in_arithmetic, spoken_types
from mhat.checks.traits.ascent import CLIMBS, IF_MEANT, goes_uphill, means_to_climb
from mhat.checks.traits.endurance import with_endurance
from mhat.checks.traits.losses import lost_knob
from mhat.checks.verdict import Verdict
from mhat.errors import UnknownName
from mhat.language import Rule
from mhat.language.inference import Level
from mhat.language.vocabulary import VOCABULARY
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort, Listener
from mhat.search.knobs import Fitter
from mhat.search.variants import DEPTH, Forms
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
SECONDS = 45.0
PATIENCE = 4.0
NOTHING_TO_FIND = 0.5
OF_ROWS = (
    "it makes something else of a matrix than of the same numbers in one row: it is a rule per matrix, and there is "
    "none to identify it by. Check it against a rule of your own: --against mine.py:my_rule"
)
# Which share of a search may be spent in double precision where the code speaks of a smaller type.
SPOKEN = 0.2
# And on tensors one by one, where no single edit of all of them is the answer.
ALONE = 0.5
VERY_NEAR = "it is {} to a billionth: what is left is more than rounding, and less than mistakes make"
RANK = "{0} counts columns, and is not found out: it was taken to be {1:g}. Say it: -k {0}=3"
IN_FLOAT32 = "to the rounding of float32 it is {}: if it computes in that type, ask with --dtype float32 (dtype=)"


def check(
    subject: Subject,
    rule: Rule,
    *,
    observe: str = "x",
    strict: bool = False,
    dialects: Dialects = True,
    maximize: bool = False,
    seconds: float = SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Verdict:
    """Check a subject against a rule.

    `observe`: what the subject answers: "x", the "update", or a variable of the rule. `strict` holds the rule's
    defaults; otherwise knobs that the subject hides are estimated and reported. `dialects`: which documented other
    forms conform, by name; True: all but those that decay otherwise, and none if `strict`. `maximize`: it climbs,
    so it is given the negated gradients. `seconds` of computing limit the search for the mistake. `knobs` given are
    held. `report` is told what is tried, what was found so far, and which share of the time has gone.

    Raises UnknownName and BadValue for what cannot be asked, SubjectError if the subject fails.
    """
    accepted: Dialects = False if strict and dialects is True else dialects
    question = Question(climbing(subject) if maximize else subject, rule, observe, dict(knobs or {}), dialects=accepted)
    verdict = judged(question, Effort(seconds, report), strict=strict)
    told = {*question.held, *question.subject.defaults}
    for rank in (name[1:] for name in question.rule.ranks if name[1:] not in told):
        if not verdict.conforms:
            verdict = replace(verdict, notes=(*verdict.notes, RANK.format(rank, question.rule.knobs[rank])))
    return with_defaults(verdict, question) if strict else verdict


def identify(
    subject: Subject,
    rules: Sequence[Rule],
    *,
    observe: str = "x",
    dialects: Dialects = True,
    maximize: bool = False,
    seconds: float = 2 * SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Verdict:
    """Find which of the rules a subject is, with which knobs, and if none, which it is nearest to and what was changed.

    The verdict's `against` names the rule. Knobs given are held where a rule has them. Raises as `check` does.
    """
    pairs = [(rule, observe) for rule in askable(rules, observe)]
    return among(subject, pairs, dialects=dialects, maximize=maximize, seconds=seconds, knobs=knobs, report=report)


def among(
    subject: Subject,
    pairs: Sequence[tuple[Rule, str]],
    *,
    dialects: Dialects = True,
    maximize: bool = False,
    seconds: float = 2 * SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Verdict:
    """Find which rule a subject is and what it gives of it, of some pairs of both; raises as `check` does."""
    subject = climbing(subject) if maximize else subject
    held = knobs or {}
    rows = looks_at_rows(subject)
    of_matrices = [pair for pair in pairs if pair[0].level == Level.MATRIX]
    others = [pair for pair in pairs if pair not in of_matrices]
    questions = [
        Question(
            subject,
            rule,
            observe,
            rule.settled({name: held[name] for name in held if name in rule.knobs}),
            dialects=dialects,
        )
        for rule, observe in (of_matrices if rows and of_matrices else others or pairs)
    ]
    if not rows or of_matrices:
        return identified(questions, Effort(seconds, report))
    # No edit of a rule that looks at no rows makes one that does: there is nothing to search for.
    verdict = identified(questions, Effort(min(seconds, NOTHING_TO_FIND), report))
    if verdict.conforms:
        return verdict
    return replace(verdict, finished=True, nearest=None, notes=(*subject.notes, OF_ROWS))


def can_be_found(rule: Rule) -> bool:
    """Whether a rule may be found by gradients: it reads nothing else."""
    return not rule.tree.given


def askable(rules: Sequence[Rule], observe: str, *, matrices: bool = True) -> list[Rule]:
    """Choose the rules of which such an observation can be judged; raises UnknownName if there is none.

    `matrices`: rules per matrix too, which cannot be asked of a record.
    """
    chosen = [
        rule
        for rule in rules
        if observe in ("x", "update", *rule.variables)
        and (matrices or rule.level != Level.MATRIX)
        and (len(rules) == 1 or can_be_found(rule))
    ]
    if not chosen:
        variables = dict.fromkeys(variable for rule in rules for variable in rule.variables)
        raise UnknownName("variable of any rule", observe, ("x", "update", *variables))
    return chosen


def _climbs(question: Question, *, strict: bool) -> bool:
    """Whether a subject is the rule but for its sign."""
    if not goes_uphill(question):
        return False
    return conforming(in_arithmetic(question, climbing(question.subject)), strict=strict) is not None


def as_meant(questions: Sequence[Question]) -> list[Question]:
    """Ask about a subject that climbs, and whose code means to, by negated gradients."""
    subject = questions[0].subject
    if not means_to_climb(subject) or not goes_uphill(questions[0]):
        return list(questions)
    turned = replace(climbing(subject), notes=(*subject.notes, CLIMBS))
    return [in_arithmetic(question, turned) for question in questions]


def climbing(subject: Subject) -> Subject:
    """Turn a subject that climbs into one that descends: it is given the negated gradients, and is not read."""

    def drive_up(gradients: list[Array], start: list[Array], knobs: dict[str, float]) -> list[Array]:
        return subject.drive([-g for g in gradients], start, knobs)

    return replace(subject, drive=drive_up, record=None)


def judged(question: Question, effort: Effort, *, strict: bool = False) -> Verdict:
    """Answer a question: the rule is followed, as written or in a dialect, or something was changed."""
    effort.begin(f"{question.rule.name} as it is written, and its documented forms")
    with effort.paused():
        (question,) = as_computed(as_meant([question]))
        followed = conforming(question, strict=strict)
        rounded = None if followed is not None else _rounded(question)
        if rounded is not None and rounded[0].subject.notes != question.subject.notes:
            question, followed = rounded
        if followed is not None and not refuses(question, followed):
            return followed_on(question, followed)
    if followed is not None:
        return not_accepted(question, followed, effort)
    if (lost := lost_knob(question)) is not None:
        return deviating(question, [lost], lost, effort)
    notes = (IN_FLOAT32.format(question.rule.name),) if rounded is not None else ()
    if _climbs(question, strict=strict):
        read = by_reading(question, effort, () if strict else question.hidden)
        candidates = _search(question, effort, ()).candidates(1) if read is None else read.candidates
        verdict = deviating(question, candidates, Candidate(question.rule.tree, ()), effort)
        verdict = verdict if read is None else read.placed(verdict)
        return replace(verdict, notes=(*verdict.notes, IF_MEANT))
    # The small types tell so little apart that several edits can be made to fit anything.
    depth, until = (DEPTH if question.subject.dtype in ("float64", "float32") else 1), effort.seconds
    if rounded is not None:
        # What is lost in rounding looks like no edit; what looks like rounding may still be a small one.
        depth, until = min(depth, 2), until / 3
    spoken = None if has_orthogonal(question.rule) else next(spoken_types(question.subject), None)
    if question.subject.dtype == "float64" and question.confirms(question.rule.tree, {}):
        # The rule itself is as near as any edit of it would have to be: one that fits would be named by chance.
        return deviating(
            question, [], Candidate(question.rule.tree, ()), effort, (VERY_NEAR.format(question.rule.name),)
        )
    if (read := by_reading(question, effort, () if strict else question.hidden)) is not None:
        return read.placed(deviating(question, read.candidates, Candidate(question.rule.tree, ()), effort, notes))
    search = _search(question, effort, () if strict else question.hidden)
    if spoken is not None and rounded is None:
        # Whose code speaks of a smaller type may have its mistake in that: single edits first, then all in that type.
        if candidates := search.candidates(1, effort.share(SPOKEN)):
            return deviating(question, candidates, search.nearest, effort)
        question = in_arithmetic(question, computing_in(question.subject, spoken))
        search = _search(question, effort, () if strict else question.hidden)
        depth = DEPTH if spoken == "float32" else 1
    if (apart := _apart(question, effort, strict=strict, some_right=True)) is not None:
        return apart
    single: Sequence[Candidate] = search.candidates(1, until)
    if not single and (apart := _apart(question, effort, strict=strict, some_right=False)) is not None:
        return apart
    return deviating(question, single or search.candidates(depth, until, first=2), search.nearest, effort, notes)


def _apart(question: Question, effort: Effort, *, strict: bool, some_right: bool) -> Verdict | None:
    """Say in which tensors alone something was changed; None where it is not so."""
    until = effort.share(ALONE)

    def follows(alone: Question) -> bool:
        followed = conforming(alone, strict=strict)
        return followed is not None and not refuses(alone, followed)

    def candidates(alone: Question, effort: Effort, depth: int) -> Sequence[Candidate]:
        return _search(alone, effort, () if strict else alone.hidden).candidates(depth, until)

    apart = found_apart(question, effort, follows, candidates, some_right=some_right)
    if apart is None:
        return None
    verdict = deviating(question, [apart.candidate], apart.candidate, effort, laws_of=apart.wrong[0][1])
    names = question.subject.called
    pointed = [
        line for k, alone, answer in apart.wrong
        for line in diagnosis_of(alone, answer, near=names[k - 1] if len(names) >= k else "").lines
    ]  # fmt: skip
    assert verdict.diagnosis is not None
    diagnosis = replace(verdict.diagnosis, lines=tuple(dict.fromkeys(pointed)))
    return replace(verdict, diagnosis=diagnosis, notes=(*verdict.notes, *apart.notes))


def identified(questions: Sequence[Question], effort: Effort) -> Verdict:
    """Answer the question that is to be answered of several about one subject: which rule it is, or is nearest to."""
    followed: list[tuple[tuple[int, ...], Question, Conforming]] = []
    with effort.paused():
        questions = as_computed(as_meant(questions))
        for i, question in enumerate(questions, 1):
            effort.begin(f"{question.rule.name}, rule {i} of {len(questions)}")
            if (each := conforming(question)) is not None:
                # A knob that is found to be 0 or 1 makes another rule of it: a plain dialect of that one comes first.
                switched = sum(value in (0.0, 1.0) for value in each.estimated.values())
                simplicity = (
                    int(refuses(question, each)),
                    len(each.spoken) + 2 * switched,
                    len(each.estimated),
                    len(question.rule.tree.body),
                )
                followed.append((simplicity, question, each))
    if followed:
        _, question, simplest = min(followed, key=lambda one: one[0])
        if refuses(question, simplest):
            return not_accepted(question, simplest, effort)
        return followed_on(question, simplest)
    if (nearest := nearest_by_reading(questions, effort)) is not None:
        question, read = nearest
        return read.placed(deviating(question, read.candidates, Candidate(question.rule.tree, ()), effort))
    return _nearest_of(questions, effort)


def conforming(question: Question, *, strict: bool = False) -> Conforming | None:
    """Find the form of the rule that the subject follows to rounding: as written, or a dialect; and hidden knobs.

    A form that is not accepted comes last, where no other is followed.
    """
    for forms in sorted_forms(question.rule, question.dialects):
        if (found := _followed(question, forms, strict=strict)) is not None:
            return found
    return None


def refuses(question: Question, followed: Conforming) -> bool:
    """Whether what is followed is a dialect that is not accepted."""
    return refused(question.rule, (followed.spoken, followed.rule), question.dialects)


def _followed(question: Question, forms: Sequence[Form], *, strict: bool) -> Conforming | None:
    near = [form for form in forms if question.matcher.agreed(form[1].tree) == question.matcher.steps]
    for spoken, rule in near:
        if question.agrees(rule, {}):
            return Conforming(spoken, rule, {})
    for spoken, rule in near:
        if (note := equal_but_for_rounding(question, rule)) is not None:
            return Conforming(spoken, rule, {}, (note,))
    for spoken, rule in forms:
        if (found := otherwise_orthogonal(question, rule)) is not None:
            meaning, dialect = found
            return Conforming(spoken + dialect, rule, {}, (meaning.note,) if meaning.note else (), meaning)
    if strict:
        return None
    for spoken, rule in forms:
        fitter = Fitter(question.matcher, rule.tree, question.hidden)
        knobs = fitter.quick(rule.tree) or fitter.fit(rule.tree)
        if knobs and not _without_memory(rule, knobs) and question.confirms(rule.tree, knobs):
            return Conforming(spoken, rule, knobs)
    return None


def _without_memory(rule: Rule, knobs: Mapping[str, float]) -> bool:
    """Whether estimates say that nothing is remembered: a state that is lost looks like a decay rate of zero."""
    rates = [name for name in rule.knobs if name in VOCABULARY and not VOCABULARY[name].closed]
    return bool(rates) and all(knobs.get(name) == 0.0 for name in rates)


def _rounded(question: Question) -> tuple[Question, Conforming] | None:
    """Ask about a subject as one of a smaller type that its code speaks of; of float32 also if it does not.

    Where it does, its notes say so. None where it is the rule, or a dialect, to the rounding of none of them.
    """
    subject = question.subject
    if subject.dtype != "float64" or question.recorded is not None:
        return None
    spoken = list(spoken_types(subject))
    for dtype in dict.fromkeys([*spoken, "float32"]):
        coarser = computing_in(subject, dtype) if dtype in spoken else replace(subject, dtype=dtype)
        asked = replace(question, subject=coarser)
        found = conforming(asked, strict=True)
        if found is not None and not refuses(asked, found):
            return asked, found
    return None


def _search(question: Question, effort: Effort, hidden: tuple[str, ...]) -> Forms:
    def confirmed(candidate: Candidate) -> bool:
        return question.confirms(candidate.tree, candidate.knobs)

    otherwise = spoken_otherwise(question)
    return Forms(question.rule, question.matcher, confirmed, effort, hidden, question.held, otherwise)


def _nearest_of(questions: Sequence[Question], effort: Effort) -> Verdict:
    """Search the edits of every rule, first single ones, then deeper, those first that explain most."""
    ranked = sorted(questions, key=lambda question: -question.matcher.score(question.rule.tree))
    searches = [(question, _search(question, effort, question.hidden)) for question in ranked]
    until = effort.seconds
    for depth in (1, 2, 3):
        answers: list[tuple[Question, list[Candidate]]] = []
        for question, search in searches:
            if effort.ends(until if answers else until - 1):
                break
            candidates = search.at(depth, effort.share(0.5, until))
            if candidates:
                # The likeliest come first: after an answer the others are given little time for a better one.
                until = until if answers else effort.within(PATIENCE, until)
                answers.append((question, candidates))
        if answers:
            question, candidates = min(answers, key=lambda answer: answer[1][0].cost)
            return deviating(question, candidates, Candidate(question.rule.tree, ()), effort)
        searches = searches[:4]
    question, search = searches[0]
    return deviating(question, [], search.nearest, effort)


def followed_on(question: Question, followed: Conforming) -> Verdict:
    """Say that the rule is followed, unless it is not with other knobs switched on, missing gradients, or for long."""
    verdict = with_absence(with_switches(following(question, followed), question, followed.meaning), question)
    return with_endurance(verdict, question, followed.rule, followed.estimated, followed.meaning)
