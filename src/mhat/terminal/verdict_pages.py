"""The story of a verdict set for a terminal: colours, and lines that go on below. It checks and prints nothing."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mhat.terminal.pages import marked
from mhat.writing.passages import Passage, Tone
from mhat.writing.plain import MARKS, beginning, lines_of

INKS = {MARKS["proved"]: "green", MARKS["refuted"]: "red", MARKS["computed"]: "cyan"}
STYLES: dict[Tone, str] = {"plain": "", "good": "green", "bad": "red", "strong": "bold", "quiet": "dim"}


def page(story: Iterable[Passage]) -> Group:
    """Set a story for a terminal; what does not fit goes on below, as far in as its line."""
    return Group(*(_set(text, " ".join(STYLES[tone] for tone in tones)) for text, tones in lines_of(story)))


def _set(text: str, style: str) -> RenderableType:
    words, inset = text.lstrip(" "), beginning(text)
    mark = text[:inset].strip()
    if not words:
        return Text("")
    if not mark:
        return Padding(marked(words, style), (0, 0, 0, len(text) - len(words)), expand=False)
    row = Table.grid()
    row.add_column(width=inset, no_wrap=True)
    row.add_column()
    row.add_row(Text(text[:inset], style=INKS.get(mark[0], "dim")), marked(text[inset:], style))
    return row
