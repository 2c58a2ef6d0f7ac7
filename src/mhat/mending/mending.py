"""Look for a change of the user's file with which the same check passes: propose, try on a copy, and check.

The edits of a diagnosis are taken back one after the other: a change counts if the file then does what the reference
does with the other edits. It knows no framework, and no way in which code is written.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice
from typing import Any

from mhat import inquiry, meanings
from mhat.checks.findings import Diagnosis, Fix
from mhat.checks.verdict import Verdict
from mhat.errors import BadValue, MhatError
from mhat.inquiry import Manner, Party
from mhat.language.tree import Tree
from mhat.mending import originals
from mhat.mending.copies import Copies
from mhat.mending.proposals import Proposer
from mhat.mending.sight import Sight
from mhat.mending.slips import Slips
from mhat.mending.sources import Source, source_of
from mhat.mending.texts import Piece, Proposal, Text
from mhat.mending.trials import Trials
from mhat.mistakes.parts import Anatomy
from mhat.mistakes.slots import Edit, assembled
from mhat.search.observed import Observed

# So many changes are tried that an edit points to, and so many of whole statements.
POINTED, WHOLE = 160, 400
NOTHING_NAMED = "no mistake is named, so that no change can be derived from it"
NOT_FOUND = "no change of {} was found that makes it conform, among {} that were tried"
OUT_OF_TIME = "no change of {} was found that makes it conform in {:g} seconds ({} were tried): give it more, seconds="
NOT_SEEN = "{} cannot be run as a copy, so that no change of it can be tried"


def mend(
    verdict: Verdict,
    party: Party,
    manner: Manner,
    keywords: Mapping[str, Any],
    mapping: Mapping[str, Any] | None,
    *,
    write: bool = False,
) -> Verdict:
    """Look for a change of the file that a verdict is about, and write it if that is asked for.

    Raises OutputFileError or BadValue where it is found and cannot be written.
    """
    if verdict.conforms or verdict.reference is None:
        return verdict
    found = _fix(verdict, party, manner, keywords, mapping)
    if write and found.diff:
        found = replace(found, kept=originals.write(found.file, found.before, found.after))
    return replace(verdict, fix=found)


def _fix(
    verdict: Verdict, party: Party, manner: Manner, keywords: Mapping[str, Any], mapping: Mapping[str, Any] | None
) -> Fix:
    assert verdict.reference is not None
    party = replace(party, **verdict.meant)
    manner = replace(manner, observe=verdict.observe)
    began = time.monotonic()
    try:
        party, _ = meanings.settled(party, manner)
        source = source_of(party)
    except BadValue as error:
        return Fix(reason=f"no change is offered: {error.what}")
    if verdict.diagnosis is None:
        return Fix(source.shown, reason=f"no change of {source.shown} is offered: {NOTHING_NAMED}")
    copies = Copies(source.path)
    deadline = began + manner.seconds
    trials = Trials(
        party, source.name, verdict.reference, manner, keywords, mapping, copies, verdict.observe, deadline
    )  # fmt: skip
    text = Text(source.path.read_bytes())
    try:
        found = Mender(verdict, trials, text).mended()
        reason = "" if found is not None else _why_not(source, trials, manner)
    except (OSError, SyntaxError, ValueError, NotWatched):
        found, reason = None, NOT_SEEN.format(source.shown)
    finally:
        trials.end()
    told = Fix(source.shown, reason=reason, tried=trials.tried, seconds=time.monotonic() - began)
    if found is None:
        return told
    return replace(told, diff=diff_of(text, found, source.shown), before=text.raw, after=found.raw)


class NotWatched(Exception):
    """A copy of the file could not be run so that its expressions are looked at."""


def _why_not(source: Source, trials: Trials, manner: Manner) -> str:
    if trials.is_late:
        return OUT_OF_TIME.format(source.shown, manner.seconds, trials.tried)
    return NOT_FOUND.format(source.shown, trials.tried)


def diff_of(before: Text, after: Text, shown: str) -> str:
    """Give the unified diff of a file, which `patch` applies."""
    names = (f"a/{shown.lstrip('/')}", f"b/{shown.lstrip('/')}")
    lines = list[str]()
    for line in difflib.unified_diff(before.lines_ended, after.lines_ended, *names):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


@dataclass
class Mender:
    """One search: the verdict, the place where texts are tried, and the text as it is."""

    verdict: Verdict
    trials: Trials
    text: Text

    def mended(self) -> Text | None:
        """Give a text that conforms; None if none is found."""
        diagnosis = self.verdict.diagnosis
        assert diagnosis is not None and self.verdict.reference is not None
        self.reference = self.verdict.reference.tree
        text, explanations = self.text, [diagnosis, *diagnosis.others]
        ways: list[tuple[Tree, Sequence[Edit]]] = [(each.rule.tree, self._apart(each)) for each in explanations]
        while True:
            step = self._step(text, ways)
            if step is None:
                return text if text is not self.text and self.mends(text) else None
            text, now, edits = step
            ways = [(now, edits)]
            if not edits:
                return text if self.mends(text) else None

    def _apart(self, diagnosis: Diagnosis) -> list[Edit]:
        """Give the edits of a diagnosis, if its rule is made of them one by one."""
        edits = list(diagnosis.edits)
        return edits if _joined(self.reference, edits) == diagnosis.rule.tree else []

    def mends(self, text: Text) -> bool:
        """Whether a text conforms, and not only because the file as it is does so too."""
        return self.conforms(text) and not self.conforms(self.text)

    def conforms(self, text: Text) -> bool:
        """Whether the same check passes on a copy."""
        party = self.trials.party_at(self.trials.copies.holding(text.raw))
        try:
            verdict = inquiry.judge(
                party, self.verdict.reference, replace(self.trials.manner, seconds=1.0), self.trials.keywords,
                self.trials.mapping,
            )  # fmt: skip
        except MhatError:
            return False
        return verdict.conforms

    def _step(
        self, text: Text, ways: Sequence[tuple[Tree, Sequence[Edit]]]
    ) -> tuple[Text, Tree, Sequence[Edit]] | None:
        """Take back one edit, or several at once, or all, of one explanation of what the text does."""
        sight = self.trials.watched(text)
        if sight is None:
            raise NotWatched
        searches: list[tuple[Search, Tree, Sequence[Edit]]] = []
        for now, edits in ways:
            for left in _left(edits):
                wanted = _joined(self.reference, left)
                if wanted is not None and all(wanted != other or left != rest for _, other, rest in searches):
                    searches.append((Search(self, text, sight, now, wanted), wanted, left))
        first = searches[: len(ways)] if len(ways) > 1 else searches
        for stage, some in ((Search.pointed, searches), (Search.whole, first), (Search.anything, first)):
            for search, wanted, left in some:
                if (found := search.first(stage(search), driven_alike=stage is not Search.pointed)) is not None:
                    return found, wanted, left
                if self.trials.is_late:
                    return None
        return None


def _left(edits: Sequence[Edit]) -> Iterator[Sequence[Edit]]:
    """Yield what may be left of some edits: all but one, all but two, none."""
    for size in range(1, min(len(edits), 2) + 1):
        for gone in combinations(range(len(edits)), size):
            yield [edit for i, edit in enumerate(edits) if i not in gone]
    if len(edits) not in (1, 2):
        yield []


def _joined(reference: Tree, edits: Sequence[Edit]) -> Tree | None:
    """Make the rule with some edits; None if they do not go together."""
    if len(edits) == 1:
        return assembled(reference, dict(edits[0].changes))
    anatomy = Anatomy(reference)
    parts: dict[Any, Any] = {}
    for edit in edits:
        own = anatomy.parts(dict(edit.changes))
        if not parts.keys().isdisjoint(own):
            return None
        parts |= own
    return assembled(reference, anatomy.changes(parts))


class Search:
    """The search for a change that takes a text from one rule to another."""

    def __init__(self, mender: Mender, text: Text, seen: tuple[Sight, Observed], now: Tree, wanted: Tree) -> None:
        self.trials, self.text, self.wanted = mender.trials, text, wanted
        self.knobs = dict(mender.verdict.estimated)
        self.sight, observed = seen
        self.proposer = Proposer(self.sight, mender.reference, now, wanted, observed.probes, self.knobs)
        self.tried: set[tuple[Piece, ...]] = set()

    def first(self, proposals: Iterator[Proposal], *, driven_alike: bool) -> Text | None:
        """Give the text of the first proposal that does what is wanted, without what it needs not."""
        for proposal in proposals:
            pieces = tuple(sorted(set(proposal.pieces)))
            if self.trials.is_late:
                return None
            if pieces in self.tried:
                continue
            self.tried.add(pieces)
            if (text := self._does(pieces, driven_alike)) is not None:
                for piece in pieces:
                    less = tuple(each for each in pieces if each is not piece)
                    if less and len(less) < len(pieces) and (shorter := self._does(less, driven_alike)) is not None:
                        pieces, text = less, shorter
                return text
        return None

    def _does(self, pieces: tuple[Piece, ...], driven_alike: bool) -> Text | None:
        text = self.text.changed(pieces)
        if text is None or text.content == self.text.content:
            return None
        return text if self.trials.does(text, self.wanted, self.knobs, driven_alike=driven_alike) else None

    def pointed(self) -> Iterator[Proposal]:
        """Yield what the edit points to."""
        return islice(chain(self.proposer.starts(), self.proposer.proposals()), POINTED)

    def whole(self) -> Iterator[Proposal]:
        """Yield changes of whole statements."""
        statements = self.proposer.statements
        families = chain(
            statements.copied(), statements.left_out(), statements.renamed(), statements.turned(), statements.counted(),
            statements.stored(), statements.put_in(self.proposer), statements.freed(), statements.moved(),
        )  # fmt: skip
        return iter(sorted(islice(families, WHOLE), key=lambda proposal: proposal.cost))

    def anything(self) -> Iterator[Proposal]:
        """Yield small changes of any expression."""
        return Slips(self.sight, self.proposer.style, self.proposer.courses.steps).proposals(set())
