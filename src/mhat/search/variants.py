"""Search a rule and its documented other forms together, the fewest edits first. It knows no view and no edit.

Who makes a mistake makes it in the form that they know: a form counts as one edit, and the others are made in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mhat.language import Rule
from mhat.mistakes.dialects import Dialect, dialects_of
from mhat.mistakes.slots import Edit
from mhat.search.answers import Confirm
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort
from mhat.search.matching import Matcher
from mhat.search.matrices import MatrixProbes
from mhat.search.one_tensor import OneTensor
from mhat.search.plain import PlainSearch
from mhat.search.search import Search

DEPTH = 4
# Single edits take least time, then edits part by part, then pairs.
ORDER = {1: 1, 3: 2, 2: 3, 4: 4}


class Forms:
    """The searches of one rule and of its forms, for one observation.

    `spoken_otherwise`: forms that are the same tree with an operation of another meaning, with what compares them.
    """

    def __init__(
        self, rule: Rule, matcher: Matcher, confirmed: Confirm, effort: Effort, hidden: tuple[str, ...] = (),
        held: Mapping[str, float] | None = None,
        spoken_otherwise: Sequence[tuple[tuple[Dialect, ...], Matcher, Confirm]] = (),
    ) -> None:  # fmt: skip
        self.effort = effort
        # The machine runs no matrices.
        kind = PlainSearch if isinstance(matcher.observed.probes, MatrixProbes) else Search
        self.own = kind(rule.tree, matcher, confirmed, effort, hidden, held)
        of_vectors = kind is Search
        self.apart = OneTensor(rule.tree, matcher, confirmed, effort, hidden, held or {}) if of_vectors else None
        self.others = [
            (spoken, kind(form.tree, matcher, confirmed, effort, hidden, held, fits=False))
            for spoken, form in dialects_of(rule)
        ]
        self.others += [
            (spoken, kind(rule.tree, its_matcher, its_confirmed, effort, hidden, held, fits=False))
            for spoken, its_matcher, its_confirmed in spoken_otherwise
        ]

    @property
    def nearest(self) -> Candidate:
        """The candidate that explains most of all that were tried."""
        forms = (_in_form(spoken, search.nearest) for spoken, search in self.others if search.nearest.edits)
        return max([self.own.nearest, *forms], key=lambda candidate: (candidate.score, -len(candidate.edits)))

    def candidates(self, depth: int = DEPTH, until: float = math.inf, *, first: int = 1) -> list[Candidate]:
        """Find the simplest candidates that agree and are confirmed; among equals the least far-fetched first.

        `first`: with at least so many edits; those with fewer must have been asked for.
        """
        for level in range(first, depth + 1):
            found = self.at(level, until)
            if found:
                return found
        return []

    def at(self, depth: int, until: float = math.inf) -> list[Candidate]:
        """Find the candidates with so many edits; the depths before must have been asked for."""
        if depth == 1 and self.apart is not None and (found := self.apart.of_rule(self.effort.share(0.5, until))):
            return found
        searches = [*reversed(self.others), ((), self.own)]
        for spoken, search in sorted(searches, key=lambda pair: ORDER.get(depth - len(pair[0]), 0)):
            if depth <= len(spoken):
                continue
            if self.effort.ends(until):
                return []
            found = [_in_form(spoken, candidate) for candidate in search.at(depth - len(spoken), until)]
            if found:
                return found
        if self.apart is None or depth not in (2, 3):
            return []
        return self.apart.of_common(self.effort.share(0.3, until), depth - 1)


def _in_form(spoken: Sequence[Dialect], candidate: Candidate) -> Candidate:
    return replace(candidate, edits=(*(Edit(dialect.name, (), "dialect") for dialect in spoken), *candidate.edits))
