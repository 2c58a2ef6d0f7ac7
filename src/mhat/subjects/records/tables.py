"""Records as tables: a row a number, or a row a step. They know lines, and what a column is for by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mhat.errors import InputFileError, UnknownName
from mhat.inputs.tables import Table, read_table
from mhat.notation import cut
from mhat.subjects.records.columns import (
    BOOKKEEPING,
    COORDINATES,
    GRADIENTS,
    PARAMETERS,
    STEPS,
    TENSORS,
    column_of,
    knobs_among,
    paired,
)
from mhat.subjects.records.digits import half_units, is_single
from mhat.subjects.records.gathering import Numbers, gathered
from mhat.subjects.records.record import Record
from mhat.subjects.subject import Array

CURE = "Write the columns step, tensor, i, g and x, a row for each number."
MAPPED = "Say which they are: --columns g=COLUMN,x=COLUMN."


def from_table(file: Path, observe: str, columns: Mapping[str, str]) -> Record:
    """Read a table; raises InputFileError, UnknownName."""
    table = read_table(file)
    if not table.has_header:
        raise InputFileError(f"{file} has no header", CURE)
    names = _named(table, columns)
    if "g" in names:
        return _of_numbers(table, names, observe)
    pairs = paired(table.names)
    if not pairs:
        raise _unfound(table, names)
    return _of_steps(table, names, pairs)


def _named(table: Table, columns: Mapping[str, str]) -> dict[str, str]:
    """Find the columns by what they are for: those that were told, and the usual names."""
    told = {what: _there(table, column) for what, column in columns.items()}
    rest = [name for name in table.names if name not in told.values()]
    found = {
        what: column_of(rest, usual)
        for what, usual in (("step", STEPS), ("tensor", TENSORS), ("i", COORDINATES), ("g", GRADIENTS))
    }
    return {what: name for what, name in found.items() if name is not None} | told


def _there(table: Table, column: str) -> str:
    return table.names[table.place(column)]


def _unfound(table: Table, names: Mapping[str, str]) -> InputFileError:
    own = [name for name in table.names if name not in names.values()]
    telling = [name for name in own if not BOOKKEEPING.search(name.lower())]
    if len(telling) < 2:
        what = f"only {_listed(telling)}" if telling else "neither"
        return InputFileError(f"{table.file}: a record needs gradients and parameters, and there is {what}", CURE)
    return InputFileError(
        f"{table.file} has no column `g`, and of {_listed(telling)} it cannot be told which is the gradient", MAPPED
    )


def _listed(names: Sequence[str]) -> str:
    shown = [f"`{cut(name)}`" for name in names[:8]]
    return ", ".join([*shown, *(["..."] if len(names) > 8 else [])]) or "its columns"


def _of_numbers(table: Table, names: Mapping[str, str], observe: str) -> Record:
    """Read a table with a row a number; without a column for the steps there is one number, and a row is a step."""
    places = {what: table.place(name) for what, name in names.items()}
    seen = table.place(names["x"] if "x" in names else _observed(table, names, observe))
    observed_as = observe if "x" in names else table.names[seen]
    observed_as = "x" if observed_as.lower() in PARAMETERS else observed_as
    steps = _counts(table, places["step"]) if "step" in places else np.arange(1.0, len(table.places) + 1)
    g, x = table.numbers(places["g"], gaps=True), table.numbers(seen, gaps=True)
    _check_told(table, (places["g"], seen))
    steps, notes, first = _from_one(table, steps, g)
    coordinates = _counts(table, places["i"]) if "i" in places else np.zeros(len(g))
    tensors = [str(each) for each in table.columns[places["tensor"]]] if "tensor" in places else [""] * len(g)
    halves = [half_units(table.columns[place]) for place in (places["g"], seen)]
    dtype = "float32" if is_single(table.columns[seen], x) else None
    numbers = Numbers(table, steps, coordinates, g, x, *halves)
    record = gathered(numbers, tensors, observed_as, coordinates="i" in places)
    knobs, schedules = _knobs(table, names, steps, len(record.gradients[0]))
    return replace(record, knobs=knobs, schedules=schedules, dtype=dtype, notes=notes, first=first)


def _observed(table: Table, names: Mapping[str, str], observe: str) -> str:
    taken = {*names.values(), *knobs_among(table.names).values()}
    others = [name for name in table.names if name not in taken and not BOOKKEEPING.search(name.lower())]
    if observe in table.names:
        return observe
    usual = column_of(others, PARAMETERS) if observe == "x" else None
    return chosen(table.file, others, observe) if usual is None else usual


def chosen(file: Path, others: Iterable[str], observe: str) -> str:
    """Choose what was observed: what was asked for, or what there is only one of; raises UnknownName."""
    others = list(others)
    if observe in others:
        return observe
    if observe == "x" and len(others) == 1:
        return others[0]
    raise UnknownName(f"column of {file}", cut(observe), others)


def _check_told(table: Table, columns: tuple[int, int]) -> None:
    """Refuse a row in which there is neither a gradient nor anything else."""
    g, x = (table.missing(place) for place in columns)
    if (g & x).any():
        raise table.no_number(int((g & x).argmax()), columns[0])


def _from_one(table: Table, steps: Array, g: Array) -> tuple[Array, tuple[str, ...], int]:
    """Count the steps from 1: loggers begin at 0, and a log may begin in the middle; rows of step 0 say the start."""
    numbered = np.unique(steps[~np.isnan(g)])
    if not numbered.size:
        return steps, (), 1
    first, apart = int(numbered[0]), np.diff(numbered)
    if apart.size > 1 and (apart == apart[0]).all() and apart[0] > 1:
        raise InputFileError(
            f"{table.file} has every {int(apart[0])}th step only: the gradients between are not in it, "
            "and without them no step can be judged",
            "Log the gradient of every step, x as seldom as you like; or log every step of a few coordinates.",
        )
    if first == 1 or not numbered.size:
        return steps, (), 1
    shifted = np.where(np.isnan(g) & (steps < first), 0.0, steps - first + 1)
    counted = ("steps are counted from 0",) if first == 0 else ()
    return shifted, counted, max(first, 1)


def _knobs(
    table: Table, names: Mapping[str, str], steps: Array, count: int
) -> tuple[dict[str, float], dict[str, Array]]:
    """Read the columns that are knobs: one number, or one a step."""
    own = [name for name in table.names if name not in names.values()]
    knobs: dict[str, float] = {}
    schedules: dict[str, Array] = {}
    for knob, column in knobs_among(own).items():
        values = table.numbers(table.place(column), gaps=True)
        course = np.full(count, np.nan)
        inside = (steps >= 1) & (steps <= count) & ~np.isnan(values)
        course[steps[inside].astype(int) - 1] = values[inside]
        if not inside.any():
            continue
        course = _filled(course)
        if (course == course[0]).all():
            knobs[knob] = float(course[0])
        else:
            schedules[knob] = course
    return knobs, schedules


def _filled(course: Array) -> Array:
    """Let a knob stand until the next time it is written."""
    known = np.flatnonzero(~np.isnan(course))
    return np.asarray(course[known[np.maximum(np.searchsorted(known, np.arange(len(course)), side="right") - 1, 0)]])


def _of_steps(table: Table, names: Mapping[str, str], pairs: Mapping[str, tuple[str, str]]) -> Record:
    """Read a table with a row a step, as loggers write it."""
    steps = table.numbers(table.place(names["step"])) if "step" in names else np.arange(1.0, len(table.places) + 1)
    gradients, observed, g_halves, x_halves = [], [], [], []
    single = []
    for g_name, x_name in pairs.values():
        g_place, x_place = table.place(g_name), table.place(x_name)
        gradients.append(table.numbers(g_place, gaps=True))
        observed.append(table.numbers(x_place, gaps=True))
        g_halves.append(half_units(table.columns[g_place]))
        x_halves.append(half_units(table.columns[x_place]))
        single.append(is_single(table.columns[x_place], observed[-1]))
    steps, counted, first = _from_one(table, steps, gradients[0])
    said = ", ".join(f"`{g}` is the gradient of `{x}`" for g, x in list(pairs.values())[:3])
    more = f" and {len(pairs) - 3} more" if len(pairs) > 3 else ""
    rest = {**names, **{f"g{n}": g for n, (g, _) in enumerate(pairs.values())}}
    rest |= {f"x{n}": x for n, (_, x) in enumerate(pairs.values())}
    record = Record(
        str(table.file), gradients, observed, tensors=tuple(pairs), g_halves=g_halves, x_halves=x_halves,
        dtype="float32" if all(single) else None, notes=(f"read so: {said}{more}", *counted), first=first,
    )  # fmt: skip
    knobs, schedules = _knobs(table, rest, steps, len(gradients[0]))
    return replace(record, knobs=knobs, schedules=schedules)


def _counts(table: Table, place: int) -> Array:
    """Give a column of whole numbers from 0."""
    numbers = table.numbers(place)
    wrong = ~((numbers >= 0) & (numbers < np.inf) & (numbers == np.floor(numbers)))
    if wrong.any():
        row = int(wrong.argmax())
        cell = cut(str(table.columns[place][row]))
        raise InputFileError(
            f"{table.file}, {table.places[row]}, column {table.names[place].lower()}: `{cell}` is no count",
            "Count steps from 1, i from 0.",
        )
    return numbers
