"""Explain the first step, then the first steps, then all of them. It knows no rule and no edit.

At the first step states are at their starts, so most edits do nothing there, or the same as many others do. The few
that do something else are tried in twos and threes; what explains the first step is joined with edits that do not show
in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, product
from typing import TYPE_CHECKING

from mhat.search.answers import Answers
from mhat.search.candidates import Candidate, Draft
from mhat.search.effort import Effort

if TYPE_CHECKING:
    from mhat.search.machine.trying import Joiner
    from mhat.search.machine.views import View

Agreeing = Callable[..., Iterator[Draft]]
Kinds = list[list[Draft]]
# How many sets of edits that explain the first step are carried on, and how many kinds of edits are tried in threes.
ROOTS, IN_THREES = 4000, 220
# How many of those that do the same at the first step are told apart later.
MEMBERS = 60
# How many of the plainest are joined with two edits more.
WITH_TWO = 8


class Stepwise:
    """The search of several edits by steps, over the single edits of one search."""

    def __init__(
        self, joiner: Joiner, answers: Answers, effort: Effort, agreeing: Agreeing, until: float,
        singles: Sequence[Draft],
    ) -> None:  # fmt: skip
        self.joiner = joiner
        self.answers = answers
        self.effort = effort
        self.agreeing = agreeing
        self.until = until
        seen, self.later = self._split(singles, "first")
        self.middle, self.last = self._split(self.later, "early")
        self.kinds = self._kinds(seen, "first")
        self.one, self.two = self._of_one(), self._of_two(self.kinds, "first")

    def pairs(self, until: float, counted: str) -> list[Candidate]:
        """Find two edits that explain everything."""
        self.until = until
        tries: list[Callable[[], Iterable[Draft]]] = [
            lambda: self._plainest(
                self.agreeing([Draft()], self.two, counted=counted),
                self.agreeing(self.one, self.later, share=0.5, counted=counted),
            )
        ]
        if any(not root.edits and not root.knobs for root in self.one):
            tries += [
                lambda: self.agreeing([Draft()], self._of_two(self._kinds(self.middle, "early"), "early")),
                lambda: self.agreeing(self.last, self.last, share=0.5, counted=counted),
            ]
        return self._first_of(tries)

    def more(self, until: float, counted: str) -> list[Candidate]:
        """Find larger sets of edits, those of three first."""
        self.until = until
        return self._first_of([
            lambda: self.agreeing(self.two, self.later, share=0.3, counted=counted),
            lambda: self._grown(self.one, counted),
            lambda: self._of_three(counted),
            lambda: self._grown(self.two, counted),
        ])  # fmt: skip

    @staticmethod
    def _plainest(*agreeing: Iterator[Draft]) -> list[Draft]:
        """Sort what agrees: what shows at the first step is no plainer than what shows later."""
        return sorted(islice(chain(*agreeing), ROOTS), key=lambda draft: draft.cost)

    def _first_of(self, tries: Iterable[Callable[[], Iterable[Draft]]]) -> list[Candidate]:
        for drafts in tries:
            if self.effort.late(self.until):
                break
            if found := self.answers.taken(drafts()):
                return found
        return []

    def _split(self, drafts: Sequence[Draft], view: View) -> tuple[list[Draft], list[Draft]]:
        """Give those that show in a view, and those that do not."""
        hidden = self.joiner.unseen([draft.coded for draft in drafts], view, self.until)
        seen = [draft for draft, hides in zip(drafts, hidden, strict=True) if not hides]
        return seen, [draft for draft, hides in zip(drafts, hidden, strict=True) if hides]

    def _kinds(self, seen: Sequence[Draft], view: View) -> Kinds:
        """Put together what does the same at the first steps; the plainest kinds come first, in them the plainest."""
        prints = self.joiner.prints([draft.coded for draft in seen], self.until, view)
        kinds: dict[str, list[Draft]] = {}
        for draft, number in zip(seen, prints, strict=True):
            kinds.setdefault(f"{number:.9e}", []).append(draft)
        ordered = [sorted(kind, key=lambda draft: draft.cost) for kind in kinds.values()]
        return sorted(ordered, key=lambda kind: kind[0].cost)

    def _of_one(self) -> list[Draft]:
        """Give what explains the first step: nothing, or one edit."""
        leaders = [Draft(), *(kind[0] for kind in self.kinds)]
        found = [i for _, i in self.joiner.matches([{}], [d.coded for d in leaders], self.until, "first")]
        return [draft for i in found for draft in ([Draft()] if i == 0 else self.kinds[i - 1])][:ROOTS]

    def _of_two(self, kinds: Kinds, view: View) -> list[Draft]:
        """Give pairs of edits that explain the first steps, the plainest first."""
        leaders = [kind[0].coded for kind in kinds]
        until = self.effort.share(0.2, self.until)
        return _members(kinds, list(self.joiner.matches(leaders, leaders, until, view, ranked=True)))

    def _of_three(self, counted: str) -> Iterator[Draft]:
        """Yield threes that explain everything, and such as do with one edit more."""
        few = self.kinds[:IN_THREES]
        parents = [(i, j) for j in range(len(few)) for i in range(j)]
        drafts = [few[i][0].joined(few[j][0]) for i, j in parents]
        usable = [(pair, draft) for pair, draft in zip(parents, drafts, strict=True) if draft is not None]
        leaders = [kind[0].coded for kind in few]
        until = self.effort.share(0.3, self.until)
        found = self.joiner.matches([d.coded for _, d in usable], leaders, until, "first", counted=counted)
        threes = sorted({tuple(sorted({*usable[a][0], b})) for a, b in found})
        roots = _members(self.kinds, [three for three in threes if len(three) == 3])
        yield from self.agreeing([Draft()], roots)
        yield from self.agreeing(roots, self.later, share=0.5, counted=counted)

    def _grown(self, roots: Sequence[Draft], counted: str) -> Iterator[Draft]:
        """Join what explains the first step with an edit that shows in the next ones, and one that shows later."""
        agreeing = {i for i, _ in self.joiner.matches([root.coded for root in roots], [{}], self.until, "early")}
        early = [root for i, root in enumerate(roots) if i in agreeing]
        others = [root for i, root in enumerate(roots) if i not in agreeing]
        early += islice(self.agreeing(others, self.middle, "early", 0.3, counted=counted), ROOTS)
        yield from self.agreeing(early, self.later, share=0.5, counted=counted)
        for root in roots[:WITH_TWO]:
            parents = [child for child in map(root.joined, self.middle) if child is not None]
            yield from self.agreeing(parents, self.middle, share=0.3, counted=counted)


def _members(kinds: Kinds, sets: Sequence[tuple[int, ...]]) -> list[Draft]:
    """Join the edits of kinds that explain the first steps together, each with each."""
    joined: list[Draft] = []
    for chosen in sorted(sets, key=lambda chosen: sum(kinds[k][0].cost[1] for k in chosen)):
        for members in product(*(kinds[k][:MEMBERS] for k in chosen)):
            draft: Draft | None = Draft()
            for member in members:
                draft = None if draft is None else draft.joined(member)
            if draft is not None:
                joined.append(draft)
        if len(joined) > 5 * ROOTS:
            break
    return sorted(joined, key=lambda draft: draft.cost)[:ROOTS]
