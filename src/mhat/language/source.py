"""Where a rule's text comes from, a function or a string, and how a place in it is named. It knows no grammar."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mhat.errors import LanguageError, Place


@dataclass(frozen=True)
class Source:
    """A text, the file it stands in, and how far it was moved to the left and up."""

    text: str
    file: str
    first_line: int = 1
    indent: int = 0

    def place(self, node: ast.AST) -> Place:
        """Find the place of a Python node in the user's own file."""
        line: int = getattr(node, "lineno", 1)
        end: int = getattr(node, "end_col_offset", None) or 1
        start: int = getattr(node, "col_offset", 0)
        if (getattr(node, "end_lineno", None) or line) > line:
            end = 10**6
        return self.place_at(line, start, end)

    def place_at(self, line: int, start: int, end: int) -> Place:
        """Make a place of a line (from 1) and two byte offsets (from 0) of the text."""
        lines = self.text.splitlines()
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        column = len(text.encode()[:start].decode(errors="ignore"))
        end_column = max(len(text.encode()[:end].decode(errors="ignore")), column + 1)
        return Place(
            self.file,
            self.first_line + line - 1,
            self.indent + column + 1,
            self.indent + end_column + 1,
            " " * self.indent + text,
        )


def of_function(function: Callable[..., Any]) -> Source:
    """Fetch the text of a function; raises LanguageError where Python has none to give."""
    code = getattr(function, "__code__", None)
    if code is None:
        raise LanguageError(
            f"{function!r} is not a Python function",
            "Write the rule as `def name(x, g, t, ...):`, or give its text as a string.",
        )
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        raise LanguageError(
            f"Python keeps no source text of `{function.__name__}` (it was typed at {_origin(code.co_filename)})",
            'Give the rule as a string instead: mhat.rule("""def ...""").',
        ) from None
    whole = "".join(lines)
    indent = _indent(whole)
    return Source(_moved_left(whole, indent), code.co_filename, first, len(indent))


def _indent(text: str) -> str:
    return next((line[: len(line) - len(line.lstrip())] for line in text.splitlines() if line.strip()), "")


def _moved_left(text: str, indent: str) -> str:
    """Undo the indentation of the first line; comments and docstrings may begin further to the left."""
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def _origin(filename: str) -> str:
    known = {
        "<stdin>": "the prompt or standard input",
        "<string>": "`python -c`, or made by exec",
    }
    return known.get(filename, filename)


def of_text(text: str, file: str = "<rule>") -> Source:
    """Wrap a string; nothing in it is ever executed."""
    text = text.lstrip("\n")
    return Source(_moved_left(text, _indent(text)), file)
