"""What is said about a verdict, as passages in their order. It knows no dress and checks nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from mhat.checks.findings import Deviation, Diagnosis, Fix, LawFinding
from mhat.checks.matrices import tables
from mhat.explanations.claims import Claim
from mhat.notation.decimals import exact
from mhat.writing.passages import Diff, Entries, Excerpt, Paragraph, Passage, Table

# Gradients longer than this are shown by their first and last values.
LONG = 8
SO_IT_HOLDS = "what holds for the rule, tested, holds for it to rounding:"
NO_LAW = "no law that mhat knows holds for the rule"
NO_REASON = "why: no mistake explains it, so that nothing can be said of its consequences"
# Below this share of the update a difference is said in ulps.
VISIBLE = 1e-4


def of_diagnosis(diagnosis: Diagnosis, estimated: Mapping[str, float]) -> Iterator[Passage]:
    """Say what was changed."""
    yield Entries(tuple((sentence,) for sentence in diagnosis.sentences), tone="strong")
    if estimated:
        yield Paragraph(f"with {knobs_text(estimated)}, estimated", inset=True)
    yield Diff(shown_lines(diagnosis))


def of_alternatives(diagnosis: Diagnosis) -> Iterator[Passage]:
    """Say where it stands in the user's file, and what explains it as well."""
    if diagnosis.lines:
        yield Excerpt("in your file:", tuple(f"line {number}: {text}" for number, text in diagnosis.lines))
    for sentence in list(dict.fromkeys(_told_apart(other, diagnosis) for other in diagnosis.others))[:2]:
        yield Paragraph(f"as simple: {sentence}", "quiet")


def of_deviation(deviation: Deviation, observe: str, subject: str, rule: str) -> Iterator[Passage]:
    """Say which gradients show it, and how it goes on from there."""
    if deviation.matrices is not None:
        yield Paragraph(_shown(deviation, observe))
        yield tables.grid_of(deviation, subject, rule)
        yield from map(Paragraph, _going_on(deviation))
        return
    steps = range(1, len(deviation.gradients) + 1)
    rows = tuple(zip(steps, deviation.gradients, deviation.got, deviation.expected, strict=False))
    yield Table(_shown(deviation, observe), ("step", "gradient", subject, rule), rows)
    yield from map(Paragraph, _going_on(deviation))


def of_laws(broken: Sequence[LawFinding]) -> Iterator[Passage]:
    """Say which laws are broken."""
    entries = tuple((f"{law.name}: {law.counterexample or law.intuition}", law.intuition) for law in broken)
    if entries:
        yield Entries(entries, "broken laws:")


def of_nothing_found(nearest: Diagnosis | None, *, finished: bool) -> Iterator[Passage]:
    """Say what comes nearest where nothing explains it."""
    if nearest is not None:
        sentences = tuple((sentence,) for sentence in nearest.sentences)
        yield Entries(sentences, "the nearest that was tried, which is not the answer:", "quiet")
    else:
        yield Paragraph(f"no small change {'of the rule' if finished else 'that was tried'} comes near it", "quiet")


def of_why(claims: Sequence[Claim], *, conforms: bool) -> Iterator[Passage]:
    """Say what becomes of the mistake, sentence by sentence, or which laws hold for what conforms."""
    if not claims:
        yield Paragraph(NO_LAW if conforms else NO_REASON, "quiet")
        return
    yield Entries(tuple((claim.sentence,) for claim in claims), SO_IT_HOLDS if conforms else "why:")


def of_fix(fix: Fix) -> Iterator[Passage]:
    """Say which change of the user's file makes it conform, or why there is none."""
    if not fix.diff:
        yield Paragraph(fix.reason)
        return
    yield Paragraph(f"with this change of {fix.file} it conforms, as a check of a copy says:", "good")
    yield Diff(tuple(fix.diff.splitlines()))
    if fix.kept:
        yield Paragraph(f"{fix.file} was changed so; as it was before it is kept in {fix.kept}", "good")


def knobs_text(knobs: Mapping[str, float]) -> str:
    """Write knobs with their values."""
    return ", ".join(f"{name}={exact(value)}" for name, value in knobs.items())


def apart(a: float, b: float) -> tuple[str, str]:
    """Write two numbers as short as they can be told apart."""
    pairs = [(_short(a), _short(b)), *((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(4, 18))]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])


def listed(gradients: Sequence[float]) -> str:
    """Write gradients, long ones by their first and last."""
    if len(gradients) <= LONG:
        return f"[{', '.join(map(_short, gradients))}]"
    return f"[{', '.join(map(_short, gradients[:3]))}, ..., {_short(gradients[-1])}] ({len(gradients)} steps)"


def shown_by(deviation: Deviation) -> str:
    """Write the gradients that show a deviation, or of which shape they are."""
    matrices = deviation.matrices
    return f"the gradients {listed(deviation.gradients)}" if matrices is None else tables.named(matrices)


def shown_lines(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Give the changed lines; a signature only if more than its inputs differ."""
    changed = diagnosis.diff.splitlines()
    signatures = [line for line in changed if line[2:].startswith("def ")]
    if len({_without_inputs(line) for line in signatures}) > 1:
        return tuple(changed)
    return tuple(line for line in changed if line not in signatures)


def _without_inputs(signature: str) -> str:
    names = signature.partition("(")[2].split(", ")
    return ", ".join(name for name in names if name not in ("x", "g", "t", "k", "n"))


def _told_apart(other: Diagnosis, diagnosis: Diagnosis) -> str:
    """Give the first sentence of another answer that the answer itself does not say."""
    own = [sentence for sentence in other.sentences if sentence not in diagnosis.sentences]
    return next(iter([*own, *other.sentences]), "the same with other knobs")


def _shown(deviation: Deviation, observe: str) -> str:
    got, wanted = deviation.got[-1], deviation.expected[-1]
    measured = deviation.unit or ("" if observe == "x" else observe)
    unit = f" (in {measured})" if measured else ""
    begin = f"shown by {shown_by(deviation)}{deviation.setting}:"
    size = max(abs(got), abs(wanted))
    if math.isfinite(size) and math.isfinite(deviation.ulps) and abs(got - wanted) < VISIBLE * size:
        return f"{begin} off by {deviation.ulps:.3g} ulps of the update at step {deviation.step}"
    first, second = apart(got, wanted)
    return f"{begin} {first} where {second} is expected{unit}"


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
        first, second = apart(got, wanted)
        yield f"{begin} {first} where {second} is expected"


def _short(value: float) -> str:
    near = math.isfinite(value) and abs(value - round(value, 2)) <= 1e-9 * abs(value)
    return f"{value:g}" if near else f"{value:.3g}"
