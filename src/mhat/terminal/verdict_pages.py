"""A verdict in words: the answer first, then the diff, then what shows it. It checks nothing and prints nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from mhat.checks.conformance import Comparison
from mhat.checks.verdict import Deviation, Diagnosis, Verdict
from mhat.notation.decimals import exact

GOOD, BAD, QUIET, STRONG = "green", "red", "dim", "bold"
# Gradients longer than this are shown by their first and last values.
LONG = 8
# Below this share of the update a difference is said in ulps.
VISIBLE = 1e-4
Line = tuple[str, str]


def page(verdict: Verdict) -> Group:
    """Set a verdict for a terminal."""
    return _page(lines(verdict))


def text_of(verdict: Verdict) -> str:
    """Write a verdict as plain text."""
    return "\n".join(text for text, _ in lines(verdict))


def comparison_page(comparison: Comparison) -> Group:
    """Set a comparison for a terminal."""
    return _page(comparison_lines(comparison))


def _page(found: Iterable[Line]) -> Group:
    """Set lines; what does not fit goes on below, as far in as its line."""
    return Group(*(_set(text, style) for text, style in found))


def _set(text: str, style: str) -> RenderableType:
    words = text.lstrip(" ")
    return Padding(Text(words, style=style), (0, 0, 0, len(text) - len(words)), expand=False)


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
            yield from ((line, QUIET) for line, _ in _diff(verdict.diagnosis))


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
        yield from ((line, "") for line in _going_on(verdict.deviation))
    if verdict.broken:
        yield "broken laws:", ""
        for law in verdict.broken:
            yield f"  {law.name}: {law.counterexample or law.intuition}", ""
            yield f"      {law.intuition}", QUIET
    if found is not None:
        yield from _places(found)
        yield from ((f"as simple: {_told_apart(other, found)}", QUIET) for other in found.others[:2])
    elif verdict.nearest is not None:
        yield "the nearest that was tried, which is not the answer:", QUIET
        yield from ((f"  {sentence}", QUIET) for sentence in verdict.nearest.sentences)
    else:
        yield "no small change of the rule comes near it", QUIET


def _told_apart(other: Diagnosis, found: Diagnosis) -> str:
    """Give the first sentence of another answer that the answer itself does not say."""
    own = [sentence for sentence in other.sentences if sentence not in found.sentences]
    return next(iter([*own, *other.sentences]), "the same with other knobs")


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
    measured = deviation.unit or ("" if observe == "x" else observe)
    unit = f" (in {measured})" if measured else ""
    said = f"shown by the gradients {_listed(deviation.gradients)}{deviation.setting}:"
    size = max(abs(got), abs(wanted))
    if math.isfinite(size) and math.isfinite(deviation.ulps) and abs(got - wanted) < VISIBLE * size:
        return f"{said} off by {deviation.ulps:.3g} ulps of the update at step {deviation.step}"
    first, second = _apart(got, wanted)
    return f"{said} {first} where {second} is expected{unit}"


def _going_on(deviation: Deviation) -> Iterator[str]:
    """Say where the difference has got to in the end, if the last gradient is repeated."""
    course = deviation.course
    if course is None or not course.repeated or len(course.got) <= deviation.step:
        return
    # What the diagnosis gives is the subject to rounding, and not lost next to a large x.
    got, wanted = (course.got if course.named is None else course.named)[-1], course.expected[-1]
    begin = f"with the last of them repeated, at step {len(course.got)}:"
    size = max(abs(got), abs(wanted))
    if got == wanted or (math.isfinite(size) and abs(got - wanted) < VISIBLE * size):
        yield f"{begin} the same to four digits"
    else:
        first, second = _apart(got, wanted)
        yield f"{begin} {first} where {second} is expected"


def _apart(a: float, b: float) -> tuple[str, str]:
    """Write two numbers as short as they can be told apart."""
    pairs = [(_short(a), _short(b)), *((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(4, 18))]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])


def _listed(gradients: tuple[float, ...]) -> str:
    if len(gradients) <= LONG:
        return f"[{', '.join(map(_short, gradients))}]"
    return f"[{', '.join(map(_short, gradients[:3]))}, ..., {_short(gradients[-1])}] ({len(gradients)} steps)"


def _short(value: float) -> str:
    near = math.isfinite(value) and abs(value - round(value, 2)) <= 1e-9 * abs(value)
    return f"{value:g}" if near else f"{value:.3g}"


def _knobs(knobs: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={exact(value)}" for name, value in knobs.items())


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
        first, second = (f"{value:.6g}" for value in (found.got[-1], found.expected[-1]))
        if first == second:
            first, second = _apart(found.got[-1], found.expected[-1])
        yield f"shown by the gradients {_listed(found.gradients)}: parameters {first} and {second}", ""
    for verdict in (a, b):
        yield "", ""
        yield from lines(verdict)
