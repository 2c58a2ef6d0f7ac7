"""Where and why two subjects part, seen side by side. It sees subjects only: gradients in, parameters out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat import rules
from mhat.checks import story
from mhat.checks.conformance import SECONDS, among, askable
from mhat.checks.defaults import ON, different
from mhat.checks.findings import Deviation
from mhat.checks.gradients import ODD, STARTS, Setting, designed, tensors_of
from mhat.checks.matrices import tables
from mhat.checks.matrices.comparison import parting
from mhat.checks.readings.side_by_side import Difference, difference
from mhat.checks.verdict import Verdict
from mhat.language import Rule
from mhat.laws import kinship
from mhat.search.effort import Listener
from mhat.search.matching import RELATIVE, same, update_scale
from mhat.subjects.subject import Subject
from mhat.writing.html import html_of
from mhat.writing.passages import Diff, Entries, Excerpt, Headline, Paragraph, Passage
from mhat.writing.plain import page_of

Array = np.ndarray[Any, Any]
STEPS = 12


@dataclass(frozen=True, repr=False)
class Comparison:
    """Where and why two subjects part: the verdict on each, and the first gradients at which they differ."""

    a: Verdict
    b: Verdict
    same: bool
    deviation: Deviation | None
    diff: str
    # Knobs that nobody told, and that are not the same by default: with both values.
    defaults: tuple[tuple[str, float, float], ...] = ()
    # What makes the first do what the second does, where both could be read.
    between: Difference | None = None

    @property
    def answer(self) -> tuple[Passage, ...]:
        """What is to be said about both together."""
        a, b = self.a.subject, self.b.subject
        told = tuple(
            Paragraph(f"different by default: {name} is {one:g} in {a} and {other:g} in {b}")
            for name, one, other in self.defaults
        )
        if self.deviation is None:
            if told:
                headline = Headline(f"{a} and {b} do the same, to rounding, but for their defaults", good=False)
                return (headline, *told, *self._kin())
            return (Headline(f"{a} and {b} do the same, to rounding", good=True), *self._kin())
        got, other = self.deviation.got[-1], self.deviation.expected[-1]
        first, second = f"{got:.6g}", f"{other:.6g}"
        if first == second:
            first, second = story.apart(got, other)
        shown_by = f"{story.shown_by(self.deviation)}{self.deviation.setting}"
        grid = () if self.deviation.matrices is None else (tables.grid_of(self.deviation, a, b),)
        return (
            Headline(f"{a} and {b} part at step {self.deviation.step}", good=False),
            *(() if self.between is None else _told_between(self.between, a, b)),
            Paragraph(f"shown by {shown_by}: parameters {first} and {second}"),
            *grid,
            *told,
            *self._kin(),
        )

    def _kin(self) -> Iterator[Passage]:
        """Say by which identity the two rules are one, or with which knobs they would be."""
        if not (self.a.conforms and self.b.conforms):
            return
        for identity in kinship.between(self.a.against, self.b.against):
            holds = kinship.is_in_force(identity, *map(self._knobs_of, (identity.rule, identity.same_as)))
            if holds or not self.same:
                right = kinship.settle(identity, rules.named).status
                yield Paragraph(f"{'since ' if holds else ''}{identity.sentence} ({right})", "quiet")

    def _knobs_of(self, name: str) -> dict[str, float]:
        verdict = self.a if self.a.against == name else self.b
        return {**rules.named(name).knobs, **verdict.knobs}

    @property
    def story(self) -> tuple[Passage, ...]:
        """What is to be said about both together, then about each."""
        return (*self.answer, Paragraph(""), *self.a.story, Paragraph(""), *self.b.story)

    def __str__(self) -> str:
        return page_of(self.story)

    def __repr__(self) -> str:
        headline = self.answer[0]
        return f"<Comparison: {headline.text if isinstance(headline, Headline) else ''}>"

    def _repr_html_(self) -> str:
        return "".join(map(html_of, (self.answer, self.a.story, self.b.story)))


def _told_between(between: Difference, a: str, b: str) -> Iterator[Passage]:
    """Say what of the pseudo code differs, in the names of the first, and in which lines of both."""
    found = between.diagnosis
    yield Paragraph(f"both were read; {b} is {a}, but")
    yield Entries(tuple((sentence,) for sentence in found.sentences), tone="strong")
    yield Diff(story.shown_lines(found))
    for name, lines in ((a, between.first_lines), (b, found.lines)):
        if lines:
            yield Excerpt(f"in {name}:", tuple(f"line {number}: {text}" for number, text in lines))


def compare(
    a: Subject,
    b: Subject,
    *,
    rules: Sequence[Rule],
    seconds: float = 2 * SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
    pairs: Sequence[Sequence[tuple[Rule, str]]] | None = None,
) -> Comparison:
    """Compare two subjects on the same gradients, and explain each by the rule that it is or is nearest to.

    `pairs`: of which rules each may give what; None: x of any. Raises as `check` does.
    """
    usual = [(rule, "x") for rule in askable(rules, "x")]
    first, second = (
        among(subject, given, seconds=seconds / 2, knobs=knobs, report=report)
        for subject, given in zip((a, b), pairs or (usual, usual), strict=True)
    )
    held = dict(knobs or {})
    told = different(a.defaults, b.defaults, held)
    if (shown := parting(a, b, held)) is not None:
        return Comparison(first, second, False, shown, diff_between(first, second), told)
    loose = max(RELATIVE[a.dtype], RELATIVE[b.dtype])
    for stream, setting in _alike(a, b, held):
        seen, beside = (_answer(subject, stream, setting) for subject in (a, b))
        base = np.broadcast_to(setting.start, stream.shape[1:])
        apart = ~same(seen, beside, loose * update_scale(seen, base) + 1e-300)
        if apart.any():
            step, tensor, i = (int(n) for n in np.argwhere(apart)[0])
            lane = (slice(step + 1), tensor, i)
            gradients, got, other = (tuple(values[lane].tolist()) for values in (stream, seen, beside))
            deviation = Deviation(
                step + 1, float("nan"), gradients, got, other, "parameters", tensor + 1, float(base[tensor, i]),
                {name: value for name, value in setting.knobs.items() if name not in held},
            )  # fmt: skip
            between = difference(a, b, held)
            diff = diff_between(first, second) if between is None else between.diagnosis.diff
            return Comparison(first, second, False, deviation, diff, told, between)
    return Comparison(first, second, not told, None, "", told)


def noted(found: Comparison, first: str, second: str) -> Comparison:
    """Add a note to what is said of each, where there is one."""
    return replace(
        found,
        a=replace(found.a, notes=(*found.a.notes, *filter(None, [first]))),
        b=replace(found.b, notes=(*found.b.notes, *filter(None, [second]))),
    )


def _alike(a: Subject, b: Subject, held: Mapping[str, float]) -> Iterator[tuple[Array, Setting]]:
    """Yield how both are driven: as they stand, then from a start and with odd knobs, as far as both take them."""
    tensors = min(tensors_of(a), tensors_of(b))
    streams = [designed(STEPS, seed, tensors) for seed in (1, 2, 3)]
    start = np.resize(np.array(STARTS), streams[0].shape[1:]) if a.starts and b.starts else 0.0
    both = ON | ODD
    odd = {name: both[name] for name in sorted(a.knobs & b.knobs) if name in both and name not in held}
    yield streams[0], Setting(0.0, held)
    yield streams[1], Setting(start, held)
    if odd:
        yield streams[2], Setting(start, {**held, **odd})


def _answer(subject: Subject, stream: Array, setting: Setting) -> Array:
    """Drive a subject with the knobs of a setting that it takes; its others are as they stand."""
    start = np.broadcast_to(np.asarray(setting.start, dtype=np.float64), stream.shape[1:])
    tensors = range(stream.shape[1])
    taken = {name: value for name, value in setting.knobs.items() if name in subject.knobs}
    answers = subject.run([np.ascontiguousarray(stream[:, k]) for k in tensors], [start[k] for k in tensors], taken)
    return np.stack(answers, axis=1)


def diff_between(a: Verdict, b: Verdict) -> str:
    """Give the diffs of both diagnoses, each under the name of its subject."""
    parts = [f"{v.subject}:\n{v.diagnosis.diff}" for v in (a, b) if v.diagnosis is not None]
    return "\n".join(parts)
