"""An explanation put together, section by section, so that the first can be read while the next is computed.

It knows no rule by name and no terminal.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from mhat.explanations import courses, knobs, lawfulness, lines, standing
from mhat.explanations.claims import Claim
from mhat.explanations.consequences import argue
from mhat.explanations.explanation import Explanation
from mhat.explanations.neighbours import as_set, is_same
from mhat.explanations.numbers import FAMILIES, numbers_of
from mhat.explanations.questions import Question, answer, find_question
from mhat.explanations.runs import Setting
from mhat.language import Rule
from mhat.writing.passages import Passage

# Families of numbers of which the first is told to everybody; all of them to whom wants it in full.
TELLING = ("noise", "longest", "floors", "stability")
NO_SYMBOLS = "closed forms are found with SymPy, which is not installed: pip install 'mhat[symbols]'"
Listener = Callable[[Iterable[Passage]], None]


def explain(
    rule: Rule,
    *,
    called: str,
    beside: Rule | None = None,
    stream: str = "",
    why: str = "",
    changed: Mapping[str, float] | None = None,
    notes: tuple[str, ...] = (),
    each: Listener | None = None,
    in_full: bool = False,
) -> Explanation:
    """Explain a rule; `changed` are the knobs that are no defaults.

    `beside`: the rule of the library that it is, by whose name a run can be repeated, or is written like: then the page
    begins with why it moves otherwise. With a `stream` it is about that, with `why` about that question. `each` is
    shown every section as it is made. `in_full`: with all numbers and evidence.
    """
    is_known = beside is not None and beside.tree == rule.tree
    setting = Setting(rule, rule.name if is_known else "", dict(changed or {}))
    other = beside if beside is not None and not is_same(rule, beside) else None
    if beside is not None and other is None and not is_known:
        notes = (*notes, f"it is {beside.name} in every line")
    if stream and courses.lack_symbols(setting, stream):
        notes = (*notes, NO_SYMBOLS)
    question = find_question(why) if why else None
    told = "" if question is None else question.text
    made = Explanation(rule, called, setting.in_force, stream, (), notes, "" if other is None else other.name, told)
    show = each or (lambda passages: None)
    show(made.head)
    for claims in _sections(setting, stream, question, other, in_full=in_full):
        if not claims:
            continue
        made = replace(made, claims=(*made.claims, *claims))
        show(made.section(made.topics[-1], in_full=in_full))
    return made


def examine(rule: Rule, *, called: str, among: Iterable[Rule]) -> Explanation:
    """Say of a rule what it takes, keeps, costs and obeys, and which rules of a library are near it."""
    setting = Setting(rule, "", {})
    numbers = tuple(numbers_of(setting, "memory"))
    # What is remembered stands first, as on a page about everything.
    claims = (
        *standing.claims(rule), *sorted(numbers, key=lambda claim: claim.topic == "cost"),
        *lawfulness.claims(setting), *standing.relations(rule, among),
    )  # fmt: skip
    return Explanation(rule, called, setting.in_force, claims=claims)


def _sections(
    setting: Setting, stream: str, question: Question | None, other: Rule | None, *, in_full: bool
) -> Iterator[tuple[Claim, ...]]:
    if question is not None:
        yield answer(question, setting)
    if stream:
        yield tuple(courses.claims(setting, stream))
    if stream or question is not None:
        return
    if other is not None:
        yield argue(as_set(other, setting.rule), setting.rule, setting.knobs)
    yield tuple(lines.claims(setting))
    yield tuple(_remembered(setting, in_full=in_full))
    yield tuple(_numbers(setting, in_full=in_full))
    yield tuple(lawfulness.claims(setting))
    yield tuple(knobs.claims(setting))
    yield tuple(claim for claim in numbers_of(setting, "memory") if claim.topic == "cost")


def _remembered(setting: Setting, *, in_full: bool) -> Iterator[Claim]:
    """Yield what a rule keeps, and for how long."""
    for claim in numbers_of(setting, "past"):
        if in_full or claim.about in setting.rule.tree.state_names:
            yield replace(claim, topic="memory")
    yield from (claim for claim in numbers_of(setting, "memory") if claim.topic == "memory")


def _numbers(setting: Setting, *, in_full: bool) -> Iterator[Claim]:
    """Yield numbers that mean something: of every family the first, or all."""
    for family in FAMILIES if in_full else TELLING:
        if family not in ("past", "memory"):
            yield from itertools.islice(numbers_of(setting, family), None if in_full else 1)
