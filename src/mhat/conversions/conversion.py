"""What a conversion answers: frozen data with a stable JSON form, which shows itself. It converts nothing.

Conversion   the lines to paste, the knobs on both sides, the conditions, and how far apart the two come
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mhat.conversions.runs import STEPS, STREAMS, Apart
from mhat.explanations.claims import Claim
from mhat.notation import strict_json
from mhat.notation.decimals import brief
from mhat.writing.html import html_of
from mhat.writing.passages import Diff, Excerpt, Headline, Paragraph, Passage
from mhat.writing.plain import page_of

Answer = Literal["exact", "conditional", "different", "absent"]
SCHEMA = 1
# What the claim is about that says by what right both are said to be the same.
SAMENESS = "sameness"
# Columns of the table of differences, and of what stands before them.
COLUMN, LABEL = 10, 26


@dataclass(frozen=True)
class Side:
    """One of the two: framework, class or function, the version that is installed, knobs by our names, pseudo code."""

    framework: str
    call: str
    version: str = ""
    knobs: Mapping[str, float] = field(default_factory=dict)
    pseudo_code: str = ""


@dataclass(frozen=True)
class Pair:
    """A knob as both sides write it, None where one has nothing; `usual`: what the target has unless told."""

    knob: str
    source: str | None
    target: str | None
    usual: str | None = None


@dataclass(frozen=True)
class Difference:
    """How far x comes apart on each stream, in parts of the way it has come: measured, or computed from the forms."""

    setting: str
    how: Literal["measured", "computed"]
    streams: Mapping[str, Apart]

    @property
    def worst(self) -> float:
        """The largest of all streams."""
        return max(each.share for each in self.streams.values())


@dataclass(frozen=True, repr=False)
class Conversion:
    """An optimizer of one framework in another.

    `answer`: "exact", "conditional", "different", or "absent". `lines` are to be pasted. `conditions`: on what it is
    the same, and `on` in a few words. `diff`: what is written otherwise. `measured`: how far both come apart with
    constant knobs, on named streams. `notes` are claims besides, `remarks` what has to be known.
    """

    rule: str
    source: Side
    target: Side
    answer: Answer
    lines: str = ""
    knobs: tuple[Pair, ...] = ()
    conditions: tuple[Claim, ...] = ()
    on: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()
    measured: tuple[Difference, ...] = ()
    notes: tuple[Claim, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def story(self) -> tuple[Passage, ...]:
        """What is to be said about it, in order: the answer, the lines, the knobs, then what is not the same."""
        return tuple(self._told())

    def _told(self) -> Iterator[Passage]:
        good = self.answer in ("exact", "conditional")
        yield Headline(self.headline, good)
        if self.lines:
            yield Excerpt("paste:", tuple(self.lines.split("\n")))
        if self.knobs:
            yield Excerpt("knobs:", _knob_lines(self.source, self.target, self.knobs))
        yield from (Paragraph(claim.sentence) for claim in self.conditions)
        yield from (Paragraph(claim.sentence, "quiet") for claim in self.notes if claim.about == SAMENESS)
        if self.diff:
            yield Paragraph("what is written otherwise:")
            yield Diff(self.diff, quiet=good)
        if self.measured:
            yield Excerpt(self._how_far, _difference_lines(self.measured))
        yield from (Paragraph(claim.sentence, "quiet") for claim in self.notes if claim.about != SAMENESS)
        yield from (Paragraph(f"note: {remark}", "quiet") for remark in self.remarks)

    @property
    def headline(self) -> str:
        """The answer in a sentence."""
        begin = f"{self.source.call} -> {self.target.call}"
        if self.answer == "absent":
            return f"{begin}: there is no {self.rule}"
        if self.answer == "different":
            return f"{begin}: not the same; this comes nearest"
        return f"{begin}: the same training{' if ' if self.on else ''}{' and '.join(self.on)}"

    @property
    def _how_far(self) -> str:
        constant = " with constant knobs" if self.on else ""
        return f"how far x comes apart{constant}, in parts of its way ({STEPS} steps):"

    def to_json(self) -> str:
        """Write it as JSON: the keys are the fields; non-finite numbers are the strings nan, inf, -inf."""
        return strict_json.text_of(as_dict(self), indent=2)

    def __str__(self) -> str:
        return page_of(self.story)

    def __repr__(self) -> str:
        return f"<Conversion: {self.source.call} to {self.target.call}, {self.answer}>"

    def _repr_html_(self) -> str:
        return html_of(self.story)


def as_dict(conversion: Conversion) -> dict[str, Any]:
    """Give a conversion as plain dictionaries and lists."""
    return {
        "schema": SCHEMA,
        "rule": conversion.rule,
        "answer": conversion.answer,
        "source": asdict(conversion.source),
        "target": asdict(conversion.target),
        "lines": conversion.lines,
        "knobs": [asdict(pair) for pair in conversion.knobs],
        "on": list(conversion.on),
        "conditions": [claim.as_dict() for claim in conversion.conditions],
        "diff": list(conversion.diff),
        "measured": [{**asdict(each), "worst": each.worst} for each in conversion.measured],
        "notes": [claim.as_dict() for claim in conversion.notes],
        "remarks": list(conversion.remarks),
    }


def _knob_lines(source: Side, target: Side, knobs: tuple[Pair, ...]) -> tuple[str, ...]:
    """Set the knobs side by side, and say which must be told."""
    rows = [(source.framework, target.framework, "")]
    rows += [(pair.source or "-", pair.target or "-", _told(pair)) for pair in knobs]
    first, second = (max(len(row[place]) for row in rows) for place in (0, 1))
    return tuple(f"{one:<{first}}   {two:<{second}}   {rest}".rstrip() for one, two, rest in rows)


def _told(pair: Pair) -> str:
    return "" if pair.target is None or pair.usual is None else f"({pair.usual} unless told)"


def _difference_lines(measured: tuple[Difference, ...]) -> tuple[str, ...]:
    """Set the differences in a table: a row a setting, a column a stream; a long setting has a line of its own."""
    names = list(STREAMS)
    first = min(max(len(each.setting) for each in measured), LABEL)
    lines = [f"{'':<{first}}" + "".join(f"{name:>{COLUMN}}" for name in names)]
    for each in measured:
        cells = "".join(f"{_share(each.streams[name]):>{COLUMN}}" for name in names)
        lines += (
            [f"{each.setting:<{first}}{cells}"] if len(each.setting) <= first else [each.setting, " " * first + cells]
        )
    return tuple(lines)


def _share(found: Apart) -> str:
    return "nan" if found.share == float("inf") else brief(found.share, 2)
