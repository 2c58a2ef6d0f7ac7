"""Which tensors a mistake is in, where code has lines of its own for each: one tensor is asked about after the other.

It counts only for subjects whose tensors keep apart, so that one alone does what it does beside others; what they
share is another kind of mistake, and found elsewhere. It makes no edit of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.checks.gradients import fresh, tensors_of
from mhat.checks.question import Question
from mhat.errors import SubjectError, SubjectHangs
from mhat.language.inference import Level, reductions_over_all
from mhat.language.tree import INPUTS, Expression, Name, Number, Operation, Tree
from mhat.language.walking import names_in
from mhat.mistakes.slots import Edit
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
STEPS, SEED, COORDINATES = 12, 37, 3
# How many edits are looked for in one tensor: two slips in the lines of one are rare.
DEPTH = 2
RIGHT = "{} {} right"

Follows = Callable[[Question], bool]
Candidates = Callable[[Question, Effort, int], Sequence[Candidate]]


@dataclass(frozen=True)
class Apart:
    """What was found of tensors one by one: the whole as one answer, the questions that are wrong, and what is right.

    `wrong`: the number of each tensor, from 1, with the question about it alone and its answer.
    """

    candidate: Candidate
    wrong: tuple[tuple[int, Question, Candidate], ...]
    notes: tuple[str, ...]


def found_apart(
    question: Question, effort: Effort, follows: Follows, candidates: Candidates, *, some_right: bool
) -> Apart | None:
    """Name what is wrong in some tensors, where others are right or wrong in another way; None if it is not so.

    `some_right`: only where others are right. Where none is, it may be that they share what is wrong.
    """
    subject, tree = question.subject, question.rule.tree
    count = tensors_of(subject)
    if question.rule.level == Level.MATRIX:
        return None
    if count < 2 or question.recorded is not None or {"k", "n"} & set(tree.inputs) or reductions_over_all(tree):
        return None
    try:
        with effort.paused():
            if _are_alike(question, count) or not _keep_apart(question, count):
                return None
            alone = [replace(question, subject=one_of(subject, k, count)) for k in range(count)]
            wrong = [k for k in range(count) if not follows(alone[k])]
        if not wrong or (some_right and len(wrong) == count):
            return None
        answers = []
        for k in wrong:
            effort.begin(f"{question.rule.name}, {called(subject, k + 1)} alone")
            found = next((c for depth in range(1, DEPTH + 1) for c in candidates(alone[k], effort, depth)), None)
            if found is None:
                return None
            answers.append((k + 1, alone[k], found))
    except SubjectHangs:
        raise
    except SubjectError:
        return None
    edits = tuple(_placed(subject, k, edit) for k, _, answer in answers for edit in answer.edits)
    knobs = {name: value for _, _, answer in answers for name, value in answer.knobs.items()}
    whole = Candidate(_joined(tree, [(k, answer.tree) for k, _, answer in answers]), edits, knobs)
    right = [called(subject, k + 1) for k in range(count) if k not in wrong]
    said = RIGHT.format(_listed(right), "is" if len(right) == 1 else "are")
    return Apart(whole, tuple(answers), (said,) if right else ())


def called(subject: Subject, tensor: int) -> str:
    """Name a tensor by its number, and as the code calls it where that is known."""
    return f"tensor {tensor} (`{subject.called[tensor - 1]}`)" if len(subject.called) >= tensor else f"tensor {tensor}"


def one_of(subject: Subject, k: int, count: int) -> Subject:
    """Make a subject of one tensor of several: the others are given what it is given."""

    def drive(gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        return [subject.drive([gradients[0].copy() for _ in range(count)], list(starts) * count, knobs)[k]]

    return replace(subject, drive=drive, several=False, tensors=None, missing="", record=None)


def _keep_apart(question: Question, count: int) -> bool:
    """Whether each tensor does beside others what it does beside its like."""
    streams = fresh(STEPS, SEED, count, COORDINATES)
    streams = np.sign(streams) * np.clip(np.abs(streams), 0.1, 10.0)
    subject, known = question.subject, {**question.subject.defaults, **question.held}
    knobs = {name: value for name, value in known.items() if name in subject.knobs}
    beside = subject.run([streams[:, k] for k in range(count)], 0.0, knobs)
    return all(
        np.array_equal(one_of(subject, k, count).run(streams[:, k], 0.0, knobs), beside[k], equal_nan=True)
        for k in range(count)
    )


def _are_alike(question: Question, count: int) -> bool:
    """Whether all tensors do the same: then it is no matter of one."""
    stream = fresh(STEPS, SEED, 1, COORDINATES)[:, 0]
    records = question.subject.run([stream] * count, 0.0, {})
    return all(np.array_equal(record, records[0], equal_nan=True) for record in records[1:])


def _placed(subject: Subject, tensor: int, edit: Edit) -> Edit:
    return replace(edit, sentence=f"in {called(subject, tensor)}: {edit.sentence}", another=None)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _joined(tree: Tree, others: Sequence[tuple[int, Tree]]) -> Tree:
    """Write rules of single tensors as one, by the number of the tensor; the first of them where they do not fit."""
    joined = tree
    for tensor, other in others:
        fits = other.states == tree.states and other.knobs == tree.knobs and _targets(other) == _targets(tree)
        if not fits:
            return others[0][1]
        pairs = zip(joined.body, tree.body, other.body, strict=True)
        body = tuple(replace(line, value=_either(line.value, old.value, new.value, tensor)) for line, old, new in pairs)
        joined = replace(joined, body=body, result=_either(joined.result, tree.result, other.result, tensor))
    read = set().union(*(names_in(line.value) for line in joined.body), names_in(joined.result))
    return replace(joined, inputs=tuple(name for name in INPUTS if name in {*joined.inputs, *(read & {"k", "t"})}))


def _targets(tree: Tree) -> list[tuple[str, ...]]:
    return [line.targets for line in tree.body]


def _either(joined: Expression, old: Expression, new: Expression, tensor: int) -> Expression:
    """Put what a tensor computes where it is its turn, as far down as only one part differs."""
    if old == new:
        return joined
    if joined == old and isinstance(old, Operation) and isinstance(new, Operation):
        parts = list(zip(old.arguments, new.arguments, strict=False))
        differing = [i for i, (a, b) in enumerate(parts) if a != b]
        if (old.op, old.over, len(old.arguments)) == (new.op, new.over, len(new.arguments)) and len(differing) == 1:
            at = differing[0]
            inner = _either(old.arguments[at], old.arguments[at], new.arguments[at], tensor)
            return replace(old, arguments=(*old.arguments[:at], inner, *old.arguments[at + 1 :]))
    return Operation("where", (Operation("eq", (Name("k"), Number(float(tensor)))), new, joined))
