"""What explains a rule: claims, each with its evidence, which show themselves as text, HTML and JSON.

It knows no terminal and computes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mhat.explanations import telling
from mhat.explanations.claims import Claim
from mhat.language import Rule
from mhat.notation import strict_json
from mhat.printers.python import rule_text
from mhat.writing.html import html_of
from mhat.writing.latex import latex_of
from mhat.writing.markdown import markdown_of
from mhat.writing.passages import Heading, Paragraph, Passage
from mhat.writing.plain import page_of
from mhat.writing.sheet import sheet_of

SCHEMA = 1


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a rule moves as it moves.

    `called`: how the rule was named; `knobs`: those that are in force; `stream`: what it was explained on, if on
    anything; `notes`: what was found out on the way; `beside`: the rule of the library that it is written like, if it
    is none itself; `question`: what was asked, if not everything.
    """

    rule: Rule
    called: str
    knobs: Mapping[str, float]
    stream: str = ""
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    beside: str = ""
    question: str = ""

    @property
    def topics(self) -> tuple[str, ...]:
        """What the claims are about, in order."""
        return tuple(dict.fromkeys(telling.section_of(claim.topic) for claim in self.claims))

    @property
    def story(self) -> tuple[Passage, ...]:
        """What is to be said, in order."""
        return tuple(self._story(in_full=False))

    @property
    def story_in_full(self) -> tuple[Passage, ...]:
        """The same with all evidence."""
        return tuple(self._story(in_full=True))

    def _story(self, *, in_full: bool) -> Iterator[Passage]:
        yield from self.head
        for topic in self.topics:
            yield from self.section(topic, in_full=in_full)

    @property
    def head(self) -> Iterator[Passage]:
        """Say which rule it is, and what was found out on the way."""
        yield from telling.head(self.rule, self.called, self.knobs, brief=bool(self.question))
        yield from (Paragraph(note, "quiet") for note in self.notes)

    def section(self, topic: str, *, in_full: bool = False) -> Iterator[Passage]:
        """Say what there is to say about a topic."""
        own = [claim for claim in self.claims if telling.section_of(claim.topic) == topic]
        yield Heading(telling.title(topic, stream=self.stream, beside=self.beside, question=self.question))
        yield from telling.passages(topic, own, self.rule, self.called, in_full=in_full)

    def __str__(self) -> str:
        return page_of(self.story)

    def __repr__(self) -> str:
        return f"<explanation of {self.called}, {len(self.claims)} claims>"

    def _repr_html_(self) -> str:
        return html_of(self.story_in_full, "mhat-explanation")

    def to_html(self) -> str:
        """Give a whole HTML page, all evidence in it."""
        return sheet_of(self.story_in_full, f"{self.rule.name}, explained")

    def to_markdown(self) -> str:
        """Give it as Markdown."""
        return markdown_of(self.story)

    def to_latex(self) -> str:
        """Give it as a LaTeX document."""
        return latex_of(self.story)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data (docs/explain.md)."""
        return {
            "schema": SCHEMA,
            "rule": self.rule.name,
            "called": self.called,
            "code": rule_text(self.rule),
            "knobs": dict(self.knobs),
            "stream": self.stream or None,
            "question": self.question or None,
            "claims": [claim.as_dict() for claim in self.claims],
            "notes": list(self.notes),
        }

    def to_json(self, indent: int | None = None) -> str:
        """Give it as JSON."""
        return strict_json.text_of(self.to_dict(), indent)
