"""What each knob does: where it stands in the rule, and what turning it changes. It knows no knob by name."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.explanations.claims import Claim, Comparison, Proof, Trials
from mhat.explanations.lines.consequences import Unit, largest, tried, unit_of, unit_runs
from mhat.explanations.lines.lessons import LATE_REST
from mhat.explanations.lines.reading import Reading, added_to_divisors
from mhat.explanations.runs import Setting, Unrunnable
from mhat.language.tree import Name, Operation
from mhat.language.walking import names_in, subexpressions
from mhat.notation.decimals import exact

# A knob that is no share is made so many times as large, until something changes.
FACTORS = (2.0, 10.0, 100.0, 1e4, 1e6, 1e7, 1e8)
FROM_ZERO = (0.1, 1.0, 0.9)
RESTING = ("rest", "late rest")
SUITING = ("noise", "first", "late", "spike", "after")


def claims(setting: Setting) -> Iterator[Claim]:
    """Yield what each knob does, in the order of the signature."""
    reading, unit = Reading(setting), unit_of(setting)
    for knob in setting.rule.knobs:
        try:
            yield _claim(reading, knob, unit)
        except Unrunnable:
            yield _of_places(reading, knob, unit)


def _claim(reading: Reading, knob: str, unit: Unit) -> Claim:
    setting = reading.setting
    value = setting.in_force[knob]
    begin = _begin(reading, knob, unit)
    if knob == unit.name:
        return _of_unit(setting, unit, begin)
    decays = reading.moving is not None and knob in names_in(reading.moving.gain)
    others = _others(setting, knob, value, _is_share(reading, knob))
    if not others:
        return _of_places(reading, knob, unit)
    for other in others:
        turned = setting.turned(knob, other)
        found = largest(setting, turned, *((RESTING, (LATE_REST,)) if decays else (SUITING,)))
        if found is not None:
            sentence = f"{begin}. At {exact(other)}{',' * found.lesson.is_from} {found.sentence(unit)}."
            head = ("what", f"{knob}={exact(value)}", f"{knob}={exact(other)}")
            evidence = found.evidence(unit)
            return Claim("knobs", sentence, "computed", Comparison(head, evidence.rows, evidence.runs), knob)
    runs = tried(setting, setting.turned(knob, value))
    if not runs:
        return _of_places(reading, knob, unit)
    sentence = f"{begin}. Turning it changes nothing on the streams that were tried."
    return Claim("knobs", sentence, "tested", Trials(len(runs) // 2, runs[0].steps, runs=runs), knob)


def _begin(reading: Reading, knob: str, unit: Unit) -> str:
    places = "; ".join(_places(reading, knob, unit)) or "no line reads it"
    return f"`{knob}` = {exact(reading.setting.in_force[knob])}: {places}"


def _of_places(reading: Reading, knob: str, unit: Unit) -> Claim:
    """Say only where a knob stands."""
    proof = Proof((f"the lines that read {knob}",))
    return Claim("knobs", f"{_begin(reading, knob, unit)}.", "proved", proof, knob)


def _of_unit(setting: Setting, unit: Unit, begin: str) -> Claim:
    knob = unit.name
    runs = unit_runs(setting, unit)
    nearly = "" if unit.exact else "nearly "
    sentence = f"{begin}; twice as large, every step is {nearly}twice as long."
    return Claim("knobs", sentence, "tested", Trials(len(runs), runs[0].steps, runs=runs), knob)


def _places(reading: Reading, knob: str, unit: Unit) -> Iterator[str]:
    """Say what a knob is to the lines that read it."""
    tree, name = reading.tree, Name(knob)
    if knob == unit.name:
        yield "the size of every step"
    told: set[int] = set()
    for line, recurrence in reading.recurrences.items():
        if recurrence.gain == name:
            told.add(line)
            yield f"the share of `{recurrence.state}` that a step keeps (line {line})"
    for line, divided in added_to_divisors(reading, knob):
        told.add(line)
        yield f"added to what line {line} divides by, so that it is not zero" if divided else f"a floor in line {line}"
    moving = reading.moving
    if moving is not None and knob in names_in(moving.gain) and knob != unit.name:
        told.add(len(tree.body) + 1)
        yield "how much of itself x loses at every step"
    corrected = [line for line in reading.corrections if knob in names_in(tree.body[line - 1].value)]
    told.update(corrected)
    values = [*(line.value for line in tree.body), tree.result]
    others = [number for number, node in enumerate(values, 1) if knob in names_in(node) and number not in told]
    if others and knob != unit.name:
        yield f"read in line{'s' if len(others) > 1 else ''} {' and '.join(map(str, others))}"


def _is_share(reading: Reading, knob: str) -> bool:
    """Whether it is a share of one: what a state keeps, or one minus that."""
    if any(recurrence.gain == Name(knob) for recurrence in reading.recurrences.values()):
        return True
    one_minus = (
        isinstance(node, Operation) and node.op == "sub" and node.arguments[1] == Name(knob)
        for line in reading.tree.body
        for node in subexpressions(line.value)
    )
    return any(one_minus) and reading.setting.rule.meaning(knob).is_share


def _others(setting: Setting, knob: str, value: float, is_share: bool) -> list[float]:
    """List the values that it is turned to."""
    allows = setting.rule.meaning(knob).allows
    if is_share and 0.0 < value < 1.0:
        tried_values = [(1.0 + value) / 2.0, max(1.0 - 10.0 * (1.0 - value), 0.0), 0.0]
    elif value == 0.0:
        tried_values = list(FROM_ZERO)
    else:
        tried_values = [value * factor for factor in FACTORS]
    rounded = [float(f"{other:.12g}") for other in tried_values]
    return [other for other in rounded if allows(other) and other != value]
