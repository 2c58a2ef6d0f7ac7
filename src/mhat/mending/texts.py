"""The text of a user's file as it stands, and the same with some pieces exchanged. It knows no rule and runs nothing.

Encoding, line ends, tabs and all that is not exchanged stay as they are.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

ENDS = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")


@dataclass(frozen=True, order=True)
class Piece:
    """A piece of the text, by its first and last place, and what stands there instead."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Proposal:
    """Pieces to be exchanged, and how far-fetched that is."""

    pieces: tuple[Piece, ...]
    cost: float


@dataclass(frozen=True)
class Text:
    """A file of Python: its bytes, and what they say."""

    raw: bytes

    @cached_property
    def encoding(self) -> str:
        """The encoding that it declares; a mark at its beginning is part of it."""
        return tokenize.detect_encoding(BytesIO(self.raw).readline)[0]

    @cached_property
    def content(self) -> str:
        """What it says, line ends as they are."""
        return self.raw.decode(self.encoding)

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, with their ends, cut as Python cuts them."""
        return ENDS.findall(self.content)

    @property
    def lines_ended(self) -> list[str]:
        """Its lines as a diff has them: every one ends as it does, and the last one may not end."""
        return [line for line in self.lines if line]

    @cached_property
    def _begins(self) -> list[int]:
        begins, place = [], 0
        for line in self.lines:
            begins.append(place)
            place += len(line)
        return begins

    @cached_property
    def tree(self) -> ast.Module:
        """It as Python reads it; raises SyntaxError."""
        return ast.parse(self.content)

    @property
    def end_of_line(self) -> str:
        """How its lines end."""
        found = re.search(r"\r\n|\r|\n", self.content)
        return found[0] if found else "\n"

    def place(self, line: int, column: int) -> int:
        """Give the place of a line, from 1, and a column in bytes of UTF-8, as Python's trees have them."""
        text = self.lines[line - 1]
        return self._begins[line - 1] + len(text.encode()[:column].decode(errors="ignore"))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Give the first place of a node, and the one behind it."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.place(node.lineno, node.col_offset), self.place(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Give the text of a node."""
        start, end = self.span(node)
        return self.content[start:end]

    def whole_lines(self, first: int, last: int) -> tuple[int, int]:
        """Give the span of whole lines, their ends with them."""
        return self._begins[first - 1], self._begins[last - 1] + len(self.lines[last - 1])

    def indent(self, line: int) -> str:
        """Give what a line begins with."""
        return re.match(r"[ \t\f]*", self.lines[line - 1])[0]  # type: ignore[index]

    def changed(self, pieces: Iterable[Piece]) -> Text | None:
        """Give the text with pieces exchanged; None if they overlap, or it is no Python then, or cannot be encoded."""
        parts, place = [], 0
        for piece in sorted(set(pieces)):
            if piece.start < place:
                return None
            parts += [self.content[place : piece.start], piece.new]
            place = piece.end
        content = "".join([*parts, self.content[place:]])
        try:
            made = Text(content.encode(self.encoding))
            compile(made.content, "<changed>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, UnicodeError, RecursionError, MemoryError):
            return None
        return made
