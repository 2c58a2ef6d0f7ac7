"""The words of a figure: its title, its caption, the names of what was run. It knows no drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from mhat import rules
from mhat.errors import MhatError
from mhat.figures.canvas import escaped
from mhat.figures.families import plain_or_math
from mhat.figures.numerals import whole
from mhat.language import Rule
from mhat.traces.schema import Ran, knobs_of, rule_of, what_ran

MOST_IN_TITLE = 4
SCHEDULE = "by a schedule"


def rule_in(ds: xr.Dataset) -> Rule | None:
    """Give the rule of a trace from the source it carries, or None if it carries none."""
    try:
        return rule_of(ds)
    except MhatError:
        return None


@dataclass(frozen=True)
class Words:
    """What a figure says of its traces: what they have in common, and of each how it is unlike the others."""

    title: str
    labels: tuple[str, ...]


def words_of(traces: Sequence[xr.Dataset]) -> Words:
    """Say which rules ran on what, for how long, and with which knobs unlike their defaults.

    A trace that is alone is told in the title, and its label is empty.
    """
    ran = [what_ran(ds) for ds in traces]
    told = [rule_names(traces), [_given(each) for each in ran], [count_of(each.steps, "step") for each in ran]]
    names, given, steps = ([] if len(set(each)) == 1 else each for each in told)
    knobs, unlike = _knobs(traces)
    dtypes = [each.dtype for each in ran]
    shared = [] if steps else told[2][:1]
    shared += knobs
    if len(set(dtypes)) == 1:
        shared += dtypes[:1] if dtypes[0] != "float64" else []
    else:
        unlike = [[*pieces, dtype] for pieces, dtype in zip(unlike, dtypes, strict=True)]
    who = _listed(names) if names else told[0][0]
    title = ", ".join([who if given else f"{who} on {told[1][0]}", *shared])
    each = [[*(part[i] for part in (names, given, steps) if part), *pieces] for i, pieces in enumerate(unlike)]
    return Words(title, tuple(_apart([", ".join(pieces) for pieces in each])))


def rule_names(traces: Sequence[xr.Dataset]) -> list[str]:
    """Name the rules; one that only has the name of another is told apart from it."""
    names = [what_ran(ds).rule or "trace" for ds in traces]
    sources = [str(ds.attrs.get("source", "")) for ds in traces]
    told = []
    for name, source in zip(names, sources, strict=True):
        namesakes = list(dict.fromkeys(s for n, s in zip(names, sources, strict=True) if n == name))
        yours = [s for s in namesakes if not _of_the_library(name, s)]
        if len(namesakes) == 1 or source not in yours:
            told.append(escaped(name))
        else:
            place = f" {yours.index(source) + 1}" if len(yours) > 1 else ""
            told.append(escaped(f"{name} (yours{place})"))
    return told


def _of_the_library(name: str, source: str) -> bool:
    return name in rules.names() and rules.named(name).source.text == source


def _listed(names: Sequence[str]) -> str:
    """Write names as a list: a, b and c."""
    names = list(dict.fromkeys(names))
    if len(names) > MOST_IN_TITLE:
        return f"{len(names)} rules"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _apart(labels: Sequence[str]) -> list[str]:
    """Number labels that are alike."""
    if len(labels) == 1:
        return list(labels)
    return [
        label if labels.count(label) == 1 else f"{label} {list(labels[: i + 1]).count(label)}".strip()
        for i, label in enumerate(labels)
    ]


def _given(ran: Ran) -> str:
    return escaped(ran.on) or ("a landscape of your own" if ran.closed else "gradients of your own")


def _knobs(traces: Sequence[xr.Dataset]) -> tuple[list[str], list[list[str]]]:
    """Say which knobs all traces have alike and unlike a default, and of each trace those that it has unlike others.

    Of one rule in several traces a knob that differs is told everywhere, of several rules where it is no default.
    """
    ruled = [rule_in(ds) for ds in traces]
    alike = len({rule.source.text for rule in ruled if rule}) == 1
    shared: list[str] = []
    unlike: list[list[str]] = [[] for _ in traces]
    for knob in dict.fromkeys(name for rule in ruled if rule for name in rule.knobs):
        values = [
            _value(ds, knob) if rule and knob in rule.knobs else None for ds, rule in zip(traces, ruled, strict=True)
        ]
        defaults = [rule.knobs.get(knob) if rule else None for rule in ruled]
        written = [_written(knob, value) for value in values]
        odd = [value is not None and value != default for value, default in zip(values, defaults, strict=True)]
        if len({value for value in values if value is not None}) == 1:
            shared += [next(filter(None, written))] if any(odd) else []
            continue
        for i, text in enumerate(written):
            unlike[i] += [text] if text and (alike or odd[i]) else []
    return shared, unlike


def _value(ds: xr.Dataset, knob: str) -> float | str | None:
    """Give the one value of a knob, or how it is given; None for a sweep."""
    if knob not in ds.coords:
        return knobs_of(ds).get(knob)
    if "step" in ds[knob].dims:
        return SCHEDULE
    return float(np.ravel(ds[knob])[0]) if ds[knob].size == 1 else None


def _written(knob: str, value: float | str | None) -> str:
    """Write a knob in full."""
    name = plain_or_math(knob)
    return "" if value is None else f"{name} {value}" if isinstance(value, str) else f"{name} = {whole(value)}"


def paper_of(traces: Sequence[xr.Dataset]) -> str:
    """Give the publication that the rule follows; nothing of several rules, which would be a list of references."""
    papers = {what_ran(ds).paper for ds in traces}
    return escaped(papers.pop()) if len(papers) == 1 else ""


def count_of(number: int, noun: str) -> str:
    """Count something: `1 value`, `2,000 values`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
