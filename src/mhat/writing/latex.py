"""Passages as a LaTeX document, for papers and lecture notes. It knows nothing that is said."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from mhat.writing.passages import (
    Diff,
    Entries,
    Excerpt,
    Grid,
    Heading,
    Headline,
    Line,
    Listing,
    Paragraph,
    Passage,
    Statement,
    Statements,
    Table,
)

# So many letters of code fit a line of the page.
WIDTH = 64
PREAMBLE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath,amssymb}
\begin{document}
\sloppy
"""
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip


def latex_of(passages: Iterable[Passage]) -> str:
    """Set passages as a document that compiles by itself."""
    body = "\n\n".join(block for passage in passages for block in _blocks(passage))
    return f"{PREAMBLE}\n{body}\n\n\\end{{document}}\n"


def _blocks(passage: Passage) -> Iterator[str]:
    match passage:
        case Headline(text):
            yield rf"\textbf{{{escaped(text)}}}"
        case Paragraph(text, tone):
            yield rf"\textbf{{{escaped(text)}}}" if tone == "strong" else escaped(text)
        case Heading(text):
            yield rf"\section*{{{escaped(text)}}}"
        case Entries(entries, title):
            yield from [escaped(title)] if title else []
            yield _listed("itemize", ("; ".join(map(escaped, entry)) for entry in entries))
        case Diff(lines) | Excerpt(_, lines):
            yield _verbatim(lines)
        case Table(text, head, rows):
            yield escaped(text)
            yield _table(head, [[f"{number:.6g}" for number in row] for row in rows])
        case Grid(head, grid):
            yield _table(head, grid)
        case Listing(signature, code):
            yield _verbatim(signature.splitlines())
            yield _listed("enumerate", map(_line, code))
        case Statements(statements, _):
            yield _listed("itemize", map(_statement, statements))


def _line(line: Line) -> str:
    formula = rf"$\displaystyle {line.latex}$" if line.latex else rf"\texttt{{{escaped(line.code)}}}"
    return "\n\n".join([formula, *map(_statement, line.said)])


def _statement(statement: Statement) -> str:
    return escaped(statement.text) + (rf" \emph{{({escaped(statement.right)})}}" if statement.right else "")


def escaped(text: str) -> str:
    """Escape what LaTeX would read as more than text; what is in backticks is code.

    >>> print(escaped("100% of m_hat"))
    100\\% of m\\_hat
    """
    parts = ["".join(SPECIAL.get(letter, letter) for letter in part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(rf"\texttt{{{part}}}" if place % 2 else part for place, part in enumerate(parts))


def _listed(kind: str, items: Iterable[str]) -> str:
    lines = "\n".join(rf"\item {{}}{item}" for item in items)
    return f"\\begin{{{kind}}}\n{lines}\n\\end{{{kind}}}"


def _verbatim(lines: Iterable[str]) -> str:
    rows = (row for line in lines for row in textwrap.wrap(line, WIDTH, subsequent_indent=" " * 4) or [""])
    return "\n".join([r"\begin{verbatim}", *rows, r"\end{verbatim}"])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = "\n".join(" & ".join(map(escaped, row)) + r" \\" for row in (head, *rows))
    return f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}\n{lines}\n\\end{{tabular}}"
