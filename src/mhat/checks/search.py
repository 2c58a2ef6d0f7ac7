"""Search for the edits that make a rule do what a subject did. It sees observations, never the subject.

First every single edit; then pairs, those that explain most first; then deeper along the most promising
candidates. Whatever agrees on all probes is handed out, simplest first, to be confirmed on fresh streams.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from mhat.checks.edits import edits_of
from mhat.checks.fitting import Fitter
from mhat.checks.matching import Matcher
from mhat.checks.skeleton import Edit, assembled
from mhat.language.tree import Tree

# How many candidates of one depth are carried on: to be scored, and to be tried with every edit.
SCORED_PARENTS = 16
TRIED_PARENTS = (60, 40, 30)
DEPTH = 4
PATIENCE = 4
# Candidates whose hidden knobs are estimated by least squares.
FITTED = 40
# Alternatives that are worth listing.
ENOUGH = 6


@dataclass(frozen=True)
class Candidate:
    """A rule made by edits, with the knobs at which it agrees."""

    tree: Tree
    edits: tuple[Edit, ...]
    knobs: Mapping[str, float] = field(default_factory=dict)
    score: float = 0.0

    @property
    def cost(self) -> tuple[int, float]:
        """What the simplest candidate has least of: edits, then how far-fetched they are and knobs to be estimated."""
        return len(self.edits), sum(edit.cost for edit in self.edits) + sum(map(_oddness, self.knobs.values()))


class Search:
    """One search, with a time limit in seconds."""

    def __init__(
        self, tree: Tree, matcher: Matcher, hidden: tuple[str, ...], seconds: float = 45.0, depth: int = DEPTH
    ) -> None:
        self.matcher = matcher
        self.fitter = Fitter(matcher, tree, hidden)
        self.depth = depth
        self.ends = time.monotonic() + seconds
        self.nearest = Candidate(tree, (), {}, matcher.score(tree))
        self.tried = 0

    def candidates(self, confirmed: Callable[[Candidate], bool]) -> list[Candidate]:
        """Find the simplest candidates that agree and are confirmed; among equals the least far-fetched first."""
        parents = [self.nearest]
        for depth in range(1, self.depth + 1):
            found = self._agreeing(parents, depth, confirmed)
            if found or self._late():
                return found
            scored = self._scored(parents[: SCORED_PARENTS if depth > 1 else 1])
            found = self._fitted(scored, confirmed)
            if found or self._late() or not scored:
                return found
            parents = scored[: TRIED_PARENTS[min(depth, len(TRIED_PARENTS)) - 1]]
            if parents[0].score > self.nearest.score:
                self.nearest = parents[0]
        return []

    def _late(self) -> bool:
        return time.monotonic() > self.ends

    def _children(self, parent: Candidate, far: bool) -> Iterator[Candidate]:
        edits = edits_of(parent.tree)
        for edit in edits.all if far else edits.plain:
            tree = assembled(parent.tree, dict(edit.changes))
            if tree is not None:
                self.tried += 1
                yield Candidate(tree, (*parent.edits, edit))

    def _agreeing(
        self, parents: list[Candidate], depth: int, confirmed: Callable[[Candidate], bool]
    ) -> list[Candidate]:
        """Try every edit on every parent: those that agree on all steps and are confirmed."""
        found: list[Candidate] = []
        patience = PATIENCE
        for parent in parents:
            agreeing = []
            for child in self._children(parent, far=depth <= 2):
                if self.matcher.agreed(child.tree) == self.matcher.steps:
                    agreeing.append(child)
                if self._late():
                    break
            found += self._confirmed(agreeing, confirmed)
            # Once there is an answer, a few more parents may bring a simpler one.
            patience -= bool(found)
            if self._late() or (found and not patience):
                break
        return sorted(found, key=lambda c: c.cost)[:ENOUGH]

    def _scored(self, parents: list[Candidate]) -> list[Candidate]:
        """Say of every edited parent how much it explains; of several that do the same the simplest is kept."""
        scored: dict[bytes, Candidate] = {}
        for parent in parents:
            for child in self._children(parent, far=len(parents) == 1):
                key, score = self.matcher.judged(child.tree)
                known = scored.get(key)
                if score >= 0 and (known is None or child.cost < known.cost):
                    scored[key] = replace(child, score=score)
                if self._late():
                    break
        return sorted(scored.values(), key=lambda c: (-c.score, c.cost))

    def _confirmed(
        self, agreeing: list[Candidate], confirmed: Callable[[Candidate], bool]
    ) -> list[Candidate]:
        found: list[Candidate] = []
        for candidate in sorted(agreeing, key=lambda c: c.cost)[: 8 * ENOUGH]:
            if confirmed(candidate):
                found.append(candidate)
            if len(found) >= ENOUGH or (found and self._late()):
                break
        return found

    def _fitted(self, candidates: list[Candidate], confirmed: Callable[[Candidate], bool]) -> list[Candidate]:
        """Estimate hidden knobs for the candidates that agree but for knobs."""
        found: list[Candidate] = []
        quick = [(candidate, self.fitter.quick) for candidate in candidates]
        thorough = [(candidate, self.fitter.fit) for candidate in candidates[:FITTED]]
        for candidate, fitted_by in [*quick, *thorough] if self.fitter.hidden else []:
            if found and fitted_by == self.fitter.fit:
                break
            fit = fitted_by(candidate.tree)
            if fit is not None:
                fitted = replace(candidate, knobs=fit)
                if confirmed(fitted):
                    found.append(fitted)
            if self._late() or len(found) >= ENOUGH:
                break
        return sorted(found, key=lambda c: c.cost)


def _oddness(value: float) -> float:
    """Say how unlikely a person is to have written a knob's value: more digits, less likely."""
    digits = f"{value:.9e}".partition("e")[0].rstrip("0").replace(".", "").lstrip("-")
    return 0.4 + 0.1 * len(digits)
