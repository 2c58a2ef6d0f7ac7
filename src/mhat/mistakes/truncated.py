"""What is cut down to whole numbers: `//` for `/`, `int(...)`, `round(...)`. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import names_in
from mhat.mistakes.paths import ONE, operation, said
from mhat.mistakes.slots import Edit, spots

HALF = Number(0.5)


def truncated(tree: Tree) -> Iterator[Edit]:
    """Cut down every division, every name that is a value of a coordinate, and all that a line computes."""
    for spot in spots(tree):
        part = spot.part
        if isinstance(part, Operation) and part.op == "div":
            floored = operation("floordiv", *part.arguments)
            yield spot.edit(floored, f"{spot.where} {said(floored)} stands where {said(part)} should", "truncated", 1.1)
        named = isinstance(part, Name) and part.id not in (*tree.knob_names, "t", "k", "n")
        of_time = isinstance(part, Operation) and names_in(part) <= {"t", *tree.knob_names} and "t" in names_in(part)
        if named or of_time or (isinstance(part, Operation) and (not spot.path or part.op in ("sqrt", "div"))):
            for new, word in _cut(part):
                yield spot.edit(new, f"{spot.where} {said(part)} {word}", "truncated", 1.25)


def _cut(part: Expression) -> Iterator[tuple[Expression, str]]:
    yield operation("floordiv", part, ONE), "is rounded down to a whole number"
    size = operation("floordiv", operation("abs", part), ONE)
    yield operation("mul", operation("sign", part), size), "loses what is behind the point"
    yield operation("floordiv", operation("add", part, HALF), ONE), "is rounded to a whole number"
