"""What `mhat trace` prints of a trace: its variables at telling steps, where it ended, what is odd about it.

It knows data sets; no rule and no engine.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mhat.notation.decimals import apart, near
from mhat.terminal import pages

if TYPE_CHECKING:
    import xarray as xr

    from mhat.traces.schema import Ran

MOST_ROWS = 4
# A change of a variable is an event where it is so many times its usual change, and of a size that can be seen.
EVENT, SEEN, MOST_EVENTS = 20.0, 1e-3, 3


def telling_steps(last: int) -> list[int]:
    """Choose steps that tell the course: 1, 2, 5, 10, 20, 50 ... and the last."""
    series = (digit * 10**power for power in range(len(str(last))) for digit in (1, 2, 5))
    return [*(step for step in series if step < last), last]


def event_steps(ds: xr.Dataset, names: Sequence[str]) -> list[int]:
    """Find the steps at which most happens: where a variable changes far more than it usually does."""
    events: dict[int, float] = {}
    for name in names:
        change = abs(ds[name].transpose("step", ...).diff("step"))
        if change.chunks is not None or change.sizes["step"] < MOST_ROWS:
            continue
        by_step = change.max([dim for dim in change.dims if dim != "step"])
        largest, usual, size = float(by_step.max()), float(by_step.median()), float(abs(ds[name]).max())
        if SEEN * size < largest < float("inf") and largest > EVENT * usual:
            step = int(by_step["step"][int(by_step.argmax("step"))])
            events[step] = max(events.get(step, 0.0), largest / usual if usual else float("inf"))
    return sorted(sorted(events, key=lambda step: -events[step])[:MOST_EVENTS])


def trace_table(ds: xr.Dataset, names: Sequence[str]) -> RenderableType:
    """Show variables at telling steps: a row a variable and coordinate, as many steps as the terminal is wide."""
    events = event_steps(ds, names)
    steps = sorted({*telling_steps(int(ds.sizes["step"])), *events})
    rows = [row for name in names for row in _rows(ds[name].sel(step=steps), name)]
    labels, wheres = [row[0] for row in rows], [row[1] for row in rows]
    used = 2 + max(map(len, [*labels, "step"])) + (2 + max(map(len, wheres)) if any(wheres) else 0)
    chosen = _fitting(steps, [row[2] for row in rows], pages.width() - used, events)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("step", no_wrap=True, style="bold")
    if any(wheres):
        table.add_column("", no_wrap=True, style="dim")
    for place in chosen:
        table.add_column(str(steps[place]), justify="right", no_wrap=True)
    for label, where, cells in rows:
        values = [_alarming(cells[place]) if cells else Text("") for place in chosen]
        table.add_row(label, *([where] if any(wheres) else []), *values)
    return table


def trace_summary(ds: xr.Dataset, ran: Ran, settings: Sequence[str]) -> RenderableType:
    """Say in a line what was run: the rules, on what, how long, the knobs that differ from the default."""
    parts = [f"{ran.rule} on {ran.on or 'gradients'}", f"{ran.steps:,} {_plural(ran.steps, 'step')}"]
    parts += [f"dtype {ran.dtype}"] if ran.dtype != "float64" else []
    return pages.prose(", ".join([*parts, *(settings or ["all knobs at their defaults"])]))


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def final_table(frame: Any, what: str) -> RenderableType:
    """Show what a sweep of two knobs ends with: a row a value of the one, a column a value of the other."""
    rows: list[list[str | Text]] = [
        [Text(name, style="bold"), *(pages.number(float(value)) for value in frame.loc[label])]
        for label, name in zip(frame.index, apart(frame.index), strict=True)
    ]
    columns = [f"{frame.columns.name}={name}" for name in apart(frame.columns)]
    return Group(Text(what, style="bold"), pages.grid(rows, (str(frame.index.name), *columns)))


def landscape_end(
    name: str, x: Sequence[float], height: float, lowest: float, minima: Sequence[Sequence[float]]
) -> RenderableType:
    """Say where a run on a landscape ended, and where the lowest points are."""
    at = " and ".join(pages.point(each) for each in minima)
    known = f"; the lowest is {pages.number(lowest)}" + (f" at {at}" if at else "")
    end = ", ".join(near(float(each), 5) for each in x)
    return pages.prose(f"{name or 'It'} ends at ({end}), at the height {pages.number(height)}{known}.")


def odd_numbers(fact: dict[str, Any]) -> RenderableType:
    """Say how many numbers of a variable are not finite, and which is the first."""
    what = {"g": "gradient", "x": "value of x"}.get(fact["variable"], f"value of {fact['variable']}")
    what = what.replace("value", _plural(fact["of"], "value")) if what != "gradient" else _plural(fact["of"], what)
    place = "".join(f", {dim}={pages.short(value)}" for dim, value in fact["place"].items())
    verb = "is" if fact["count"] == 1 else "are"
    first = f"{fact['value']} at step {fact['first_step']}{place}"
    kept = " It is kept: what it reaches is nan or inf." if fact["variable"] == "g" and fact["count"] == 1 else ""
    kept = kept or (" They are kept: what they reach is nan or inf." if fact["variable"] == "g" else "")
    which = "" if fact["count"] == 1 else "the first is "
    return pages.prose(
        f"{fact['count']:,} of {fact['of']:,} {what} {verb} not finite: {which}{first}.{kept}", style="yellow"
    )


def _rows(array: xr.DataArray, name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Give a variable's rows: label, place, and a cell a step; the first few where there are many."""
    dims = [dim for dim in array.dims if dim != "step"]
    values = array.transpose("step", *dims)
    places = itertools.product(*(range(array.sizes[dim]) for dim in dims))
    for count, place in enumerate(itertools.islice(places, MOST_ROWS)):
        at = dict(zip(dims, place, strict=True))
        where = " ".join(
            f"{dim}={pages.short(array[dim].values[i].item()) if dim in array.coords else i}" for dim, i in at.items()
        )
        course = values.isel(at).values
        # What a rule does not have.
        if "rule" in at and np.isnan(course).all():
            continue
        yield ("" if count else name), where, [pages.number(float(value)) for value in course]
    more = array.size // array.sizes["step"] - MOST_ROWS
    if more > 0:
        yield "", f"... {more:,} more", []


def _fitting(steps: Sequence[int], cells: Sequence[Sequence[str]], room: int, events: Sequence[int] = ()) -> list[int]:
    """Choose the places of the steps to show: the last, first, events, powers of ten, others while there is room."""
    last = len(steps) - 1
    by_weight = sorted(range(last), key=lambda p: (p != 0, steps[p] not in events, str(steps[p]).strip("0") != "1", p))
    chosen = [last]
    for place in by_weight:
        widths = [max([len(str(steps[p])), *(len(row[p]) for row in cells if row)]) + 2 for p in (*chosen, place)]
        if sum(widths) - 2 <= room:
            chosen.append(place)
    return sorted(chosen)


def _alarming(cell: str) -> Text:
    return Text(cell, style="bold red" if cell in ("nan", "inf", "-inf") else "")
