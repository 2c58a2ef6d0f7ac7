"""Which rule of several another one is written like: its neighbour, beside which it is explained. It knows no name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher

from mhat.language import Rule
from mhat.printers.python import rule_text

# Two rules of which so large a part is written alike are neighbours.
ALIKE = 0.85
WORDS = re.compile(r"\w+|[^\w\s]")


def nearest(rule: Rule, among: Iterable[Rule]) -> Rule | None:
    """Give the rule that is written most like another, the same one first; None if none is."""
    own = _words(rule)
    shares = [(_share(own, _words(other)), other) for other in among]
    best = max(shares, key=lambda pair: (is_same(rule, pair[1]), pair[0]), default=None)
    return best[1] if best is not None and (best[0] >= ALIKE or is_same(rule, best[1])) else None


def is_same(rule: Rule, other: Rule) -> bool:
    """Whether two rules do the same in every line, whatever they are called."""
    return replace(rule.tree, name="") == replace(other.tree, name="")


def _share(one: list[str], other: list[str]) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _words(rule: Rule) -> list[str]:
    _, _, body = rule_text(rule).partition("):")
    return WORDS.findall(body)
