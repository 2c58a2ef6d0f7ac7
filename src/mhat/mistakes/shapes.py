"""Shapes that edits look for in a rule: corrections, terms with a knob. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mhat.language.tree import Expression, Name, Operation, Tree
from mhat.language.walking import names_in
from mhat.mistakes.paths import ONE
from mhat.mistakes.slots import Spot, spots


@dataclass(frozen=True)
class Term:
    """A term with a knob that is added to something, or taken from it."""

    sum: Spot  # or the difference
    which: int  # of its operands

    @property
    def expression(self) -> Expression:
        """The term itself."""
        return self._operands[self.which]

    @property
    def rest(self) -> Expression:
        """What it is added to."""
        return self._operands[1 - self.which]

    @property
    def spot(self) -> Spot:
        """Where the term stands."""
        return self.sum.below(self.which)

    @property
    def _operands(self) -> tuple[Expression, ...]:
        assert isinstance(self.sum.part, Operation)
        return self.sum.part.arguments


def terms(tree: Tree) -> Iterator[Term]:
    """Yield the terms that are a knob, or a share of the parameter: `eps`, `weight_decay * x`."""
    for spot in spots(tree):
        part = spot.part
        if not (isinstance(part, Operation) and part.op in ("add", "sub")):
            continue
        for i, term in enumerate(part.arguments):
            if part.op == "sub" and i == 0:
                continue
            read = names_in(term)
            plain = isinstance(term, Name) and term.id in tree.knob_names
            with_x = "x" in read and bool(read & set(tree.knob_names)) and len(read) <= 3
            if plain or with_x:
                yield Term(spot, i)


def is_correction(part: Expression) -> bool:
    """Whether a part is one minus a power of the step number."""
    return isinstance(part, Operation) and part.op == "sub" and part.arguments[0] == ONE and "t" in names_in(part)
