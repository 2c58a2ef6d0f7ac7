"""A verdict in words: the answer first, then the diff, then what shows it. It checks nothing and prints nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from rich.console import Group
from rich.text import Text

from mhat.checks.conformance import Comparison
from mhat.checks.verdict import Deviation, Diagnosis, Verdict

GOOD, BAD, QUIET, STRONG = "green", "red", "dim", "bold"
# Gradients longer than this are shown by their first and last values.
LONG = 8
# Below this share of the update a difference is said in ulps.
VISIBLE = 1e-4
Line = tuple[str, str]


def page(verdict: Verdict) -> Group:
    """Set a verdict for a terminal."""
    return Group(*(Text(text, style=style) for text, style in lines(verdict)))


def text_of(verdict: Verdict) -> str:
    """Write a verdict as plain text."""
    return "\n".join(text for text, _ in lines(verdict))


def comparison_page(comparison: Comparison) -> Group:
    """Set a comparison for a terminal."""
    return Group(*(Text(text, style=style) for text, style in comparison_lines(comparison)))


def lines(verdict: Verdict) -> Iterator[Line]:
    """Yield the lines of a verdict with their styles."""
    rule = f"{verdict.against} ({verdict.paper})" if verdict.paper else verdict.against
    if verdict.conforms:
        yield from _conforming(verdict, rule)
    else:
        yield from _deviating(verdict, rule)
    for note in verdict.notes:
        yield f"note: {note}", QUIET


def _conforming(verdict: Verdict, rule: str) -> Iterator[Line]:
    told = f" with {_knobs(verdict.estimated)}" if verdict.estimated else ""
    yield f"{verdict.subject} conforms to {rule}{told}", f"{STRONG} {GOOD}"
    if verdict.dialect is not None:
        yield f"in its dialect: {verdict.dialect}", GOOD
        if verdict.diagnosis is not None:
            yield from _diff(verdict.diagnosis)


def _deviating(verdict: Verdict, rule: str) -> Iterator[Line]:
    step = "" if verdict.deviation is None else f" from step {verdict.deviation.step} on"
    found = verdict.diagnosis
    end = ":" if found is not None else ", and no mistake that mhat knows explains it"
    yield f"{verdict.subject} deviates from {rule}{step}{end}", f"{STRONG} {BAD}"
    if found is not None:
        yield from ((f"  {sentence}", STRONG) for sentence in found.sentences)
        if verdict.estimated:
            yield f"  with {_knobs(verdict.estimated)}, estimated", ""
        yield from _diff(found)
    if verdict.deviation is not None:
        yield _shown(verdict.deviation, verdict.observe), ""
    if verdict.broken:
        yield "broken laws:", ""
        for law in verdict.broken:
            yield f"  {law.name}: {law.counterexample or law.intuition}", ""
            yield f"      {law.intuition}", QUIET
    if found is not None:
        yield from _places(found)
        yield from ((f"as simple: {'; '.join(other.sentences)}", QUIET) for other in found.others[:2])
    elif verdict.nearest is not None:
        yield "the nearest that was tried, which is not the answer:", QUIET
        yield from ((f"  {sentence}", QUIET) for sentence in verdict.nearest.sentences)


def _diff(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield the changed lines; a signature only if more than its inputs differ."""
    changed = diagnosis.diff.splitlines()
    signatures = [line for line in changed if line[2:].startswith("def ")]
    same_states = len({_without_inputs(line) for line in signatures}) < 2
    for line in changed:
        if not (same_states and line in signatures):
            yield f"  {line}", GOOD if line.startswith("+") else BAD


def _without_inputs(signature: str) -> str:
    names = signature.partition("(")[2].split(", ")
    return ", ".join(name for name in names if name not in ("x", "g", "t", "k", "n"))


def _shown(deviation: Deviation, observe: str) -> str:
    got, wanted = deviation.got[-1], deviation.expected[-1]
    unit = f" {deviation.unit}" if deviation.unit else "" if observe == "x" else f" in {observe}"
    where = f" in tensor {deviation.tensor}" if deviation.tensor > 1 else ""
    said = f"shown by the gradients {_listed(deviation.gradients)}{where}:"
    size = max(abs(got), abs(wanted))
    if math.isfinite(size) and abs(got - wanted) < VISIBLE * size:
        return f"{said} off by {deviation.ulps:.3g} ulps of the update at step {deviation.step}"
    return f"{said} {_short(got)}{unit} where {_short(wanted)} is expected"


def _listed(gradients: tuple[float, ...]) -> str:
    if len(gradients) <= LONG:
        return f"[{', '.join(map(_short, gradients))}]"
    return f"[{', '.join(map(_short, gradients[:3]))}, ..., {_short(gradients[-1])}] ({len(gradients)} steps)"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value - round(value, 2)) > 1e-9 or not math.isfinite(value) else f"{value:g}"


def _knobs(knobs: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in knobs.items())


def _places(diagnosis: Diagnosis) -> Iterator[Line]:
    if diagnosis.lines:
        yield "in your file:", ""
        yield from ((f"  line {number}: {text}", "") for number, text in diagnosis.lines)


def comparison_lines(comparison: Comparison) -> Iterator[Line]:
    """Yield the lines of a comparison with their styles."""
    a, b = comparison.a, comparison.b
    if comparison.same:
        yield f"{a.subject} and {b.subject} do the same, to rounding", f"{STRONG} {GOOD}"
    elif comparison.deviation is not None:
        found = comparison.deviation
        yield f"{a.subject} and {b.subject} part at step {found.step}", f"{STRONG} {BAD}"
        yield (
            (
                f"shown by the gradients {_listed(found.gradients)}: parameters {found.got[-1]:.6g} and "
                f"{found.expected[-1]:.6g}"
            ),
            "",
        )
    for verdict in (a, b):
        yield "", ""
        yield from lines(verdict)
