"""Every error that mhat raises on purpose, drawn as a tree. It knows no rule, no array and no file format.

MhatError
├── LanguageError     a rule that is not in the rule language: place, what is wrong, what to write instead
├── UnknownName       a rule, stream, landscape, knob or variable that does not exist: the nearest name
├── BadValue          a knob out of its range, zero steps, a shape that does not fit
├── InputFileError    a file that is missing, empty, ragged or not numeric at a line
├── OutputFileError   an output that exists already or cannot be written
├── MissingExtra      an optional dependency that is not installed: the command that installs it
└── SubjectError      an implementation under check that raises, dies or answers nonsense: what it said
    └── SubjectHangs  one that does not end or answer in time
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where something stands in a source text: line and column count from 1."""

    file: str
    line: int
    column: int
    end_column: int
    text: str

    def drawn(self) -> str:
        """Draw the source line, indentation undone, with carets under the place."""
        body = self.text.rstrip()
        indent = len(body) - len(body.lstrip())
        start = max(self.column - 1 - indent, 0)
        width = max(min(self.end_column, len(body) + 1) - self.column, 1)
        return f"    {body.lstrip()}\n    {' ' * start}{'^' * width}"


class MhatError(Exception):
    """The root: what is wrong, and the cure."""

    def __init__(self, what: str, cure: str = "") -> None:
        self.what = what
        self.cure = cure
        super().__init__(what, cure)

    def __str__(self) -> str:
        return f"{self.what}\n{self.cure}" if self.cure else self.what


class LanguageError(MhatError):
    """A rule that is not in the rule language."""

    def __init__(self, what: str, cure: str, place: Place | None = None) -> None:
        super().__init__(what, cure)
        self.place = place

    def __str__(self) -> str:
        if self.place is None:
            return super().__str__()
        where = f"{self.place.file}, line {self.place.line}: {self.what}"
        return f"{where}\n{self.place.drawn()}\n{self.cure}"


class UnknownName(MhatError):
    """A name that mhat does not know; the nearest known one is suggested."""

    def __init__(self, kind: str, typed: str, known: Iterable[str], more: str = "") -> None:
        self.kind = kind
        self.typed = typed
        self.known = sorted(known)
        super().__init__(f"there is no {kind} `{typed}`", " ".join(filter(None, [self._suggestion(), more])))

    def _suggestion(self) -> str:
        near = difflib.get_close_matches(self.typed, self.known, n=5, cutoff=0.6)
        if near:
            # Letters that changed places are the commonest slip: `adma` is adam rather than adamax.
            swapped = (name for name in near if sorted(name) == sorted(self.typed))
            return f"Did you mean `{next(swapped, near[0])}`?"
        if not self.known:
            return f"There is no {self.kind} to choose from."
        return "Known: " + ", ".join(self.known) + "."


class BadValue(MhatError):
    """A value that cannot be: a knob out of its range, zero steps, a shape that does not fit."""


class InputFileError(MhatError):
    """A file that cannot be read as what it should hold."""


class OutputFileError(MhatError):
    """An output that exists already, or a place that cannot be written."""


class MissingExtra(MhatError):
    """An optional dependency that is not installed."""

    def __init__(self, what: str, extra: str, why: str = "") -> None:
        said = f"{what} cannot be imported: {why}" if why else f"{what} is not installed"
        super().__init__(said, f"Install it with: pip install 'mhat[{extra}]'")
        self.extra = extra


class SubjectError(MhatError):
    """An implementation under check that could not be run: it raises, hangs, dies, or answers nonsense."""

    def __init__(self, subject: str, what: str, cure: str, said: str = "") -> None:
        super().__init__(f"`{subject}` {what}", cure)
        self.subject = subject
        self.said = said

    def __str__(self) -> str:
        said = "".join(f"\n    {line}" for line in self.said.splitlines())
        return f"{self.what}{said}\n{self.cure}"


class SubjectHangs(SubjectError):
    """An implementation under check that did not end or answer within its time."""
