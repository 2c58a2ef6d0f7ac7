"""Passages as Markdown, as code forges and notebooks read it. It knows nothing that is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mhat.writing.passages import (
    Diff,
    Entries,
    Excerpt,
    Grid,
    Heading,
    Headline,
    Listing,
    Paragraph,
    Passage,
    Statement,
    Statements,
    Table,
)

SPECIAL = re.compile(r"(`[^`]*`)|([\\`*_\[\]<>#|~$])")


def markdown_of(passages: Iterable[Passage]) -> str:
    """Set passages as Markdown, ended by a line break."""
    return "\n\n".join(block for passage in passages for block in _blocks(passage)) + "\n"


def _blocks(passage: Passage) -> Iterator[str]:
    match passage:
        case Headline(text):
            yield f"**{escaped(text)}**"
        case Paragraph(text, tone):
            yield f"**{escaped(text)}**" if tone == "strong" else escaped(text)
        case Heading(text):
            yield f"## {escaped(text)}"
        case Entries(entries, title):
            yield from [escaped(title)] if title else []
            yield "\n".join(f"- {'; '.join(map(escaped, entry))}" for entry in entries)
        case Diff(lines):
            yield fenced(lines, "diff")
        case Excerpt(title, lines):
            yield escaped(title)
            yield fenced(lines, "")
        case Table(text, head, rows):
            yield escaped(text)
            yield _table(head, [[f"{number:.6g}" for number in row] for row in rows])
        case Grid(head, grid):
            yield _table(head, grid)
        case Listing(signature, code):
            yield fenced(signature.splitlines(), "python")
            for number, line in enumerate(code, start=1):
                said = [f"   {_statement(statement)}" for statement in line.said]
                yield "\n\n".join([f"{number}. {coded(line.code)}", *said])
        case Statements(statements, _):
            yield "\n".join(f"- {_statement(statement)}" for statement in statements)


def _statement(statement: Statement) -> str:
    return f"{escaped(statement.text)} *({statement.right})*" if statement.right else escaped(statement.text)


def escaped(text: str) -> str:
    """Escape what Markdown would read as more than text; what is in backticks is code.

    >>> print(escaped("beta1**t of m_hat"))
    beta1\\*\\*t of m\\_hat
    """
    return SPECIAL.sub(lambda found: found[1] or f"\\{found[2]}", text)


def coded(text: str) -> str:
    """Set code within a line."""
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def fenced(lines: Iterable[str], language: str) -> str:
    """Set code on lines of its own."""
    return "\n".join([f"```{language}", *lines, "```"])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, [":---", *["---:"] * (len(head) - 1)], *([*map(escaped, row)] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
