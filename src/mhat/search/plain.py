"""Search for edits where no machine runs the rule: single ones, and pairs of the likeliest. It sees no subject.

Rules per matrix are run by the evaluator alone. Most candidates fail at once on the first matrices, so these are tried
before all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from mhat.language.tree import Tree
from mhat.search.answers import Answers, Confirm
from mhat.search.candidates import Candidate, Draft, Drawer
from mhat.search.effort import Effort
from mhat.search.knobs import Fitter
from mhat.search.matching import Matcher
from mhat.search.matrices import MatrixEvaluator, MatrixProbes
from mhat.search.numbers import Tuner
from mhat.search.observed import Observed

SINGLES, PAIRS = "single edits", "pairs of edits"
MAKING = 0.3
# How many of the likeliest are estimated, tuned and joined in pairs.
ESTIMATED, FITTED, PAIRED = 300, 25, 150
TUNED, BESIDE = 40, 8
# Seconds that are given for a simpler answer, and what an input costs that the rule does not read.
PATIENCE, STRANGE = 1.0, 0.3


class PlainSearch:
    """One search, depth by depth. `fits`: hidden knobs are estimated by least squares too."""

    def __init__(
        self, tree: Tree, matcher: Matcher, confirmed: Confirm, effort: Effort, hidden: tuple[str, ...] = (),
        held: Mapping[str, float] | None = None, *, fits: bool = True,
    ) -> None:  # fmt: skip
        self.tree = tree
        self.fits = fits
        self.matcher = matcher
        self.sieve = sieve_of(matcher)
        self.effort = effort
        self.drawer = Drawer(tree, hidden, dict(held or {}))
        self.fitter = Fitter(matcher, tree, hidden, self._late)
        self.answers = Answers(self.drawer, self.fitter, confirmed, effort)
        self.tuner = Tuner(self.drawer, Fitter(self.sieve, tree, hidden, self._late), effort)
        self.nearest = Candidate(tree, ())
        self.ranked: list[Draft] = []
        self.unread = [name for name in ("k", "n", "t") if name not in tree.inputs]
        self.until = effort.seconds

    def at(self, depth: int, until: float) -> list[Candidate]:
        """Find the candidates with so many edits; the depths before must have been asked for."""
        self.until = self.answers.until = until
        self.effort.plain = True
        if depth > 2:
            return []
        self.effort.begin(f"{self.tree.name}: {(SINGLES, PAIRS)[depth - 1]}")
        return self._first() if depth == 1 else self._pairs()

    def _late(self) -> bool:
        return self.effort.ends(self.until)

    def _first(self) -> list[Candidate]:
        singles = sorted(self.drawer.singles(self.effort, self.effort.share(MAKING, self.until)), key=self._likely)
        found = sorted(self.answers.taken(self._agreeing(singles, SINGLES), PATIENCE), key=self._likely)
        if found or self._late():
            return found
        self.ranked = self._scored(singles)
        likeliest = [draft for draft in self.ranked if draft.edits]
        if likeliest and likeliest[0].score > self.nearest.score:
            self.nearest = self.drawer.candidate(likeliest[0]) or self.nearest
        found = self.answers.estimated(likeliest[:ESTIMATED])
        if not found and self.fits and not self._late():
            found = self.answers.fitted(likeliest[:FITTED]) or self._numbered([Draft()])
        return found

    def _likely(self, one: Draft | Candidate) -> tuple[int, float]:
        """Say how far-fetched something is; more where it reads an input that the rule does not."""
        edits, cost = one.cost
        strange = any(name in f"`{edit.sentence}`".split("`") for edit in one.edits for name in self.unread)
        return edits, cost + STRANGE * strange

    def _numbered(self, beside: Sequence[Draft]) -> list[Candidate]:
        """Estimate the numbers of edits that have one of their own, alone or beside other edits."""
        families = self.tuner.families(self.ranked)
        found = self.answers.taken(self._agreeing(self.tuner.written(families)))
        if found or self._late():
            return found
        ranked = self.tuner.ranked(families, beside, self.effort.share(0.5, self.until))
        return self.answers.taken(self._agreeing(self.tuner.tuned(ranked[:TUNED])))

    def _agreeing(self, drafts: Iterable[Draft], counted: str = "") -> Iterator[Draft]:
        """Yield the drafts that agree, first on the first matrices, then on all."""
        for draft in drafts:
            if self._late():
                return
            self.effort.count(counted)
            candidate = self.drawer.candidate(draft)
            if candidate is None or self.sieve.agreed(candidate.tree, candidate.knobs) < self.sieve.steps:
                continue
            if self.matcher.agreed(candidate.tree, candidate.knobs) == self.matcher.steps:
                yield draft

    def _scored(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Rank drafts by what they explain of the first matrices; of those that do the same the simplest is kept."""
        doing: dict[bytes, Draft] = {}
        for draft in drafts:
            if self._late():
                break
            candidate = self.drawer.candidate(draft)
            key, score = (b"", -1.0) if candidate is None else self.sieve.judged(candidate.tree, candidate.knobs)
            if score >= 0:
                doing.setdefault(key, replace(draft, score=score))
        return sorted(doing.values(), key=lambda draft: (-draft.score, draft.cost))

    def _pairs(self) -> list[Candidate]:
        likeliest = self.ranked[:PAIRED]
        joined = (one.joined(other) for one, other in combinations(likeliest, 2))
        found = self.answers.taken(self._agreeing((draft for draft in joined if draft is not None), PAIRS))
        if not found and self.fits and not self._late():
            found = self._numbered(likeliest[:BESIDE])
        return found


def sieve_of(matcher: Matcher) -> Matcher:
    """Give a matcher that looks at the first layout of matrices alone."""
    probes = matcher.observed.probes
    assert isinstance(probes, MatrixProbes)
    first = probes.part([0])
    width = first.start.shape[-1]
    sieve = Matcher(Observed(first, matcher.observed.values[..., :width]), matcher.bound[..., :width])
    if isinstance(matcher.evaluator, MatrixEvaluator):
        sieve.evaluator = matcher.evaluator.on(first)
    return sieve
