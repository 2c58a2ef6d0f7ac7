"""Search for the edits that make a rule do what a subject did. It sees observations, never the subject.

    1   every single edit
    2   all pairs
    3   parts apart: edits that show in one view of the observation, then edits that show in the next alone
    4   the candidates that explain most, joined with every edit

Where knobs are hidden, candidates that agree but for a factor and eps are estimated. Whatever agrees on all probes is
confirmed on fresh streams before it counts, and the simplest wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from mhat.errors import abridged
from mhat.language.tree import Tree
from mhat.search.answers import QUICKLY_FITTED, Answers, Confirm
from mhat.search.candidates import Candidate, Draft, Drawer
from mhat.search.effort import Effort
from mhat.search.knobs import Fitter
from mhat.search.machine.code import NotCodedError
from mhat.search.machine.views import View
from mhat.search.matching import Matcher
from mhat.search.numbers import Tuner
from mhat.search.stepwise import Stepwise

if TYPE_CHECKING:
    from mhat.search.machine.trying import Joiner

# For how many seconds single edits are tried before the compiler is loaded for them.
SOON = 1.0
# How many are written as code before they are tried: most searches end with one of the first.
PORTION = 2000
# Which share of the time may go into making edits, of which a long rule has many.
MAKING = 0.3
# Of edits that do the same, how many are tried in pairs at first.
ALIKE = 3
# How many of those that explain most are tried in pairs at first.
LIKELY = 1200
# How many pairs that agree in one view are looked at together.
TOGETHER = 512
# How many of the best are scored in pairs, how many candidates are carried on to more edits, and how many times.
SCORED, CARRIED, ROUNDS = 500, 1500, 4
# Candidates whose hidden knobs are estimated by least squares.
FITTED = 25
# Edits with a number of their own that are fitted, and how many of the best others are tried beside them.
TUNED, BESIDE = 40, 12
# Views of the observation by which edits are told apart, and how many edits may show in each.
VIEWS: tuple[tuple[tuple[View, ...], int], ...] = (
    (("eps",), 1), (("squares", "time", "eps"), 1), (("eps",), 2), (("squares", "time", "eps"), 2),
)  # fmt: skip
# How many candidates that agree in one view are looked at in the next, and how many of them in pairs.
ROOTS, PAIRED = 3000, 12
# How many letters say what comes nearest.
NEAREST = 80
# What one edit costs that is less likely than two plain ones, and what a plain one costs at most.
ODD, PLAIN = 1.4, 1.1
SINGLES, PAIRS, MORE = "single edits", "pairs of edits", "larger sets of edits"


class Search:
    """One search; each depth can be asked for by itself. `fits`: hidden knobs are estimated by least squares too."""

    def __init__(
        self, tree: Tree, matcher: Matcher, confirmed: Confirm, effort: Effort, hidden: tuple[str, ...] = (),
        held: Mapping[str, float] | None = None, *, fits: bool = True,
    ) -> None:  # fmt: skip
        self.tree = tree
        self.fits = fits
        self.matcher = matcher
        self.effort = effort
        self.held = dict(held or {})
        self.drawer = Drawer(tree, hidden, self.held)
        self.fitter = Fitter(matcher, tree, hidden, self._late)
        self.answers = Answers(self.drawer, self.fitter, confirmed, effort)
        self.tuner = Tuner(self.drawer, self.fitter, effort)
        self.nearest = Candidate(tree, ())
        self.singles: list[Draft] = []
        self.twins: list[Draft] = []
        self.hits: list[Draft] = []
        self.stepwise: Stepwise | None = None
        self.until = effort.seconds

    def at(self, depth: int, until: float) -> list[Candidate]:
        """Find the candidates with so many edits; the depths before must have been asked for."""
        self.until = self.answers.until = until
        if depth > 1 and not self.runs:
            return []
        stage = ("single edits", "pairs of edits", "edits part by part", "more edits together")[depth - 1]
        self.effort.begin(f"{self.tree.name}: {stage}")
        found = (self._first, self._pairs, self._parted, self._guided)[depth - 1]()
        if not self._late():
            self.effort.whole.append(f"the {stage} of {self.tree.name}")
        return found

    @cached_property
    def joiner(self) -> Joiner:
        """What tries candidates in compiled code; made at the first use, for loading the compiler takes a while."""
        with self.effort.paused():
            # Late, since loading the compiler takes longer than trying all single edits does.
            from mhat.search.machine.trying import Joiner
        return Joiner(self.drawer.anatomy, self.matcher, {**self.fitter.defaults, **self.held}, self.effort)

    @cached_property
    def runs(self) -> bool:
        """Whether the machine can run the rule."""
        try:
            return bool(self.joiner)
        except NotCodedError:
            self.effort.unrun = True
            return False

    def _late(self) -> bool:
        return self.effort.ends(self.until)

    def _share(self, share: float) -> float:
        return self.effort.share(share, self.until)

    def _first(self) -> list[Candidate]:
        """Try all single edits."""
        made = self.drawer.singles(self.effort, self._share(MAKING))
        if self.matcher.observed.probes.gradients.shape[2] == 1:
            # Of one tensor, its number is 1, and so is how many there are.
            made = (draft for draft in made if not draft.counts_tensors)
        singles = sorted(made, key=lambda draft: draft.cost)
        found = self.answers.taken(self._tried(singles), patience=0.3)
        if self._late() or (found and found[0].cost[1] < ODD) or not self.runs:
            return found
        if found:
            return self._plainer(singles) + found
        self._rank(singles)
        hits = self._simplest(self._agreeing([Draft()], [Draft(), *self.singles], "eps"))
        found = self.answers.estimated(hits) or self.answers.retold(hits)
        if not found and self.fits and not self._late():
            found = self.answers.fitted(self.singles[:FITTED]) or self._numbered([Draft()])
        if found and len(found[0].knobs) > 1:
            # Several odd knobs are less likely than a second edit.
            return self._pairs() or found
        return found

    def _plainer(self, singles: Sequence[Draft]) -> list[Candidate]:
        """Look for two plain edits in place of one that hardly anybody makes."""
        plain = [draft for draft in singles if draft.cost[1] <= PLAIN and self.joiner.can(draft.coded)]
        return self.answers.taken(self._agreeing(plain, plain, share=0.1), patience=0.3)[:1]

    def _numbered(self, beside: Sequence[Draft]) -> list[Candidate]:
        """Estimate the numbers of edits that have one of their own, alone or beside other edits."""
        if self._late():
            return []
        families = self.tuner.families([*self.singles, *self.twins])
        found = self.answers.taken(self._agreeing(beside, self._codable(self.tuner.written(families)), share=0.5))
        if found or self._late():
            return found
        ranked = self.tuner.ranked(families, beside[:BESIDE], self._share(0.5))
        return self.answers.taken(self.tuner.tuned(ranked[:TUNED]))

    def _tried(self, drafts: Sequence[Draft]) -> Iterator[Draft]:
        """Yield the drafts that agree, the likeliest first, and without the compiler if these are soon tried."""
        soon = self.effort.within(SOON)
        for i, draft in enumerate(drafts):
            if self._late():
                return
            if self.effort.late(soon) and self.runs:
                for begin in range(i, len(drafts), PORTION):
                    portion = self._codable(drafts[begin : begin + PORTION])
                    yield from self._agreeing([Draft()], portion, counted=SINGLES)
                return
            self.effort.count(SINGLES)
            candidate = self.drawer.candidate(draft)
            if candidate is not None and self.matcher.agreed(candidate.tree) == self.matcher.steps:
                yield draft

    def _codable(self, drafts: Iterable[Draft]) -> list[Draft]:
        """Give those that the machine can run, as many as there is time for."""
        codable = []
        for draft in drafts:
            if self._late():
                break
            if self.joiner.can(draft.coded):
                codable.append(draft)
        return codable

    def _rank(self, singles: list[Draft]) -> None:
        """Rank the single edits, and usual values of hidden knobs among them, by what they explain.

        Of those that do the same, the simplest few go to `singles` and the others to `twins`.
        """
        usable = self._codable((*singles, *self.drawer.guesses()))
        coded = [draft.coded for draft in usable]
        scores, prints = self.joiner.scores([{}], coded, self.until)[0], self.joiner.prints(coded, self.until)
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
            self.effort.nearest = abridged(" and ".join(edit.sentence for edit in best.edits), NEAREST)

    def _agreeing(
        self, parents: Sequence[Draft], singles: Sequence[Draft], view: View = "whole", share: float = 1.0,
        counted: str = "",
    ) -> Iterator[Draft]:  # fmt: skip
        """Yield parents joined with singles that agree in a view; each pair once where both are one list."""
        pairs = self.joiner.matches(
            [parent.coded for parent in parents],
            [single.coded for single in singles],
            self._share(share),
            view,
            ranked=parents is singles,
            counted=counted,
        )
        for i, j in pairs:
            child = parents[i].joined(singles[j])
            if child is not None:
                yield child

    def _pairs(self) -> list[Candidate]:
        """Try pairs of edits: by steps, then those that explain most."""
        self.stepwise = Stepwise(
            self.joiner, self.answers, self.effort, self._agreeing, self._share(0.5), self.singles
        )  # fmt: skip
        found = self.stepwise.pairs(self._share(0.5), PAIRS)
        return found if found or self._late() else self._paired(self.singles[:LIKELY])

    def _paired(self, singles: Sequence[Draft]) -> list[Candidate]:
        """Try all pairs of some edits; where knobs are hidden, those that agree but for a factor and eps are estimated.

        What agrees wholly agrees in that view too, but for what reduces over tensors, which the view cannot show.
        """
        self.hits = []
        if self.joiner.seen["eps"] is None:
            pairs = self._agreeing(singles, singles, share=0.6, counted=PAIRS)
        else:
            pairs = self._wholly(self._agreeing(singles, singles, "eps", 0.6, counted=PAIRS))
        found = self.answers.taken(pairs)
        if not found and not self._late():
            self.hits = self._simplest(self.hits)
            found = self.answers.estimated(self.hits) or self.answers.retold(self.hits)
        if not found and not self._late():
            mixing = [draft for draft in singles if self.joiner.mixes(draft.coded)]
            found = self.answers.taken(self._agreeing(mixing, singles, share=0.5))
        return found

    def _all_pairs(self) -> list[Candidate]:
        """Try all pairs of edits, those that do the same as others too."""
        found = self._paired(self.singles) if len(self.singles) > LIKELY else []
        if not found and not self._late():
            found = self.answers.taken(self._agreeing(self.twins, self.singles + self.twins, share=0.5, counted=PAIRS))
        return found

    def _wholly(self, drafts: Iterable[Draft]) -> Iterator[Draft]:
        """Yield those of many drafts that agree with everything; the first that do not are kept as hits."""
        waiting: list[Draft] = []
        soon = self.effort.within(SOON)
        for draft in drafts:
            waiting.append(draft)
            if len(waiting) >= TOGETHER or self.effort.late(soon):
                yield from self._sorted_out(waiting)
                waiting, soon = [], self.effort.within(SOON)
        yield from self._sorted_out(waiting)

    def _sorted_out(self, drafts: Sequence[Draft]) -> Iterator[Draft]:
        agreeing = {i for i, _ in self.joiner.matches([draft.coded for draft in drafts], [{}], self.until)}
        for i, draft in enumerate(drafts):
            if i in agreeing:
                yield draft
            elif len(self.hits) < 4 * QUICKLY_FITTED:
                self.hits.append(draft)

    def _parted(self) -> list[Candidate]:
        """Look for edits part by part: by steps, then each in a view of the observation that shows no other part."""
        found = [] if self.stepwise is None else self.stepwise.more(self._share(0.5), MORE)
        if not found and not self._late():
            found = self._all_pairs()
        if found or self._late():
            return found
        for views, size in VIEWS:
            roots, pool = [Draft()], self.singles
            for view in views:
                unseen = self.joiner.unseen([draft.coded for draft in pool], view, self.until)
                seen = [draft for draft, hides in zip(pool, unseen, strict=True) if not hides]
                pool = [draft for draft, hides in zip(pool, unseen, strict=True) if hides]
                roots = self._simplest(self._grown(roots, seen, view, size), ROOTS)
            self.hits = []
            if size == 1 and self.joiner.seen["eps"] is not None:
                found = self.answers.taken(self._wholly(self._grown(roots, pool, "eps", size)))
                hits = self._simplest(self.hits, ROOTS)
            else:
                found = self.answers.taken(self._grown(roots, pool, "whole", size))
                late = found or self._late()
                hits = [] if late else self._simplest(self._grown(roots, pool, "eps", size), ROOTS)
            if not found and not self._late():
                found = self.answers.estimated(hits) or self.answers.retold(hits)
            if found or self._late():
                return found
        return []

    def _grown(self, roots: Sequence[Draft], pool: Sequence[Draft], view: View, size: int) -> Iterator[Draft]:
        """Yield the roots that agree in a view, the others with one edit, and if there are none with two."""
        agreeing = {i for i, _ in self.joiner.matches([root.coded for root in roots], [{}], self.until, view)}
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

    def _guided(self) -> list[Candidate]:
        """Join the candidates that explain most with every edit."""
        found = self._numbered(self.singles[:SCORED]) if self.fits else []
        parents = self.singles
        for _ in range(ROUNDS):
            parents = [] if found or self._late() else self._carried(parents)
            if not parents:
                break
            found = self.answers.taken(self._agreeing(parents, self.singles, share=0.7, counted=MORE))
            if not found and not self._late():
                found = self.answers.estimated(self._simplest(self._agreeing(parents, self.singles, "eps", 0.5)))
        return found

    def _carried(self, parents: Sequence[Draft]) -> list[Draft]:
        """Choose parents of the next depth: those that explain most."""
        first, second = parents[:SCORED], self.singles[:SCORED]
        scores = self.joiner.scores([c.coded for c in first], [c.coded for c in second], self._share(0.25))
        order = np.argsort(-scores, axis=None)[: 4 * CARRIED]
        children: dict[tuple[float, ...], Draft] = {}
        for i, j in zip(*np.unravel_index(order, scores.shape), strict=True):
            score = float(scores[i, j])
            if score < 0 or len(children) >= CARRIED:
                break
            child = first[i].joined(second[j])
            if child is not None and child.edits:
                # Of several with one score the first is enough: they mostly do the same.
                children.setdefault((round(score, 5), first[i].score), replace(child, score=score))
        best = list(children.values())
        self._note_nearest(best)
        return best
