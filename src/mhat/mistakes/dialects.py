"""Documented other forms of the library's rules: named with their reference, and not called mistakes.

Each is a few pieces of the rule's text exchanged, and stands in the file of the rule, as plain data. This reads them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from mhat import rules
from mhat.errors import MhatError
from mhat.language import Rule, rule
from mhat.printers import python


@dataclass(frozen=True)
class Dialect:
    """A documented form of one rule: its name, where it is documented, and what is written instead of what."""

    of: str
    name: str
    reference: str
    exchanges: tuple[tuple[str, str], ...]


def _documented() -> Iterator[Dialect]:
    """Read what the files of the rules say: names, references and exchanges, beside the rule they belong to."""
    for name in rules.names():
        said = getattr(sys.modules[rules.named(name).__module__], "DIALECTS", {})
        yield from (Dialect(name, called, where, tuple(what)) for called, (where, *what) in said.items())


DIALECTS = tuple(_documented())


def spoken(dialect: Dialect, text: str) -> str | None:
    """Exchange a dialect's pieces in the text of a rule; None if they do not all stand in it."""
    for old, new in dialect.exchanges:
        if text.count(old) != 1:
            return None
        text = text.replace(old, new)
    return text


@cache
def dialects_of(reference: Rule) -> tuple[tuple[tuple[Dialect, ...], Rule], ...]:
    """List the dialects of a rule, and what each is, pairs of them last."""
    return tuple(_found(reference))


def _found(reference: Rule) -> Iterator[tuple[tuple[Dialect, ...], Rule]]:
    own = [dialect for dialect in DIALECTS if dialect.of == reference.name]
    text = python.rule_text(reference.tree)
    for size in (1, 2):
        for chosen in combinations(own, size):
            spoken_text: str | None = text
            for dialect in chosen:
                spoken_text = None if spoken_text is None else spoken(dialect, spoken_text)
            if spoken_text is not None and (joined := _joined(spoken_text)) is not None:
                yield chosen, joined


def _joined(text: str) -> Rule | None:
    """Read the text of a dialect; None where two exclude each other, or a rule of that name is written otherwise."""
    try:
        return rule(text)
    except MhatError:
        return None
