"""Where and why two subjects part, seen side by side. It sees subjects only: gradients in, parameters out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.checks import story
from mhat.checks.conformance import SECONDS, identify
from mhat.checks.findings import Deviation
from mhat.checks.gradients import ODD, STARTS, Setting, designed, drive_once, free_knobs, tensors_of
from mhat.checks.html import html_of
from mhat.checks.story import Headline, Paragraph, Part
from mhat.checks.text import page_of
from mhat.checks.verdict import Verdict
from mhat.language import Rule
from mhat.search.effort import Report
from mhat.search.matching import RELATIVE, same, update_scale
from mhat.search.observed import Observed
from mhat.subjects.subject import Subject

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

    @property
    def answer(self) -> tuple[Part, ...]:
        """What is to be said about both together."""
        if self.deviation is None:
            return (Headline(f"{self.a.subject} and {self.b.subject} do the same, to rounding", good=True),)
        got, other = self.deviation.got[-1], self.deviation.expected[-1]
        first, second = f"{got:.6g}", f"{other:.6g}"
        if first == second:
            first, second = story.apart(got, other)
        gradients = f"{story.listed(self.deviation.gradients)}{self.deviation.setting}"
        return (
            Headline(f"{self.a.subject} and {self.b.subject} part at step {self.deviation.step}", good=False),
            Paragraph(f"shown by the gradients {gradients}: parameters {first} and {second}"),
        )

    @property
    def story(self) -> tuple[Part, ...]:
        """What is to be said about both together, then about each."""
        return (*self.answer, Paragraph(""), *self.a.story, Paragraph(""), *self.b.story)

    def __str__(self) -> str:
        return page_of(self.story)

    def __repr__(self) -> str:
        headline = self.answer[0]
        return f"<Comparison: {headline.text if isinstance(headline, Headline) else ''}>"

    def _repr_html_(self) -> str:
        return "".join(map(html_of, (self.answer, self.a.story, self.b.story)))


def compare(
    a: Subject,
    b: Subject,
    *,
    rules: Sequence[Rule],
    seconds: float = 2 * SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Report | None = None,
) -> Comparison:
    """Compare two subjects on the same gradients, and explain each by the rule that it is or is nearest to.

    Raises as `check` does.
    """
    first, second = (identify(subject, rules, seconds=seconds / 2, knobs=knobs, report=report) for subject in (a, b))
    rule = next(rule for rule in rules if rule.name == first.against)
    held = {name: value for name, value in (knobs or {}).items() if name in rule.knobs}
    loose = max(RELATIVE[a.dtype], RELATIVE[b.dtype])
    for setting, seen, beside in _side_by_side(a, b, rule, held):
        apart = ~same(seen.values, beside.values, loose * update_scale(seen.values, seen.probes.base) + 1e-300)
        if apart.any():
            at: tuple[int, ...] = tuple(int(n) for n in np.argwhere(apart)[0])
            return Comparison(first, second, False, _parting(setting, seen, beside, at), diff_between(first, second))
    return Comparison(first, second, True, None, "")


def _side_by_side(
    a: Subject, b: Subject, rule: Rule, held: Mapping[str, float]
) -> Iterator[tuple[Setting, Observed, Observed]]:
    """Drive both alike: as they stand, then from a start and with odd knobs, as far as both take them."""
    tensors = min(tensors_of(a), tensors_of(b))
    both = [name for name in free_knobs(a, rule, held) if name in free_knobs(b, rule, held)]
    odd = {name: ODD[name] for name in both if name in ODD}
    stream = designed(STEPS, 1, tensors)
    start = np.resize(np.array(STARTS), stream.shape[1:]) if a.starts and b.starts else 0.0
    settings = [(1, Setting()), (2, Setting(start)), *([(3, Setting(start, odd))] if odd else [])]
    for seed, setting in settings:
        stream = designed(STEPS, seed, tensors)
        seen, beside = (drive_once(subject, rule, held, stream, setting) for subject in (a, b))
        yield setting, seen, beside


def _parting(setting: Setting, seen: Observed, beside: Observed, at: tuple[int, ...]) -> Deviation:
    """Say what lies at (step, probe, tensor, coordinate), where two begin to differ."""
    step, probe, tensor, i = at
    lane = (slice(step + 1), probe, tensor, i)
    return Deviation(
        step + 1,
        float("nan"),
        tuple(seen.probes.gradients[probe, : step + 1, tensor, i].tolist()),
        tuple(seen.values[lane].tolist()),
        tuple(beside.values[lane].tolist()),
        "parameters",
        tensor + 1,
        float(seen.probes.start[probe, tensor, i]),
        dict(setting.knobs),
    )


def diff_between(a: Verdict, b: Verdict) -> str:
    """Give the diffs of both diagnoses, each under the name of its subject."""
    parts = [f"{v.subject}:\n{v.diagnosis.diff}" for v in (a, b) if v.diagnosis is not None]
    return "\n".join(parts)
