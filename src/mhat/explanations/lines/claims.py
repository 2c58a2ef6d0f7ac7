"""Claims about the lines of a rule: what each is for, and what happens without it. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.explanations.claims import Claim, Formula, Proof, Trials
from mhat.explanations.lines.consequences import Unit, catching_up, largest, suiting, tried, unit_of
from mhat.explanations.lines.freezing import without
from mhat.explanations.lines.lessons import LATE_REST, size_of
from mhat.explanations.lines.reading import Reading
from mhat.explanations.lines.results import role_of_result
from mhat.explanations.lines.roles import Role, role_of
from mhat.explanations.runs import Setting, Unrunnable, fits
from mhat.printers.latex import lines_latex

FOR, WITHOUT = "lines", "without"
# What a line reads instead is shown where it is as short as this.
SHORT = 30


def claims(setting: Setting) -> Iterator[Claim]:
    """Yield for every line and the result what it is for, and what happens without it."""
    reading, unit = Reading(setting), unit_of(setting)
    for number in range(1, len(reading.tree.body) + 2):
        yield from claims_of_line(reading, number, unit)


def claims_of_line(reading: Reading, number: int, unit: Unit) -> Iterator[Claim]:
    """Yield what a line, counted from 1, is for, and what happens without it."""
    is_result = number > len(reading.tree.body)
    role = role_of_result(reading) if is_result else role_of(reading, number)
    formula = Formula("", lines_latex(reading.setting.rule)[number - 1])
    yield Claim(FOR, f"{role.phrase}.", "proved", Proof((role.form,), formula), str(number))
    claim = _without(reading, number, role, unit)
    if claim is not None:
        yield claim


def _without(reading: Reading, number: int, role: Role, unit: Unit) -> Claim | None:
    made = without(reading, number, role)
    if made is None:
        return None
    before, after = reading.setting, reading.setting.changed(made[0])
    size = size_of(before.rule)
    if size is not None and not fits(after.rule, size):
        return None
    instead = f" (`{made[1]}`)" if made[1] and len(made[1]) <= SHORT else ""
    begin = f"Without it{instead}" if number <= len(reading.tree.body) else "Without that"
    try:
        found = largest(before, after, suiting(role.kind), (LATE_REST,) if role.kind == "decay" else ())
        if found is None:
            runs = tried(before, after)
            if not runs:
                return None
            sentence = f"{begin} nothing changes on the streams that were tried."
            return Claim(WITHOUT, sentence, "tested", Trials(len(runs) // 2, runs[0].steps, runs=runs), str(number))
    except Unrunnable:
        return None
    text, runs = f"{begin}{',' * found.lesson.is_from} {found.sentence(unit)}", ()
    if role.kind == "correction" and found.lesson.name == "first":
        more, runs = catching_up(before, after, found, unit)
        text += f", and {more}" if more else ""
    return Claim(WITHOUT, f"{text}.", "computed", found.evidence(unit, runs), str(number))
