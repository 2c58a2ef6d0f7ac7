"""From what is asked to the answer: an optimizer, two frameworks and knobs. It knows no framework by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mhat.conversions import measuring
from mhat.conversions.catalogue import FRAMEWORKS, find_framework, offers
from mhat.conversions.chosen import Chosen, choose
from mhat.conversions.conditions import of_rate, of_sameness, of_schedule
from mhat.conversions.conversion import Conversion, Pair, Side
from mhat.conversions.entries import NEUTRAL, Framework
from mhat.conversions.lines import lines_of, lines_of_rule
from mhat.conversions.matching import Match, matches, value_of, words_of
from mhat.conversions.measuring import LIMIT, nearest_of
from mhat.conversions.real import version_of
from mhat.errors import BadValue
from mhat.explanations.claims import Claim
from mhat.language import Rule
from mhat.notation.decimals import exact
from mhat.printers import python

AS_RULE = "no rule of the library is written so: it is given as pseudo code"


def convert(
    name: str,
    source: str | None,
    target: str | None,
    knobs: Mapping[str, Any],
    *,
    measure: bool = True,
    limit: float = LIMIT,
) -> Conversion:
    """Convert an optimizer of one framework to another; raises UnknownName or BadValue.

    `source` may be None where the name says it: keras.optimizers.Adam. `measure`: drive the real optimizers where both
    are installed, each no longer than `limit` seconds.
    """
    if target is None:
        raise BadValue(f"it is not said where {name} is to go", f"Name a framework, {_listed()}: --to torch.")
    ours = find_framework(target)
    theirs = _framework_of(name) if source is None else find_framework(source)
    chosen = choose(theirs, name, knobs)
    found = matches(chosen, ours)
    if ours.takes_rules and not (found and found[0].exact and not found[0].schedules):
        return _as_rule(chosen, ours)
    if not found:
        return _absent(chosen, ours)
    plain = nearest_of(chosen.rule, [match.plain or match for match in found])
    return _answered(chosen, found[0] if found[0].exact else plain, plain, measure=measure, limit=limit)


def _framework_of(name: str) -> Framework:
    """Give the framework that the name of an optimizer begins with; raises BadValue."""
    for framework in FRAMEWORKS.values():
        if any(name.replace(":", ".").startswith(entry.call) for entry in framework.entries):
            return framework
    raise BadValue(f"it is not said where {name} comes from", f"Name a framework, {_listed()}: --from keras.")


def _listed() -> str:
    return ", ".join(FRAMEWORKS)


def _answered(chosen: Chosen, match: Match, plain: Match, *, measure: bool, limit: float) -> Conversion:
    rule, how_far = chosen.rule, measuring.of_both(chosen, match, plain, measure=measure, limit=limit)
    conditions: list[Claim] = []
    if match.exact:
        conditions += [of_schedule(match, knob, chosen.knobs) for knob in match.schedules]
        conditions += of_rate(rule, match)
    differs = not match.exact or bool(match.schedules)
    return Conversion(
        rule=chosen.form.name,
        source=_source(chosen),
        target=Side(
            match.framework.name, match.entry.title, version_of(match.framework), dict(match.rule.knobs),
            python.rule_text(match.rule),
        ),
        answer="different" if not match.exact else "conditional" if conditions else "exact",
        lines=lines_of(match, chosen.knobs),
        knobs=tuple(_pairs(chosen, match)),
        conditions=tuple(conditions),
        on=tuple(_in_words(match, claim) for claim in conditions),
        diff=_diff(rule, match.rule) if differs or conditions else (),
        measured=how_far.differences,
        notes=(*([of_sameness(rule, match)] if match.exact else []), *how_far.notes),
        remarks=(*_remarks(chosen), *match.entry.notes, *_refused(match), *_held_rate(match), *how_far.remarks),
    )  # fmt: skip


def _refused(match: Match) -> Iterator[str]:
    """Say which knobs the target refuses as they are."""
    for knob in match.form.positive:
        if match.rule.knobs.get(knob, 0.0) == 0.0:
            theirs = match.entry.knobs[knob][0]
            yield f"{match.entry.call} refuses {theirs}=0: give it the smallest number that it takes"


def _held_rate(match: Match) -> Iterator[str]:
    """Say that added lines hold the learning rate."""
    if any("{lr}" in recipe.template for recipe in match.recipes):
        yield "the lines hold the learning rate as a number: where it changes it changes there too"


def _in_words(match: Match, claim: Claim) -> str:
    if claim.about in match.schedules:
        return f"{match.entry.knobs[claim.about][0]} follows a schedule"
    return "the learning rate is constant"


def _absent(chosen: Chosen, ours: Framework) -> Conversion:
    """Answer where a framework has no such rule."""
    name = chosen.form.name
    where = [framework for framework in offers().get(name, {}) if framework != chosen.framework.name]
    elsewhere = [f"{name} is in {', '.join(where)}"] if where else []
    elsewhere += [] if chosen.framework.takes_rules else ["mhat runs it on NumPy arrays: convert it to numpy"]
    return Conversion(
        name, _source(chosen), Side(ours.name, ours.title, version_of(ours)), "absent",
        remarks=(*_remarks(chosen), *elsewhere),
    )  # fmt: skip


def _as_rule(chosen: Chosen, ours: Framework) -> Conversion:
    """Answer where pseudo code can be had as an optimizer: it is the same, whatever it is."""
    text = python.rule_text(chosen.rule)
    return Conversion(
        chosen.form.name, _source(chosen), Side(ours.name, "mhat.Optimizer", version_of(ours), chosen.rule.knobs, text),
        "exact", lines=lines_of_rule(chosen.rule), remarks=(*_remarks(chosen), AS_RULE),
    )  # fmt: skip


def _source(chosen: Chosen) -> Side:
    return Side(
        chosen.framework.name, chosen.entry.title, version_of(chosen.framework), dict(chosen.knobs),
        python.rule_text(chosen.rule),
    )  # fmt: skip


def _remarks(chosen: Chosen) -> tuple[str, ...]:
    return (*chosen.assumed, *chosen.entry.notes)


@dataclass(frozen=True)
class _Written:
    """How knobs are written on one side."""

    knobs: Mapping[str, tuple[str, float | None]]

    def text(self, knob: str, value: float) -> str:
        return f"{self.knobs[knob][0]}={exact(value)}"


def _pairs(chosen: Chosen, match: Match) -> Iterator[Pair]:
    """Set the knobs of both sides beside each other; what is off on both is left out."""
    here, there = _Written(chosen.entry.knobs), _Written(match.entry.knobs)
    used: set[str] = set()
    for knob, text in match.expressions.items():
        follows = knob in match.schedules
        read = {knob} if follows else words_of(text)
        behind = [each for each in chosen.entry.knobs if each in read and each in chosen.knobs]
        value, default = value_of(text, chosen.knobs), match.entry.knobs[knob][1]
        used |= set(behind)
        if not any(chosen.knobs[each] for each in behind) and value == default and knob in NEUTRAL:
            continue
        source = ", ".join(here.text(each, chosen.knobs[each]) for each in behind) or None
        target = f"{match.entry.knobs[knob][0]} follows t" if follows else there.text(knob, value)
        yield Pair(knob, source, target, None if default is None or value == default else exact(default))
    added = {recipe.edit.knob for recipe in match.recipes}
    for knob in chosen.entry.knobs:
        value = chosen.knobs.get(knob, 0.0)
        if knob not in used and knob in chosen.knobs and value != NEUTRAL.get(knob):
            yield Pair(knob, here.text(knob, value), "added in the lines above" if knob in added else None)
    yield from _switches(chosen, match)


def _switches(chosen: Chosen, match: Match) -> Iterator[Pair]:
    here = {name: value for name, value in chosen.form.switches.items() if value != chosen.entry.switches[name]}
    there = {name: value for name, value in match.form.switches.items() if value != match.entry.switches[name]}
    for name in dict.fromkeys([*here, *there]):
        source, target = (f"{name}={side[name]}" if name in side else None for side in (here, there))
        yield Pair(name, source, target, str(match.entry.switches[name]) if name in there else None)
    for knob in match.form.lacks:
        theirs, default = match.entry.knobs[knob]
        if default != NEUTRAL[knob]:
            yield Pair(knob, None, f"{theirs}={exact(NEUTRAL[knob])}", None if default is None else exact(default))
    for name, text in match.entry.always.items():
        yield Pair(name, None, f"{name}={text}")


def _diff(one: Rule, other: Rule) -> tuple[str, ...]:
    """Give the lines of the pseudo code that differ, and starts of states if they do."""
    first, second = (_lines(rule) for rule in (one, other))
    lines = difflib.ndiff(first, second)
    return tuple(f"{line[:2]}{line[2:].strip()}" for line in lines if line[:1] in "+-")


def _lines(rule: Rule) -> list[str]:
    starts = [f"{state.name} starts at {python.expression_text(state.start)}" for state in rule.tree.states]
    body = [python.line_text(line) for line in rule.tree.body]
    return [*starts, *body, f"return {python.expression_text(rule.tree.result)}"]
