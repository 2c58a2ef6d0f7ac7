"""Which rule of several another one is written like, whatever its names are: beside it the other one is explained.

It knows no rule by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher

from mhat.explanations.consequences.inlining import step_written_out
from mhat.explanations.consequences.namesakes import aligned
from mhat.explanations.consequences.pairs import Pair
from mhat.language import Level, Rule, of_tree
from mhat.language.recurrences import recurrence_of
from mhat.language.tree import Knob, Name
from mhat.printers.python import expression_text, rule_text

# Two rules of which so large a part is written alike are neighbours.
ALIKE = 0.85
# Two rules of which so much is written alike are relatives.
FAINTLY = 0.6
WORDS = re.compile(r"\w+|[^\w\s]")


def nearest(rule: Rule, among: Iterable[Rule]) -> Rule | None:
    """Give the rule that is written most like another, the same one first; None if none is."""
    shares = [(_share(rule, other), other) for other in among]
    best = max(shares, key=lambda pair: (is_same(rule, pair[1]), pair[0]), default=None)
    return best[1] if best is not None and (best[0] >= ALIKE or is_same(rule, best[1])) else None


def relatives(rule: Rule, among: Iterable[Rule], most: int = 3) -> list[tuple[Rule, float]]:
    """Give the rules that are written most like another, each with the share that is alike, the nearest first."""
    shares = [(other, 1.0 if is_same(rule, other) else _share(rule, other)) for other in among]
    near = [(other, share) for other, share in shares if share >= FAINTLY]
    return sorted(near, key=lambda pair: -pair[1])[:most]


def is_same(rule: Rule, other: Rule) -> bool:
    """Whether two rules do the same in every line, whatever they are called."""
    return replace(rule.tree, name="") == replace(other.tree, name="")


def as_set(other: Rule, rule: Rule) -> Rule:
    """Give a neighbour in a rule's own names, with its knobs as they are there: what differs then is the lines."""
    renamed = aligned(Pair(other, rule)).right
    values = {**renamed.knobs, **_kept_alike(renamed, rule)}
    values |= {name: value for name, value in rule.knobs.items() if name in values}
    return of_tree(replace(renamed.tree, knobs=tuple(Knob(name, value) for name, value in values.items())))


def _kept_alike(other: Rule, rule: Rule) -> dict[str, float]:
    """Give the knobs that say what a state keeps of itself the values that they have in the rule."""
    found = {}
    for state in other.tree.state_names:
        theirs, own = (recurrence_of(each, state) if state in each.tree.state_names else None for each in (other, rule))
        gains = [each.gain for each in (theirs, own) if each is not None]
        if len(gains) == 2 and all(isinstance(gain, Name) for gain in gains):
            found[expression_text(gains[0])] = rule.knobs.get(expression_text(gains[1]), math.nan)
    return {name: value for name, value in found.items() if name in other.knobs and math.isfinite(value)}


def _share(rule: Rule, other: Rule) -> float:
    """Say how large a part of two rules is written alike: line by line, or as what states and step come to."""
    as_written = _of_words(_words(rule), _words(other))
    if (
        as_written >= ALIKE
        or len(rule.tree.states) != len(other.tree.states)
        or Level.MATRIX in (rule.level, other.level)
    ):
        return as_written
    renamed = aligned(Pair(other, rule)).right
    return max(as_written, _of_words(_composed(rule), _composed(renamed)))


def _composed(rule: Rule) -> list[str]:
    """Write what every state is from step to step, and the step, in states, knobs and gradients alone."""
    parts: list[str] = []
    for state in sorted(rule.tree.state_names):
        recurrence = recurrence_of(rule, state)
        if recurrence is not None:
            parts += [state, expression_text(recurrence.gain), expression_text(recurrence.fed)]
    return WORDS.findall(" ".join([*parts, expression_text(step_written_out(rule))]))


def _of_words(one: list[str], other: list[str]) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _words(rule: Rule) -> list[str]:
    _, _, body = rule_text(rule).partition("):")
    return WORDS.findall(body)
