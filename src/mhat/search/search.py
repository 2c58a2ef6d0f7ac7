"""Search for the edits that make a rule do what a subject did. It sees observations, never the subject.

    1   every single edit
    2   all pairs
    3   parts apart: edits that show in one view of the observation, then edits that show in the next alone
    4   the candidates that explain most, joined with every edit

Where knobs are hidden, candidates that agree but for a factor and eps are estimated. Whatever agrees on all probes is
confirmed on fresh streams before it counts, and the simplest wins.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

import numpy as np

from mhat.language.tree import Tree
from mhat.search.candidates import Candidate, Draft, Drawer
from mhat.search.knobs import Fit, Fitter
from mhat.search.matching import Matcher
from mhat.search.numbers import Tuner

if TYPE_CHECKING:
    from mhat.search.machine.trying import Joiner

# What of an observation is compared; see mhat.search.machine.trying.
View = Literal["whole", "eps", "squares", "time"]

# For how many seconds single edits are tried before the compiler is loaded for them.
SOON = 1.0
# Of edits that do the same, how many are tried in pairs at first.
ALIKE = 3
# How many pairs that agree in one view are looked at together.
TOGETHER = 512
# How many of the best are scored in pairs, and how many candidates are carried on to the next depth.
SCORED = 500
CARRIED = 1500
# Candidates whose hidden knobs are estimated: with usual values, and by least squares.
QUICKLY_FITTED = 400
FITTED = 25
# Edits with a number of their own that are fitted, and how many of the best others are tried beside them.
TUNED, BESIDE = 40, 12
# Views of the observation by which edits are told apart, and how many edits may show in each.
VIEWS: tuple[tuple[tuple[View, ...], int], ...] = (
    (("eps",), 1), (("squares", "time", "eps"), 1), (("eps",), 2), (("squares", "time", "eps"), 2),
)  # fmt: skip
# How many candidates that agree in one view are looked at in the next, and how many of them in pairs.
ROOTS, PAIRED = 3000, 12
# Answers that are worth comparing, and how many seconds more are spent once there is one.
ENOUGH = 12
PATIENCE = 2.0

Confirm = Callable[[Candidate], bool]


class Search:
    """One search; each depth can be asked for by itself. `fits`: hidden knobs are estimated by least squares too."""

    def __init__(
        self,
        tree: Tree,
        matcher: Matcher,
        hidden: tuple[str, ...],
        held: Mapping[str, float] | None = None,
        *,
        fits: bool = True,
    ) -> None:
        self.tree = tree
        self.fits = fits
        self.matcher = matcher
        self.held = dict(held or {})
        self.drawer = Drawer(tree, hidden, self.held)
        self.fitter = Fitter(matcher, tree, hidden)
        self.tuner = Tuner(self.drawer, self.fitter)
        self.nearest = Candidate(tree, ())
        self.singles: list[Draft] = []
        self.twins: list[Draft] = []
        self.hits: list[Draft] = []
        self.ends = 0.0
        self._joiner: Joiner | None = None

    def at(self, depth: int, confirmed: Confirm, seconds: float) -> list[Candidate]:
        """Find the candidates with so many edits; the depths before must have been asked for."""
        self.ends = time.monotonic() + seconds
        return (self._first, self._pairs, self._parted, self._guided)[depth - 1](confirmed)

    @property
    def joiner(self) -> Joiner:
        """What tries candidates in compiled code; made at the first use, for loading the compiler takes a while."""
        if self._joiner is None:
            # Late, since loading the compiler takes longer than trying all single edits does.
            from mhat.search.machine.trying import Joiner

            self._joiner = Joiner(self.drawer.anatomy, self.matcher, {**self.fitter.defaults, **self.held})
        return self._joiner

    def _late(self) -> bool:
        return time.monotonic() > self.ends

    def _share(self, share: float) -> float:
        """Give the time when a share of what is left will have passed."""
        now = time.monotonic()
        return now + share * (self.ends - now)

    def _first(self, confirmed: Confirm) -> list[Candidate]:
        """Try all single edits."""
        singles = sorted(self.drawer.singles(), key=lambda draft: draft.cost)
        found = self._taken(self._tried(singles), confirmed, patience=0.3)
        if found or self._late():
            return found
        self._rank(singles)
        hits = self._simplest(self._agreeing([Draft()], [Draft(), *self.singles], "eps"))
        found = self._estimated(hits, confirmed) or self._retold(hits, confirmed)
        if not found and not self._late() and self.fits:
            found = self._fitted(self.singles[:FITTED], confirmed)
        if not found and not self._late() and self.fits:
            found = self._numbered([Draft()], confirmed)
        if found and len(found[0].knobs) > 1:
            # Several odd knobs are less likely than a second edit.
            return self._pairs(confirmed) or found
        return found

    def _numbered(self, beside: Sequence[Draft], confirmed: Confirm) -> list[Candidate]:
        """Estimate the numbers of edits that have one of their own, alone or beside other edits."""
        families = self.tuner.families([*self.singles, *self.twins])
        written = [draft for draft in self.tuner.written(families) if self.joiner.can(draft.coded)]
        found = self._taken(self._agreeing(beside, written, share=0.5), confirmed)
        if found or self._late():
            return found
        ranked = self.tuner.ranked(families, beside[:BESIDE], self._share(0.5))
        return self._taken(self.tuner.tuned(ranked[:TUNED]), confirmed)

    def _tried(self, drafts: Sequence[Draft]) -> Iterator[Draft]:
        """Yield the drafts that agree, the likeliest first, and without the compiler if these are soon tried."""
        ends = time.monotonic() + SOON
        tried = 0
        while self._joiner is None and tried < len(drafts) and time.monotonic() < ends:
            candidate = self.drawer.candidate(drafts[tried])
            if candidate is not None and self.matcher.agreed(candidate.tree) == self.matcher.steps:
                yield drafts[tried]
            tried += 1
        if tried < len(drafts):
            rest = [draft for draft in drafts[tried:] if self.joiner.can(draft.coded)]
            yield from self._agreeing([Draft()], rest)

    def _rank(self, singles: list[Draft]) -> None:
        """Rank the single edits, and usual values of hidden knobs among them, by what they explain.

        Of those that do the same, the simplest few go to `singles` and the others to `twins`.
        """
        usable = [draft for draft in (*singles, *self.drawer.guesses()) if self.joiner.can(draft.coded)]
        coded = [draft.coded for draft in usable]
        scores, prints = self.joiner.scores([{}], coded, self.ends)[0], self.joiner.prints(coded, self.ends)
        met = Counter[str]()
        self.singles, self.twins = [], []
        for i in sorted(range(len(usable)), key=lambda i: (-scores[i], usable[i].cost)):
            doing = f"{prints[i]:.10e}"
            sort = self.singles if met[doing] < (ALIKE if scores[i] > 0 else 1) else self.twins
            sort.append(replace(usable[i], score=float(scores[i])))
            met[doing] += 1
        self._note_nearest(self.singles)

    def _note_nearest(self, drafts: Sequence[Draft]) -> None:
        best = next((draft for draft in drafts if draft.edits), None)
        if best is not None and best.score > self.nearest.score:
            self.nearest = self.drawer.candidate(best) or self.nearest

    def _agreeing(
        self, parents: Sequence[Draft], singles: Sequence[Draft], view: View = "whole", share: float = 1.0
    ) -> Iterator[Draft]:
        """Yield parents joined with singles that agree in a view; each pair once where both are one list."""
        pairs = self.joiner.matches(
            [parent.coded for parent in parents],
            [single.coded for single in singles],
            self._share(share),
            view,
            ranked=parents is singles,
        )
        for i, j in pairs:
            child = parents[i].joined(singles[j])
            if child is not None:
                yield child

    def _pairs(self, confirmed: Confirm) -> list[Candidate]:
        """Try all pairs of edits; where knobs are hidden, pairs that agree but for a factor and eps are estimated.

        What agrees wholly agrees in that view too, but for what reduces over tensors, which the view cannot show.
        """
        self.hits = []
        if self.joiner.seen["eps"] is None:
            pairs = self._agreeing(self.singles, self.singles, share=0.6)
        else:
            pairs = self._wholly(self._agreeing(self.singles, self.singles, "eps", 0.6))
        found = self._taken(pairs, confirmed)
        if not found and not self._late():
            self.hits = self._simplest(self.hits)
            found = self._estimated(self.hits, confirmed) or self._retold(self.hits, confirmed)
        if not found and not self._late():
            mixing = [draft for draft in self.singles if self.joiner.mixes(draft.coded)]
            found = self._taken(self._agreeing(mixing, self.singles, share=0.5), confirmed)
        if not found and not self._late():
            found = self._taken(self._agreeing(self.twins, self.singles + self.twins, share=0.5), confirmed)
        return found

    def _wholly(self, drafts: Iterable[Draft]) -> Iterator[Draft]:
        """Yield those of many drafts that agree with everything; the first that do not are kept as hits."""
        waiting: list[Draft] = []
        since = time.monotonic()
        for draft in drafts:
            waiting.append(draft)
            if len(waiting) >= TOGETHER or time.monotonic() > since + SOON:
                yield from self._sorted_out(waiting)
                waiting, since = [], time.monotonic()
        yield from self._sorted_out(waiting)

    def _sorted_out(self, drafts: Sequence[Draft]) -> Iterator[Draft]:
        agreeing = {i for i, _ in self.joiner.matches([draft.coded for draft in drafts], [{}], self.ends)}
        for i, draft in enumerate(drafts):
            if i in agreeing:
                yield draft
            elif len(self.hits) < 4 * QUICKLY_FITTED:
                self.hits.append(draft)

    def _parted(self, confirmed: Confirm) -> list[Candidate]:
        """Look for edits part by part, each in a view of the observation that shows no other part."""
        for views, size in VIEWS:
            roots, pool = [Draft()], self.singles
            for view in views:
                unseen = self.joiner.unseen([draft.coded for draft in pool], view, self.ends)
                seen = [draft for draft, hides in zip(pool, unseen, strict=True) if not hides]
                pool = [draft for draft, hides in zip(pool, unseen, strict=True) if hides]
                roots = self._simplest(self._grown(roots, seen, view, size), ROOTS)
            self.hits = []
            if size == 1 and self.joiner.seen["eps"] is not None:
                found = self._taken(self._wholly(self._grown(roots, pool, "eps", size)), confirmed)
                hits = self._simplest(self.hits, ROOTS)
            else:
                found = self._taken(self._grown(roots, pool, "whole", size), confirmed)
                late = found or self._late()
                hits = [] if late else self._simplest(self._grown(roots, pool, "eps", size), ROOTS)
            if not found and not self._late():
                found = self._estimated(hits, confirmed) or self._retold(hits, confirmed)
            if found or self._late():
                return found
        return []

    def _grown(self, roots: Sequence[Draft], pool: Sequence[Draft], view: View, size: int) -> Iterator[Draft]:
        """Yield the roots that agree in a view, the others with one edit, and if there are none with two."""
        agreeing = {i for i, _ in self.joiner.matches([root.coded for root in roots], [{}], self.ends, view)}
        yield from (roots[i] for i in sorted(agreeing))
        others = [root for i, root in enumerate(roots) if i not in agreeing]
        some = False
        for child in self._agreeing(others, pool, view):
            some = True
            yield child
        if size == 1 or some or agreeing:
            return
        for root in others[:PAIRED]:
            parents = [child for child in map(root.joined, pool) if child is not None]
            yield from self._agreeing(parents, pool, view, 0.5)

    def _simplest(self, drafts: Iterable[Draft], count: int = QUICKLY_FITTED) -> list[Draft]:
        return sorted(islice(drafts, 4 * count), key=lambda draft: draft.cost)[:count]

    def _guided(self, confirmed: Confirm) -> list[Candidate]:
        """Join the candidates that explain most with every edit."""
        found = self._numbered(self.singles[:SCORED], confirmed) if self.fits else []
        if found:
            return found
        carried = self._carried(self.singles)
        while carried and not found and not self._late():
            found = self._taken(self._agreeing(carried, self.singles, share=0.7), confirmed)
            if not found and not self._late():
                found = self._estimated(self._simplest(self._agreeing(carried, self.singles, "eps", 0.5)), confirmed)
            carried = [] if found or self._late() else self._carried(carried)
        return found

    def _carried(self, parents: Sequence[Draft]) -> list[Draft]:
        """Choose parents of the next depth: those that explain most."""
        first, second = parents[:SCORED], self.singles[:SCORED]
        scores = self.joiner.scores([c.coded for c in first], [c.coded for c in second], self._share(0.25))
        order = np.argsort(-scores, axis=None)[: 4 * CARRIED]
        found: dict[tuple[float, ...], Draft] = {}
        for i, j in zip(*np.unravel_index(order, scores.shape), strict=True):
            score = float(scores[i, j])
            if score < 0 or len(found) >= CARRIED:
                break
            child = first[i].joined(second[j])
            if child is not None and child.edits:
                # Of several with one score the first is enough: they mostly do the same.
                found.setdefault((round(score, 5), first[i].score), replace(child, score=score))
        best = list(found.values())
        self._note_nearest(best)
        return best

    def _taken(self, agreeing: Iterable[Draft], confirmed: Confirm, patience: float = PATIENCE) -> list[Candidate]:
        """Confirm drafts as they come; once there is an answer, a little more time is given for a simpler one."""
        found: list[Candidate] = []
        ends = self.ends
        for draft in agreeing:
            candidate = self.drawer.candidate(draft)
            if candidate is not None:
                found += self._confirmed([candidate], confirmed)
            if found:
                ends = min(ends, time.monotonic() + patience) if len(found) == 1 else ends
            if len(found) >= ENOUGH or time.monotonic() > ends:
                break
        return sorted(found, key=lambda c: c.cost)

    def _confirmed(self, agreeing: Sequence[Candidate], confirmed: Confirm) -> list[Candidate]:
        found: list[Candidate] = []
        for candidate in sorted(agreeing, key=lambda c: c.cost)[: 8 * ENOUGH]:
            if self.matcher.agreed(candidate.tree, candidate.knobs) == self.matcher.steps and confirmed(candidate):
                found.append(candidate)
            if len(found) >= ENOUGH or (found and self._late()):
                break
        return found

    def _estimated(self, drafts: Sequence[Draft], confirmed: Confirm) -> list[Candidate]:
        """Find the learning rate and a usual eps of drafts that agree but for them, if these are hidden."""
        return self._knobs(drafts, self.fitter.quick, confirmed) if self.fitter.hidden else []

    def _fitted(self, drafts: Sequence[Draft], confirmed: Confirm) -> list[Candidate]:
        """Estimate all hidden knobs of drafts by least squares."""
        return self._knobs(drafts, self.fitter.fit, confirmed) if self.fitter.hidden else []

    def _knobs(
        self, drafts: Sequence[Draft], estimate: Callable[[Tree, Fit], Fit | None], confirmed: Confirm
    ) -> list[Candidate]:
        found: list[Candidate] = []
        for draft in drafts:
            candidate = self.drawer.candidate(draft)
            fit = None if candidate is None or not draft.edits else estimate(candidate.tree, dict(candidate.knobs))
            if candidate is not None and fit is not None:
                found += self._confirmed([replace(candidate, knobs=fit)], confirmed)
            if self._late() or len(found) >= ENOUGH:
                break
        return sorted(found, key=lambda c: c.cost)

    def _retold(self, drafts: Iterable[Draft], confirmed: Confirm) -> list[Candidate]:
        """Look for a learning rate that is not the one told, with drafts that agree but for a factor and eps."""
        if "lr" not in self.held:
            return []
        fitter = Fitter(self.matcher, self.tree, (*self.drawer.hidden, "lr"))
        found = []
        for draft in islice(drafts, QUICKLY_FITTED):
            candidate = self.drawer.candidate(draft)
            fit = None if candidate is None or draft.literals else fitter.quick(candidate.tree, candidate.knobs)
            if fit and "lr" in fit:
                rate = self.drawer.literal("lr", fit.pop("lr"))
                found.append(replace(draft, knobs={**draft.knobs, **fit}).joined(rate))
            if self._late():
                break
        return self._taken((draft for draft in found if draft is not None), confirmed)
