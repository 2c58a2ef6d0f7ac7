"""Where a rule's text comes from, a function or a string, and how a place in it is named. It knows no grammar."""

from __future__ import annotations

import ast
import inspect
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from mhat.errors import LanguageError, Place, abridged

# Where Python ends a line; `str.splitlines` ends it at form feeds and other characters too.
LINE_END = re.compile(r"\r\n|\r|\n")
ALL_OF_IT = 10**9


@dataclass(frozen=True)
class SourceText:
    """What the user wrote, the file it stands in, and the line it begins at."""

    whole: str
    file: str
    first_line: int = 1

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without what ends them."""
        return LINE_END.split(self.whole)

    @cached_property
    def indent(self) -> str:
        """The indentation of the first line that is not blank."""
        return next((line[: len(line) - len(line.lstrip())] for line in self.lines if line.strip()), "")

    @cached_property
    def text(self) -> str:
        """The text with that indentation undone; comments and continued lines may begin further to the left."""
        return "\n".join(line.removeprefix(self.indent) for line in self.lines)

    def place(self, node: ast.AST) -> Place:
        """Find the place of a Python node in the user's own file."""
        line: int = getattr(node, "lineno", 1)
        start, end = (self._characters(line, getattr(node, name, None)) for name in ("col_offset", "end_col_offset"))
        several = (getattr(node, "end_lineno", None) or line) > line
        return self.place_at(line, start, ALL_OF_IT if several else end)

    def place_at(self, line: int, start: int, end: int) -> Place:
        """Make a place of a line of the text (from 1) and the characters of it (from 0) where it begins and ends."""
        line = min(max(line, 1), len(self.lines))
        whole, moved = self.lines[line - 1], self._moved[line - 1]
        column = min(start + moved, len(whole)) + 1
        return Place(
            self.file, self.first_line + line - 1, column, max(min(end + moved, len(whole)), column) + 1, whole
        )

    def _characters(self, line: int, offset: int | None) -> int:
        """Count the characters before an offset in bytes, which is how Python counts."""
        if not offset or self._plain:
            return offset or 0
        return bisect_right(self._ends(line), offset)

    @cached_property
    def _moved(self) -> list[int]:
        """How far each line was moved to the left."""
        return [len(self.indent) * line.startswith(self.indent) for line in self.lines]

    @cached_property
    def _plain(self) -> bool:
        return self.whole.isascii()

    def _ends(self, line: int) -> list[int]:
        """Give the offset in bytes behind each character of a line."""
        if line not in self._ends_by_line:
            text = self.lines[line - 1].removeprefix(self.indent)
            self._ends_by_line[line] = list(accumulate(len(character.encode()) for character in text))
        return self._ends_by_line[line]

    @cached_property
    def _ends_by_line(self) -> dict[int, list[int]]:
        return {}


def of_function(function: Callable[..., Any]) -> SourceText:
    """Fetch the text of a function; raises LanguageError where Python has none to give."""
    code = getattr(function, "__code__", None)
    if code is None:
        raise LanguageError(
            f"{abridged(repr(function))} is not a Python function",
            "Write the rule as `def name(x, g, t, ...):`, or give its text as a string.",
        )
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        raise LanguageError(
            f"Python keeps no source text of `{function.__name__}` (it was typed at {_origin(code.co_filename)})",
            'Give the rule as a string instead: mhat.rule("""def ...""").',
        ) from None
    return SourceText("".join(lines), code.co_filename, first)


def _origin(filename: str) -> str:
    known = {
        "<stdin>": "the prompt or standard input",
        "<string>": "`python -c`, or made by exec",
    }
    return known.get(filename, filename)


def of_text(text: str, file: str = "<rule>") -> SourceText:
    """Wrap a string; nothing in it is ever executed."""
    return SourceText(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), file)
