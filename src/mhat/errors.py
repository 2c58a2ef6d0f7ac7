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
import traceback
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

# What is longer is cut: a part of a message, a source line, what is wrong with it, a message, the names of a list.
LONGEST_PART, LONGEST_LINE, LONGEST_REFUSAL, LONGEST_MESSAGE, MOST_NAMES = 60, 100, 500, 4000, 60
BEFORE_THE_PLACE = 30
HERE = Path(__file__).parent
LIBRARIES = {"site-packages", "dist-packages", str(Path(traceback.__file__).parent)}


def abridged(text: str, longest: int = LONGEST_PART) -> str:
    """Cut a text that is long, and show that it was cut."""
    return text if len(text) <= longest else f"{text[:longest]}..."


@dataclass(frozen=True)
class Place:
    """Where something stands in a source text: line and column count from 1."""

    file: str
    line: int
    column: int
    end_column: int
    text: str

    def drawn(self) -> str:
        """Draw the source line, indentation undone, with carets under the place; a long line is cut around it."""
        body = self.text.rstrip()
        indent = len(body) - len(body.lstrip())
        line = "".join(map(_drawable, body[indent:]))
        start = min(max(self.column - 1 - indent, 0), len(line))
        end = max(min(self.end_column - 1 - indent, len(line)), start)
        first = max(min(start - BEFORE_THE_PLACE, len(line) - LONGEST_LINE), 0)
        last = first + LONGEST_LINE
        before, behind = "..." * (first > 0), "..." * (last < len(line))
        space = len(before) + _columns(line[first:start])
        width = max(_columns(line[start : min(end, last)]), 1)
        return f"    {before}{line[first:last]}{behind}\n    {' ' * space}{'^' * width}"


def _drawable(character: str) -> str:
    """Give what stands for a character on one line of a terminal: nothing that moves the cursor or has no glyph."""
    if character.isprintable():
        return character
    return " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"


def _columns(text: str) -> int:
    """Count the columns of a terminal: Chinese characters take two, combining accents none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


class MhatError(Exception):
    """The root: what is wrong, the cure, and the place in a rule if there is one."""

    longest = LONGEST_MESSAGE

    def __init__(self, what: str, cure: str = "", place: Place | None = None) -> None:
        self.what = abridged(what, self.longest)
        self.cure = abridged(cure, self.longest)
        self.place = place
        super().__init__(self.what, self.cure)

    def __str__(self) -> str:
        if self.place is None:
            return f"{self.what}\n{self.cure}" if self.cure else self.what
        # A cell of a notebook is no file that anybody would open.
        cell = Path(self.place.file).parent.name.startswith("ipykernel_")
        where = "the cell" if cell else self.place.file
        return f"{where}, line {self.place.line}: {self.what}\n{self.place.drawn()}\n{self.cure}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args), self.__dict__

    def _render_traceback_(self) -> list[str]:
        """Say in a notebook what a terminal says: IPython asks for this, and draws its frames only without it."""
        return [*_asked_by(self), f"{type(self).__name__}: {self}"]


def _asked_by(error: MhatError) -> list[str]:
    """Give the line from which mhat was entered, if it is the user's own."""
    frames = traceback.extract_tb(error.__traceback__)
    *_, last = None, *takewhile(lambda frame: HERE not in Path(frame.filename).parents, frames)
    if last is None or not last.line or LIBRARIES & {*Path(last.filename).parts, str(Path(last.filename).parent)}:
        return []
    return [f"line {last.lineno}: {last.line}"]


def _made_again(kind: type[MhatError], said: tuple[str, ...]) -> MhatError:
    """Make an error that was pickled, on its way from another process, without asking for its arguments again."""
    return kind.__new__(kind, *said)


class LanguageError(MhatError):
    """A rule that is not in the rule language."""

    longest = LONGEST_REFUSAL


class UnknownName(MhatError):
    """A name that mhat does not know, `where` it was looked for.

    The nearest known one is suggested, or those that are `meant` by it elsewhere.
    """

    def __init__(
        self, kind: str, typed: str, known: Iterable[str], more: str = "", meant: Sequence[str] = (), where: str = ""
    ) -> None:
        self.kind = kind
        self.typed = typed
        self.known = sorted(known)
        self.meant = tuple(name for name in meant if name in self.known)
        what = f"there is no {kind} `{abridged(typed)}`{where}"
        super().__init__(what, " ".join(filter(None, [self._suggestion(), more])))

    def _suggestion(self) -> str:
        if self.meant:
            return f"Did you mean {' and '.join(f'`{name}`' for name in self.meant)}?"
        near = difflib.get_close_matches(self.typed, self.known, n=5, cutoff=0.6)
        if near:
            # Letters that changed places are the commonest slip: `adma` is adam rather than adamax.
            swapped = (name for name in near if sorted(name) == sorted(self.typed))
            return f"Did you mean `{next(swapped, near[0])}`?"
        if not self.known:
            return f"There is no {self.kind} to choose from."
        left = len(self.known) - MOST_NAMES
        named = [abridged(name) for name in self.known[:MOST_NAMES]]
        return "Known: " + ", ".join([*named, *([f"and {left} more"] if left > 0 else [])]) + "."


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
    """An implementation under check that could not be run: it raises, hangs, dies, or answers nonsense.

    `wrapper`: the text of a file that would drive it, once it is filled in.
    """

    def __init__(self, subject: str, what: str, cure: str, said: str = "", wrapper: str = "") -> None:
        super().__init__(f"`{subject}` {what}", cure)
        self.subject = subject
        self.said = said
        self.wrapper = wrapper

    def __str__(self) -> str:
        said = "".join(f"\n    {line}" for line in self.said.splitlines())
        return f"{self.what}{said}\n{self.cure}"


class SubjectHangs(SubjectError):
    """An implementation under check that did not end or answer within its time."""
