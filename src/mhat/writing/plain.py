"""A story as lines of plain text, each with its tone. It checks nothing and knows no terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from mhat.writing.passages import Diff, Entries, Excerpt, Headline, Paragraph, Passage, Table, Tone

WIDTH = 80
# A line, and its tones.
Line = tuple[str, tuple[Tone, ...]]


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
            yield from ((f"  {line}", ("plain",)) for line in lines)


def _tone(line: str) -> Tone:
    return "good" if line.startswith("+") else "bad"


def text_of(passages: Iterable[Passage]) -> str:
    """Write a story as plain text, however long its lines are."""
    return "\n".join(line for line, _ in lines_of(passages))


def page_of(passages: Iterable[Passage], width: int = WIDTH) -> str:
    """Write a story as plain text of a width; what does not fit goes on below, as far in as its line."""
    return "\n".join(row for line, _ in lines_of(passages) for row in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    inset = " " * (len(line) - len(line.lstrip(" ")))
    return textwrap.wrap(line, width, subsequent_indent=inset, break_on_hyphens=False) or [""]
