"""Search for the edits that make a rule do what a subject did. It sees observations, never the subject.

First every single edit; then pairs, those first that explain most one by one; then deeper along the most
promising. Whatever agrees on all probes is confirmed on fresh streams before it counts, and the simplest wins.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from mhat.checks.edits import edits_of
from mhat.checks.fitting import Fitter
from mhat.checks.matching import BEST, Matcher
from mhat.checks.skeleton import Content, Edit, Slot, assembled
from mhat.language.tree import Tree

DEPTH = 4
# How many single edits are joined with others, and how many joined ones are scored and carried on.
SINGLES = 2500
PLAIN = 1.2
SCORED = 70
CARRIED = 60
# Candidates whose lines are edited once more, for two changes of one line.
AGAIN = 8
# Candidates whose hidden knobs are estimated: with usual values, and by least squares.
QUICKLY_FITTED = 400
FITTED = 25
# Alternatives that are worth listing, and how many more parents are tried once there is an answer.
ENOUGH = 6
PATIENCE = 300
# How long a second edit is looked for where one edit needs several odd knobs.
PAUSE = 8.0

Confirm = Callable[["Candidate"], bool]


@dataclass(frozen=True)
class Candidate:
    """A rule made by edits, with the knobs at which it agrees; `changes` are relative to the reference."""

    tree: Tree
    edits: tuple[Edit, ...]
    knobs: Mapping[str, float] = field(default_factory=dict)
    score: float = 0.0
    changes: Mapping[Slot, Content] | None = None

    @property
    def cost(self) -> tuple[int, float]:
        """What the simplest candidate has least of: edits, then how far-fetched they and the knobs are."""
        return len(self.edits), sum(edit.cost for edit in self.edits) + sum(map(_oddness, self.knobs.values()))


class Search:
    """One search, with a time limit in seconds."""

    def __init__(
        self, tree: Tree, matcher: Matcher, hidden: tuple[str, ...], seconds: float = 45.0, depth: int = DEPTH
    ) -> None:
        self.tree = tree
        self.matcher = matcher
        self.fitter = Fitter(matcher, tree, hidden)
        self.depth = depth
        self.seconds = seconds
        self.ends = time.monotonic() + seconds
        self.nearest = Candidate(tree, (), {}, matcher.score(tree), {})
        self.plain: list[Candidate] = []
        self.tried = 0

    def candidates(self, confirmed: Confirm) -> list[Candidate]:
        """Find the simplest candidates that agree and are confirmed; among equals the least far-fetched first."""
        carried = [self.nearest]
        singles: list[Candidate] = []
        for depth in range(1, self.depth + 1):
            if depth > 1:
                found = self._joined(carried, singles, confirmed)
                if found or self._late():
                    return found
            scored = self._scored(carried, singles)
            singles = singles or self._singles(scored)
            found = self._confirmed([c for c in scored if c.score == BEST], confirmed)
            if not found:
                found = self._fitted(scored, confirmed)
                if found and depth == 1 and len(found[0].knobs) > 1:
                    # Several odd knobs are less likely than a second edit.
                    found = self._joined(singles, singles, confirmed, PAUSE) or found
            if found or self._late() or not scored:
                return found
            carried = singles if depth == 1 else scored[:CARRIED]
            if scored[0].score > self.nearest.score:
                self.nearest = scored[0]
        return []

    def _late(self) -> bool:
        return time.monotonic() > self.ends

    def _scored(self, carried: list[Candidate], singles: list[Candidate]) -> list[Candidate]:
        """Say how much joined candidates explain; of several that do the same the simplest is kept."""
        scored: dict[bytes, Candidate] = {}
        for child in self._children(carried, singles):
            self.tried += 1
            key, score = self.matcher.judged(child.tree)
            known = scored.get(key)
            if score >= 0:
                child = replace(child, score=score)
                if len(child.edits) == 1 and child.edits[0].cost <= PLAIN:
                    self.plain.append(child)
                if known is None or child.cost < known.cost:
                    scored[key] = child
            if self._late():
                break
        return sorted(scored.values(), key=lambda c: (-c.score, c.cost))

    def _singles(self, scored: list[Candidate]) -> list[Candidate]:
        """List the single edits to be joined: all plain ones, for what does the same alone need not in company."""
        distinct = {id(c.edits[0]): c for c in (*self.plain, *scored)}
        return sorted(distinct.values(), key=lambda c: (-c.score, c.cost))[:SINGLES]

    def _children(self, carried: list[Candidate], singles: list[Candidate]) -> Iterator[Candidate]:
        if not singles:
            yield from self._edited(carried[0], far=True)
            return
        for i, parent in enumerate(carried[:SCORED]):
            for single in singles[i + 1 if len(parent.edits) == 1 else 0 : SCORED]:
                child = self._join(parent, single)
                if child is not None:
                    yield child
        for parent in carried[:AGAIN]:
            yield from self._edited(parent, far=False)

    def _edited(self, parent: Candidate, far: bool) -> Iterator[Candidate]:
        """Apply every edit of a candidate's own tree: also where it has been changed already."""
        edits = edits_of(parent.tree)
        for edit in edits.all if far else edits.plain:
            tree = assembled(parent.tree, dict(edit.changes))
            if tree is not None:
                changes = None
                if parent.changes is not None and all(_one_for_one(slot, c) for slot, c in parent.changes.items()):
                    changes = {**parent.changes, **dict(edit.changes)}
                yield Candidate(tree, (*parent.edits, edit), {}, 0.0, changes)

    def _join(self, a: Candidate, b: Candidate) -> Candidate | None:
        """Join two candidates that change different slots; whether the tree can run shows when it does."""
        if a.changes is None or b.changes is None or not a.changes.keys().isdisjoint(b.changes):
            return None
        changes = {**a.changes, **b.changes}
        tree = assembled(self.tree, changes, checked=False)
        return None if tree is None else Candidate(tree, (*a.edits, *b.edits), {}, 0.0, changes)

    def _joined(
        self, carried: list[Candidate], singles: list[Candidate], confirmed: Confirm, seconds: float = math.inf
    ) -> list[Candidate]:
        """Join candidates with single edits, those first that explain most, until some agree and are confirmed."""
        found: list[Candidate] = []
        patience = PATIENCE
        ends = time.monotonic() + min((self.ends - time.monotonic()) * 0.5, seconds)
        for parent, single in _by_rank(carried, singles):
            child = self._join(parent, single)
            if child is not None:
                self.tried += 1
                if self.matcher.agreed(child.tree) == self.matcher.steps:
                    found += self._confirmed([child], confirmed)
            # Once there is an answer, a few more may be simpler.
            patience -= bool(found)
            if time.monotonic() > ends or not patience or len(found) >= ENOUGH:
                break
        return sorted(found, key=lambda c: c.cost)

    def _confirmed(self, agreeing: list[Candidate], confirmed: Confirm) -> list[Candidate]:
        found: list[Candidate] = []
        for candidate in sorted(agreeing, key=lambda c: c.cost)[: 8 * ENOUGH]:
            whole = self._whole(candidate)
            if whole is not None and confirmed(whole):
                found.append(whole)
            if len(found) >= ENOUGH or (found and self._late()):
                break
        return found

    def _whole(self, candidate: Candidate) -> Candidate | None:
        """Give a joined candidate its inputs; None if it reads a name before it is assigned."""
        tree = assembled(candidate.tree, {})
        return None if tree is None else replace(candidate, tree=tree)

    def _fitted(self, candidates: list[Candidate], confirmed: Confirm) -> list[Candidate]:
        """Estimate hidden knobs for the candidates that agree but for knobs."""
        found: list[Candidate] = []
        if not self.fitter.hidden:
            return found
        for fitted_by, some in (
            (self.fitter.quick, candidates[:QUICKLY_FITTED]),
            (self.fitter.fit, candidates[:FITTED]),
        ):
            for candidate in some:
                fit = fitted_by(candidate.tree)
                if fit is not None:
                    found += self._confirmed([replace(candidate, knobs=fit)], confirmed)
                if self._late() or len(found) >= ENOUGH:
                    break
            if found:
                break
        return sorted(found, key=lambda c: c.cost)


def _one_for_one(slot: Slot, content: Content) -> bool:
    """Whether a change leaves the lines where they are, so that edits of the edited tree fit the reference too."""
    return slot[0] != "line" or (isinstance(content, tuple) and len(content) == 1)


def _by_rank(carried: list[Candidate], singles: list[Candidate]) -> Iterator[tuple[Candidate, Candidate]]:
    """Pair candidates with single edits by the product of their ranks: often one of a pair explains little alone."""
    level = 1
    while level <= len(carried) * len(singles):
        for i in range(min(len(carried), 2 * level)):
            for j in range(-(-level // (i + 1)) - 1, min(-(-2 * level // (i + 1)) - 1, len(singles))):
                yield carried[i], singles[j]
        level *= 2


def _oddness(value: float) -> float:
    """Say how unlikely a person is to have written a knob's value: more digits, less likely."""
    digits = f"{value:.9e}".partition("e")[0].rstrip("0").replace(".", "").lstrip("-")
    return 0.4 + 0.1 * len(digits)
