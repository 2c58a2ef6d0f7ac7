"""A story as lines of plain text, each with its tone. It checks nothing and knows no terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

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
    Tone,
)

WIDTH = 80
# A line, and its tones.
Line = tuple[str, tuple[Tone, ...]]
MARKS = {"refuted": "\N{BALLOT X}", "proved": "\N{CHECK MARK}", "tested": "\N{CHECK MARK}", "computed": "="}
RIGHT = 8
BULLET = "\N{BULLET}"
# What a line begins with that the rows after its first are set in behind.
BEGINNING = re.compile(rf" *(?:[{''.join(MARKS.values())}] [a-z ]{{{RIGHT}}}  |\d+  |{BULLET} |def )?")


def lines_of(passages: Iterable[Passage]) -> Iterator[Line]:
    """Yield a story line by line, none of them cut."""
    for passage in passages:
        yield from _lines(passage)


def _lines(passage: Passage) -> Iterator[Line]:
    match passage:
        case Headline(text, good):
            yield text, ("strong", "good" if good else "bad")
        case Paragraph(text, tone, inset):
            yield f"  {text}" if inset else text, (tone,)
        case Table(text):
            yield text, ("plain",)
        case Entries(entries, title, tone):
            if title:
                yield title, (tone,)
            for first, *rest in entries:
                yield f"  {first}", (tone,)
                yield from ((f"      {more}", ("quiet",)) for more in rest)
        case Diff(lines, quiet):
            yield from ((f"  {line}", ("quiet" if quiet else _tone(line),)) for line in lines)
        case Excerpt(title, lines):
            yield title, ("plain",)
            yield from _inset(lines, "  ", "plain")
        case Heading(text):
            yield "", ()
            yield text, ("strong",)
        case Listing() as listing:
            yield from _listing(listing)
        case Statements(statements, judged):
            for statement in statements:
                yield from _judged(statement) if judged else _statement(statement, f"  {BULLET} ")
        case Grid(head, rows):
            yield from _grid(head, rows)


def _listing(listing: Listing) -> Iterator[Line]:
    yield from ((line, ("strong",)) for line in listing.signature.splitlines())
    for number, line in enumerate(listing.lines, start=1):
        yield f"{number:>3}  {line.code}", ("strong",)
        for statement in line.said:
            yield from _statement(statement, " " * 5, shown=statement.right != "proved")


def _statement(statement: Statement, beginning: str, *, shown: bool = True) -> Iterator[Line]:
    """Say a sentence, and with what right unless it is read off the line itself."""
    ending = f" [{statement.right}]" if statement.right and shown else ""
    yield f"{beginning}{statement.text}{ending}", ("plain",)
    yield from _inset(statement.evidence, " " * (len(beginning) + 2), "quiet")


def _judged(statement: Statement) -> Iterator[Line]:
    mark = f"{MARKS.get(statement.right, ' ')} {statement.right:<{RIGHT}}  " if statement.right else ""
    tone: Tone = "bad" if statement.right == "refuted" else "plain"
    yield f"  {mark}{statement.text}", (tone,)
    yield from _inset(statement.evidence, " " * 4, "quiet")


def _inset(lines: Iterable[str], blanks: str, tone: Tone) -> Iterator[Line]:
    yield from ((f"{blanks}{line}", (tone,)) for line in lines)


def _grid(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Iterator[Line]:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for number, (first, *rest) in enumerate((head, *rows)):
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        yield f"  {'  '.join(cells)}".rstrip(), ("plain" if number else "quiet",)


def _tone(line: str) -> Tone:
    return "good" if line.startswith("+") else "bad"


def text_of(passages: Iterable[Passage]) -> str:
    """Write a story as plain text, however long its lines are."""
    return "\n".join(line for line, _ in lines_of(passages))


def page_of(passages: Iterable[Passage], width: int = WIDTH) -> str:
    """Write a story as plain text of a width; what does not fit goes on below, as far in as its line."""
    return "\n".join(row for line, _ in lines_of(passages) for row in _wrapped(line, width))


def beginning(line: str) -> int:
    """How far in the rows after the first of a line are set.

    >>> beginning("  two blanks"), beginning("  3  v = g")
    (2, 5)
    """
    match = BEGINNING.match(line)
    return match.end() if match else 0


def _wrapped(line: str, width: int) -> list[str]:
    inset = " " * beginning(line)
    return textwrap.wrap(line, width, subsequent_indent=inset, break_on_hyphens=False) or [""]
