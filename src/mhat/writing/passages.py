"""Passages: what an answer is made of, said once and in order, so that each dress can set them in its own way.

    Headline    the answer
    Paragraph   a sentence
    Entries     a list; of an entry of several parts the first is the entry itself
    Diff        changed lines of the pseudo code
    Table       numbers side by side, and the sentence that says the same
    Excerpt     lines of the user's own file
    Heading     what the passages after it are about
    Listing     pseudo code, each line with what is said about it
    Statements  sentences, each with what right it is said
    Grid        words and numbers in columns

It knows no dress, and nothing that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "good", "bad", "strong", "quiet"]


@dataclass(frozen=True)
class Headline:
    """The answer in a sentence."""

    text: str
    good: bool


@dataclass(frozen=True)
class Paragraph:
    """A sentence; `inset` where it belongs to the entries before it."""

    text: str
    tone: Tone = "plain"
    inset: bool = False


@dataclass(frozen=True)
class Entries:
    """A list under a title."""

    entries: tuple[tuple[str, ...], ...]
    title: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Diff:
    """Changed lines, each beginning with - or +; `quiet` where they are no mistake."""

    lines: tuple[str, ...]
    quiet: bool = False


@dataclass(frozen=True)
class Table:
    """Numbers side by side, a row a step, and a sentence that says what they show."""

    text: str
    head: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Excerpt:
    """Lines of a file under a title."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Heading:
    """What the passages after it are about."""

    text: str


@dataclass(frozen=True)
class Statement:
    """A sentence, the word for what right it is said (proved, refuted, tested, computed), and what shows it."""

    text: str
    right: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A line of pseudo code, as a formula too, and what is said about it; the title of a Listing has no number."""

    code: str
    said: tuple[Statement, ...] = ()
    latex: str = ""
    mathml: str = ""


@dataclass(frozen=True)
class Listing:
    """Pseudo code under its signature, each line with its number and what is said about it."""

    signature: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Statements:
    """Sentences, each with what right it is said; `judged` where that is what matters, and stands first."""

    statements: tuple[Statement, ...]
    judged: bool = False


@dataclass(frozen=True)
class Grid:
    """Words and numbers in columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Passage = Headline | Paragraph | Entries | Diff | Table | Excerpt | Heading | Listing | Statements | Grid
