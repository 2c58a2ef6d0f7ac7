"""Which question is meant by some words, and what answers it. It knows no rule."""

from __future__ import annotations

import difflib
import re
from functools import cache

from mhat.errors import BadValue
from mhat.explanations.claims import Claim
from mhat.explanations.numbers import claimed
from mhat.explanations.numbers.parts import parts_of
from mhat.explanations.numbers.wording import listed
from mhat.explanations.questions import denominators, memories, practice, rates, shapes, starts, troubles
from mhat.explanations.questions.question import Question, not_asked
from mhat.explanations.runs import Setting
from mhat.notation import cut

FAMILIES = (starts, rates, denominators, memories, troubles, practice, shapes)
# Words that every other question has.
COMMON = frozenset((
    "a", "an", "the", "is", "it", "what", "which", "why", "when", "how", "do", "does", "did", "i", "of", "in", "to",
    "and", "or", "for", "at", "with", "by", "under", "my", "me", "this", "that", "are", "be", "where", "can", "should",
    "one", "people", "adam",
))  # fmt: skip
# A word of a question's own list counts as much as so many of its phrases.
OWN = 3.0


def questions() -> tuple[Question, ...]:
    """Give all questions, in order."""
    return _all()


@cache
def _all() -> tuple[Question, ...]:
    return tuple(sorted((each for family in FAMILIES for each in family.QUESTIONS), key=lambda each: each.number))


def find_question(words: str) -> Question:
    """Give the question that is meant: by its number, or by words in which it is asked.

    A word counts the more, the fewer questions have it. Raises BadValue where several fit equally well, and where none
    does, with the nearest.

    >>> find_question("first step").number, find_question("13").number, find_question("why is my loss nan").number
    (14, 13, 16)
    """
    asked = words.strip()
    if asked.isdigit():
        for question in questions():
            if question.number == int(asked):
                return question
    plain = _plain(asked)
    for question in questions():
        if plain and plain in [_plain(phrase) for phrase in question.phrases]:
            return question
    scores = {question.number: _score(question, _words_of(asked)) for question in questions()}
    best = max(scores.values())
    if best == 0:
        raise BadValue(f"no question has the words `{cut(asked)}`", _nearest(asked))
    fitting = [question for question in questions() if scores[question.number] > best * (1 - 1e-9)]
    if len(fitting) > 1:
        several = "; ".join(f"{question.number} {question.text}" for question in fitting)
        raise BadValue(f"`{cut(asked)}` fits several questions: {several}", "Add a word, or give the number of one.")
    return fitting[0]


def answer(question: Question, setting: Setting) -> tuple[Claim, ...]:
    """Answer a question for a rule: some claims, together at most eight lines."""
    changing = parts_of(setting).changing
    if changing and question.settled:
        names = listed([f"`{each.state}`" for each in changing])
        keep = "keeps another share of itself" if len(changing) == 1 else "keep another share of themselves"
        shown = ", ".join(f"`{each.state}` keeps `{each.written}` of itself" for each in changing)
        return (not_asked(f"This has no one answer here: {names} {keep} at every step.", shown),)
    claims = claimed(question.answer, setting)
    if not claims:
        return (
            not_asked(
                "This cannot be computed here: the rule takes matrices, its numbers are not finite, or there are none.",
                "no run of it gave a number",
            ),
        )
    return tuple(claims)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w.\-*]+", text.lower()))


def _words_of(text: str) -> list[str]:
    words = [word.strip(".-*") for word in _plain(text).split()]
    return [_stem(word) for word in words if word and word not in COMMON]


def _stem(word: str) -> str:
    """Cut the endings of plurals: `gradients` and `gradient` are one word.

    >>> _stem("gradients"), _stem("loss"), _stem("betas")
    ('gradient', 'loss', 'beta')
    """
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@cache
def _index() -> dict[str, dict[int, float]]:
    """Give for every word the questions that have it, and how much it counts there."""
    index: dict[str, dict[int, float]] = {}
    for question in questions():
        for word in (word for phrase in question.phrases for word in _words_of(phrase)):
            index.setdefault(word, {})[question.number] = 1.0
        for word in question.words:
            index.setdefault(_stem(word), {})[question.number] = OWN
    return index


def _score(question: Question, words: list[str]) -> float:
    found = [_index().get(word, {}) for word in dict.fromkeys(words)]
    return sum(has.get(question.number, 0.0) / sum(has.values()) for has in found if has)


def _nearest(asked: str) -> str:
    near = {match for word in _words_of(asked) for match in difflib.get_close_matches(word, sorted(_index()), 2, 0.72)}
    numbers = sorted({number for word in near for number in _index()[word]})[:3]
    if not numbers:
        return "`mhat explain --questions` lists them."
    near_ones = "; ".join(
        f"{question.number} {question.text}" for question in questions() if question.number in numbers
    )
    return f"Near to it: {near_ones.rstrip('?.')}? `mhat explain --questions` lists them all."
