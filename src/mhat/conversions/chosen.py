"""Which optimizer a user means, with which knobs: in either spelling, else as the framework has them by default.

It runs nothing, and imports no framework.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mhat import rules
from mhat.conversions.catalogue import offers
from mhat.conversions.entries import NEUTRAL, Entry, Form, Framework
from mhat.conversions.pseudo_code import written
from mhat.errors import BadValue, UnknownName
from mhat.language import Rule
from mhat.language.vocabulary import meant_by, plain_spelling
from mhat.notation.decimals import exact

# A knob that must be given and was not: what stands for the user's own value.
STANDS_FOR = "{call} has no default for {theirs}: {value} stands for yours"


@dataclass(frozen=True)
class Chosen:
    """An optimizer with its knobs by our names; `assumed` says which of them nobody told, nor the framework."""

    framework: Framework
    entry: Entry
    form: Form
    knobs: Mapping[str, float]
    assumed: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        """The pseudo code, with the values of the knobs as defaults."""
        return written(self.entry, self.form, self.knobs)


def choose(framework: Framework, name: str, told: Mapping[str, Any]) -> Chosen:
    """Find the optimizer of a framework by the name of a rule or its own, and its knobs.

    Raises UnknownName or BadValue.
    """
    entry, wanted = find(framework, name)
    switches, others = _switches(entry, wanted, told)
    forms = [form for form in entry.forms if _is_switched(entry, form, switches)]
    if not forms:
        listed = ", ".join(f"{switch}={value}" for switch, value in switches.items())
        raise BadValue(f"{entry.call} with {listed} is not known here", "Leave one of them out.")
    given = dict(_given(entry, forms, others))
    knobs, assumed = _with_defaults(entry, forms, given, wanted)
    form = next((form for form in forms if all(knobs.get(need, 0.0) for need in form.needs)), forms[-1])
    _check_needs(entry, form, wanted, name)
    for knob, value in given.items():
        if knob in form.lacks and value != NEUTRAL.get(knob):
            raise BadValue(
                f"{entry.knobs[knob][0]}={exact(value)} does nothing in {entry.call} as {form.name}",
                _cure_of_unused(entry, forms, knob),
            )
    own = {knob: value for knob, value in knobs.items() if knob not in form.lacks}
    chosen = Chosen(framework, entry, form, {**own, **form.held}, assumed)
    rule = chosen.rule
    rule.check_knobs({knob: value for knob, value in chosen.knobs.items() if knob in rule.knobs})
    return chosen


def find(framework: Framework, name: str) -> tuple[Entry, Form]:
    """Find an entry, and the form that a name means, among the rules or by its own name; raises UnknownName."""
    asked = name.strip().lower().replace(":", ".")
    there = [(entry, form) for entry in framework.entries for form in entry.forms]
    named = [pair for pair in there if asked in (pair[1].name, pair[1].rule)]
    if named:
        return min(named, key=lambda pair: (pair[1].name != asked, len(pair[1].switches)))
    own = [pair for pair in there if asked in _own_names(pair[0])]
    if own:
        return own[-1]
    known = sorted({form.name for _, form in there})
    elsewhere = ", ".join(offers().get(asked, ()))
    more = f"It is in {elsewhere}." if elsewhere else "`mhat convert` lists which rule is where."
    raise UnknownName(f"{'rule' if elsewhere else 'optimizer'} of {framework.title}", name, known, more)


def _own_names(entry: Entry) -> Iterator[str]:
    own = entry.call.lower()
    yield own
    yield entry.name.lower()
    yield entry.name.lower().removesuffix("optimizer")


def _switches(entry: Entry, wanted: Form, told: Mapping[str, Any]) -> tuple[dict[str, bool], dict[str, Any]]:
    """Sort what is told into switches and the rest; a name presets the switches of its form."""
    switches = {**entry.switches, **wanted.switches}
    spelled = {plain_spelling(switch): switch for switch in entry.switches}
    others = {}
    for name, value in told.items():
        switch = spelled.get(plain_spelling(name))
        if switch is None:
            others[name] = value
        elif not isinstance(value, bool):
            raise BadValue(f"{name}={value!r} is neither true nor false", f"Write {name}=true or {name}=false.")
        else:
            switches[switch] = value
    return switches, others


def _is_switched(entry: Entry, form: Form, switches: Mapping[str, bool]) -> bool:
    return all(form.switches.get(switch, entry.switches[switch]) == value for switch, value in switches.items())


def _given(entry: Entry, forms: Sequence[Form], told: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the knobs that are told, by our names."""
    usable = {knob for knob in entry.knobs if any(knob not in form.lacks for form in forms)}
    seen: dict[str, str] = {}
    for name, value in told.items():
        for knob, number in _read(entry, usable, name, value):
            if knob in seen:
                raise BadValue(f"`{seen[knob]}` and `{name}` are one knob", "Give it once.")
            seen[knob] = name
            yield knob, number


def _read(entry: Entry, usable: set[str], name: str, value: Any) -> Iterator[tuple[str, float]]:
    theirs = {knob: entry.knobs[knob][0] for knob in entry.knobs if knob in usable}
    spelled = plain_spelling(name)
    parts = [knob for knob, called in theirs.items() if plain_spelling(called.partition("[")[0]) == spelled]
    if parts and "[" in theirs[parts[0]]:
        if not isinstance(value, list | tuple) or len(value) != len(parts):
            raise BadValue(f"{name}={value!r} is no pair", f"Write {name}=0.9,0.999.")
        yield from ((knob, _number(name, each)) for knob, each in zip(parts, value, strict=True))
        return
    exact_spellings = [knob for knob in theirs if plain_spelling(knob) == spelled]
    for knob in [*parts, *exact_spellings, *meant_by(name, usable)][:1]:
        yield knob, _number(name, NEUTRAL.get(knob) if value is None else value)
        return
    if name in entry.ignored:
        raise BadValue(f"`{name}` of {entry.call} is not translated", f"Leave it out: {entry.ignored[name]}.")
    known = {called.partition("[")[0] for called in theirs.values()} | set(entry.switches)
    raise UnknownName(f"knob of {entry.title}", name, known, meant=meant_by(name, known))


def _number(name: str, value: Any) -> float:
    if isinstance(value, list | tuple):
        raise BadValue(f"{name} has {len(value)} values", f"Give {name} once: a conversion is of one setting.")
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise BadValue(f"{name}={value!r} is not a number", f"Give {name} a number.")
    return float(value)


def _with_defaults(
    entry: Entry, forms: Sequence[Form], given: Mapping[str, float], wanted: Form
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Fill in what is not told: the framework's defaults, and those of the rule where it has none."""
    knobs, assumed = {}, []
    usual = rules.named(wanted.rule).knobs
    for knob, (theirs, default) in entry.knobs.items():
        if all(knob in form.lacks for form in forms):
            continue
        if knob in given:
            knobs[knob] = given[knob]
        elif default is None:
            knobs[knob] = usual.get(knob, 1e-2)
            assumed.append(STANDS_FOR.format(call=entry.call, theirs=theirs, value=exact(knobs[knob])))
        else:
            knobs[knob] = default
    return knobs, tuple(assumed)


def _check_needs(entry: Entry, form: Form, wanted: Form, name: str) -> None:
    """Refuse what is called momentum and has none."""
    for need in wanted.needs:
        if form.rule != wanted.rule and need in form.lacks:
            theirs = entry.knobs[need][0]
            raise BadValue(f"{entry.call} is {form.name} and not {name} while {theirs} is 0", f"Give it: {theirs}=0.9.")


def _cure_of_unused(entry: Entry, forms: Sequence[Form], knob: str) -> str:
    needs = [need for form in forms if knob not in form.lacks for need in form.needs]
    return f"Leave it out, or give {entry.knobs[needs[0]][0]} too." if needs else "Leave it out."
