"""What a search tries: drafts, quick to join and to run, and candidates, whole rules with knobs. It runs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mhat.language.tree import Tree
from mhat.language.vocabulary import USUAL
from mhat.language.walking import names_in
from mhat.mistakes import edits_of
from mhat.mistakes.collection import literal, literals
from mhat.mistakes.parts import Anatomy, Filling, Part
from mhat.mistakes.slots import Content, Edit, assembled
from mhat.search.effort import Effort


@dataclass(frozen=True)
class Candidate:
    """A rule made by edits, with the knobs at which it agrees, as far as they are not as told."""

    tree: Tree
    edits: tuple[Edit, ...]
    knobs: Mapping[str, float] = field(default_factory=dict)
    score: float = 0.0

    @property
    def cost(self) -> tuple[int, float]:
        """What the simplest candidate has least of: edits, then how far-fetched they and the knobs are."""
        return cost_of(self.edits, self.knobs)


@dataclass(frozen=True)
class Draft:
    """Edits as the parts of the rule that they fill anew, knobs that they hold, and hidden knobs."""

    edits: tuple[Edit, ...] = ()
    parts: Mapping[Part, Filling] = field(default_factory=dict)
    literals: Mapping[str, float] = field(default_factory=dict)
    knobs: Mapping[str, float] = field(default_factory=dict)
    score: float = 0.0

    @property
    def cost(self) -> tuple[int, float]:
        """As of a candidate."""
        return cost_of(self.edits, self.knobs)

    @property
    def coded(self) -> dict[Any, Any]:
        """What the register machine runs."""
        return {
            **self.parts,
            **{("knob", name): value for name, value in (*self.literals.items(), *self.knobs.items())},
        }

    @property
    def counts_tensors(self) -> bool:
        """Whether it reads the number of the tensor, or how many there are."""
        return any(names & {"k", "n"} for edit in self.edits for _, content in edit.changes for names in _read(content))

    def joined(self, other: Draft) -> Draft | None:
        """Join two drafts; None if both change the same part."""
        if not self.coded.keys().isdisjoint(other.coded):
            return None
        return Draft(
            self.edits + other.edits,
            {**self.parts, **other.parts},
            {**self.literals, **other.literals},
            {**self.knobs, **other.knobs},
        )


def _read(content: Content) -> Iterator[set[str]]:
    yield from (names_in(line.value) for line in content) if isinstance(content, tuple) else (names_in(content),)


class Drawer:
    """Makes drafts of a rule's edits, and candidates of drafts."""

    def __init__(self, tree: Tree, hidden: tuple[str, ...], held: Mapping[str, float]) -> None:
        self.tree = tree
        self.hidden = hidden
        self.held = held
        self.anatomy = Anatomy(tree)

    def singles(self, effort: Effort, until: float) -> Iterator[Draft]:
        """Yield a draft for every edit, and for every number that may stand in the place of a knob that was told.

        Edits are made up to a moment, which ends the making and is noted.
        """
        edits = edits_of(self.tree, lambda: effort.late(until))
        effort.cut |= edits.cut
        for edit in edits.all:
            if effort.ends():
                break
            yield Draft((edit,), self.anatomy.parts(dict(edit.changes)))
        for name, value in literals(self.tree, self.held):
            yield self.literal(name, value)

    def literal(self, name: str, value: float) -> Draft:
        """Put a number in the place of a knob."""
        return Draft((literal(self.tree, name, value),), {}, {name: value})

    def guesses(self) -> Iterator[Draft]:
        """Yield a draft without edits for every usual value of a hidden knob."""
        defaults = {knob.name: knob.default for knob in self.tree.knobs}
        for name in self.hidden:
            for value in USUAL.get(name, ()):
                if value != defaults[name]:
                    yield Draft(knobs={name: value})

    def candidate(self, draft: Draft) -> Candidate | None:
        """Put a draft together; None if it would read a name before it is assigned."""
        if len(draft.edits) == 1:
            # As the edit has it: expressions that are the same objects are run faster.
            tree = assembled(self.tree, dict(draft.edits[0].changes))
            return None if tree is None else Candidate(tree, draft.edits, dict(draft.knobs), draft.score)
        tree = assembled(self.tree, self.anatomy.changes(draft.parts))
        for name, value in draft.literals.items():
            tree = tree and assembled(tree, dict(literal(tree, name, value).changes))
        return None if tree is None else Candidate(tree, draft.edits, dict(draft.knobs), draft.score)


def cost_of(edits: tuple[Edit, ...], knobs: Mapping[str, float]) -> tuple[int, float]:
    """Say how simple an answer is: the number of edits, then how far-fetched they and the knobs are."""
    return len(edits), sum(edit.cost for edit in edits) + sum(map(oddness, knobs.values()))


def oddness(value: float) -> float:
    """Say how unlikely a person is to have written a knob's value: more digits, less likely."""
    digits = f"{value:.9e}".partition("e")[0].rstrip("0").replace(".", "").lstrip("-")
    return 0.4 + 0.1 * len(digits)
