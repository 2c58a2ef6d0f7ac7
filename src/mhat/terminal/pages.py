"""What the commands print for people: tables and pages that fit the terminal.

It knows plain facts and data sets; no rule, no engine, and nothing of how a number came about.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from mhat.notation.decimals import apart, brief, exact

if TYPE_CHECKING:
    import xarray as xr

    from mhat.traces.schema import Ran

READABLE = 96
ENDLESS = 100_000
NARROW = 12
MOST_ROWS = 4


def console(*, errors: bool = False) -> Console:
    """Make a console as wide as the terminal or COLUMNS say; in a pipe, as wide as a line asks for."""
    stream = sys.stderr if errors else sys.stdout
    piped = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(stderr=errors, highlight=False, width=ENDLESS if piped else None)


def show(*parts: RenderableType) -> None:
    """Print parts to standard output, without blanks at the ends of lines; plain text is never broken."""
    target = console()
    with target.capture() as captured:
        for part in parts:
            target.print(part, soft_wrap=isinstance(part, str), markup=False)
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().split("\n")))
    sys.stdout.flush()


def say(line: str) -> None:
    """Print a line as it is."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def width() -> int:
    """How many columns a line may have."""
    return console().width


def prose(text: str, *, indent: int = 0, style: str = "") -> RenderableType:
    """Set running text: its paragraphs filled anew, what is in backticks marked."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    room = min(width(), READABLE) - indent
    made = [marked(paragraph, style).wrap(console(), max(room, 10)) for paragraph in paragraphs]
    lines = itertools.chain.from_iterable([*part, Text("")] for part in made)
    return Padding(Text("\n").join([*lines][:-1]), (0, 0, 0, indent), expand=False)


def marked(text: str, style: str = "") -> Text:
    """Mark what is in backticks; the backticks go where the terminal shows the mark."""
    target = console()
    colours = target.color_system is not None and not target.no_color
    made = Text(style=style)
    for place, part in enumerate(text.split("`")):
        made.append(part if place % 2 == 0 or colours else f"`{part}`", style="cyan" if place % 2 else "")
    return made


def code(text: str, indent: int = 2) -> RenderableType:
    """Set pseudo code."""
    return Padding(coloured(text), (0, 0, 0, indent), expand=False)


def coloured(text: str) -> Text:
    """Colour pseudo code, where the terminal can."""
    made = Syntax("", "python", theme="ansi_dark", background_color="default").highlight(text)
    made.rstrip()
    made.no_wrap, made.overflow = False, "fold"
    return made


def heading(text: str) -> Text:
    """Set a heading."""
    return Text(text, style="bold")


def grid(rows: Sequence[Sequence[str | Text]], header: Sequence[str] = (), *, indent: int = 0) -> RenderableType:
    """Set rows in columns, a line a row; the last column gives way where the terminal is too narrow."""
    cells = [*rows, *([header] if header else [])]
    widths = [max(len(_plain(row[place])) for row in cells) for place in range(len(rows[0]))]
    room = width() - indent - 2 * (len(widths) - 1)
    widths[-1] = max(min(widths[-1], room - sum(widths[:-1])), min(widths[-1], NARROW))
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=bool(header), header_style="dim", pad_edge=False)
    for place, columns in enumerate(widths):
        table.add_column(header[place] if header else "", no_wrap=True, overflow="ellipsis", width=columns)
    for row in rows:
        table.add_row(*row)
    return Padding(table, (0, 0, 0, indent), expand=False)


def commented(
    header: Sequence[str], rows: Sequence[tuple[Sequence[str], str]], widths: Sequence[int], *, indent: int = 0
) -> RenderableType:
    """Set rows of numbers behind a name, in columns of the given widths, with a sentence under each row.

    Where the terminal is too narrow the last numbers are kept.
    """
    first = 1
    while first < len(widths) - 1 and indent + widths[0] + sum(3 + each for each in widths[first:]) > width():
        first += 1

    def line(row: Sequence[str], style: str, rest: str) -> Text:
        numbers = (f"   {each:>{columns}}" for each, columns in zip(row[first:], widths[first:], strict=True))
        return Text.assemble(" " * indent, (row[0].ljust(widths[0]), style), ("".join(numbers), rest))

    parts: list[RenderableType] = [line(header, "cyan", "dim")]
    for row, sentence in rows:
        parts += [line(row, "bold", ""), prose(sentence, indent=indent + 2, style="dim")]
    return Group(*parts)


def nearest(path: Path) -> str:
    """Name a file as briefly as it can be typed here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _plain(cell: str | Text) -> str:
    return cell.plain if isinstance(cell, Text) else cell


def rule_list(facts: Sequence[dict[str, Any]]) -> RenderableType:
    """List rules, a line a rule."""
    rows = [[Text(f["name"], style="bold"), f["level"], Text(f["paper"])] for f in facts]
    end = f"\n{len(rows)} rules. `mhat rules adam` shows one: its pseudo code, knobs, state and paper."
    return Group(grid(rows, ("rule", "level", "paper")), Text(""), prose(end))


def rule_page(fact: dict[str, Any], typed: str) -> RenderableType:
    """Show a rule: what it does, pseudo code, knobs, state, paper."""
    parts: list[RenderableType] = [Text.assemble((fact["name"], "bold"), f", {fact['level']}")]
    parts += [prose(fact["doc"])] if fact["doc"] else []
    parts += [Text(""), code(fact["code"]), Text("")]
    if fact["knobs"]:
        rows = [[Text(k["name"], style="bold"), short(k["default"]), k["range"], k["meaning"]] for k in fact["knobs"]]
        parts += [_wrapped(rows, ("knob", "default", "range", "meaning")), Text("")]
    if fact["states"]:
        rows = [[Text(s["name"], style="bold"), s["start"]] for s in fact["states"]]
        parts += [_wrapped(rows, ("state", "before step 1")), Text("")]
    last: list[list[str | Text]] = [[Text("paper", style="dim"), fact["paper"]]] if fact["paper"] else []
    last.append([Text("try", style="dim"), f"mhat trace {typed} --stream constant:10 --steps 100"])
    return Group(*parts, _wrapped(last))


def _wrapped(rows: Sequence[Sequence[str | Text]], header: Sequence[str] = ()) -> RenderableType:
    """Set rows in columns of which the last is filled over several lines."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=bool(header), header_style="dim", pad_edge=False)
    for place in range(len(rows[0])):
        last = place == len(rows[0]) - 1
        table.add_column(header[place] if header else "", no_wrap=not last, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return Padding(table, (0, 0, 0, 2), expand=False)


def member_list(facts: Sequence[dict[str, str]], kind: str, example: str) -> RenderableType:
    """List streams or landscapes, a line each."""
    rows = [[Text(f["name"], style="bold"), marked(f["summary"])] for f in facts]
    end = f"{len(rows)} {kind}s. `mhat {kind}s {example}` shows one, `mhat trace adam --{kind} {example}` runs on it."
    return Group(grid(rows, (kind, "what it is")), Text(""), prose(end))


def stream_page(fact: dict[str, Any]) -> RenderableType:
    """Show a stream: what it teaches, arguments, first gradients."""
    first = [each if isinstance(each, list) else [each] for each in fact["first"]]
    flat = [number(value) if not isinstance(value, list) else "..." for row in first for value in row]
    steps = fact["shape"][0]
    shape = ", ".join(f"{dim}={size}" for dim, size in zip(fact["dims"], fact["shape"], strict=True))
    rest = " ..." if steps > len(first) else ""
    rows: list[list[str | Text]] = [
        *_arguments(fact),
        [Text("shape", style="dim"), shape],
        [Text("starts", style="dim"), " ".join(flat) + rest],
        [Text("try", style="dim"), f"mhat trace adam --stream {fact['recipe']}"],
    ]
    return Group(*_member_head(fact), _wrapped(rows))


def landscape_page(fact: dict[str, Any]) -> RenderableType:
    """Show a landscape: lesson, arguments, start, minimum, window."""
    minimum = " and ".join(point(each) for each in fact["minimum"])
    window = " x ".join(f"[{short(low)}, {short(high)}]" for low, high in fact["window"])
    lowest = f"{short(fact['minimum_value'])} at {minimum}" if minimum else short(fact["minimum_value"])
    rows: list[list[str | Text]] = [
        *_arguments(fact),
        [Text("start", style="dim"), point(fact["start"])],
        [Text("minimum", style="dim"), lowest],
        [Text("window", style="dim"), window],
        [Text("try", style="dim"), f"mhat trace adam --landscape {fact['recipe']} --steps 1000 --plot path.png"],
    ]
    return Group(*_member_head(fact), prose(fact["lesson"]), Text(""), _wrapped(rows))


def _member_head(fact: dict[str, Any]) -> list[RenderableType]:
    head: list[RenderableType] = [Text.assemble((fact["name"], "bold"), ": ", marked(fact["summary"]))]
    return [*head, *([Text(""), prose(fact["doc"])] if fact["doc"] else []), Text("")]


def _arguments(fact: dict[str, Any]) -> list[list[str | Text]]:
    if not fact["arguments"]:
        return []
    written = (f"{a['name']}={_default(a['default'])}" for a in fact["arguments"])
    return [[Text("arguments", style="dim"), ", ".join(written)]]


def _default(value: Any) -> str:
    return {None: "none", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else short(value)


def point(coordinates: Sequence[float]) -> str:
    """Write a point: (1, -0.5)."""
    return "(" + ", ".join(apart(coordinates)) + ")"


def short(value: Any) -> str:
    """Write a number as people type it: 1e-3, 0.9, 10."""
    if isinstance(value, list):
        return ",".join(map(short, value)) or "..."
    return exact(value)


def number(value: Any) -> str:
    """Write a number in a table of numbers, to five digits."""
    return value if isinstance(value, str) else brief(value, 5)


def telling_steps(last: int) -> list[int]:
    """Choose steps that tell the course: 1, 2, 5, 10, 20, 50 ... and the last."""
    series = (digit * 10**power for power in range(len(str(last))) for digit in (1, 2, 5))
    return [*(step for step in series if step < last), last]


def trace_table(ds: xr.Dataset, names: Sequence[str]) -> RenderableType:
    """Show variables at telling steps: a row a variable and coordinate, as many steps as the terminal is wide."""
    steps = telling_steps(int(ds.sizes["step"]))
    rows = [row for name in names for row in _rows(ds[name].sel(step=steps), name)]
    labels, wheres = [row[0] for row in rows], [row[1] for row in rows]
    used = 2 + max(map(len, [*labels, "step"])) + (2 + max(map(len, wheres)) if any(wheres) else 0)
    chosen = _fitting(steps, [row[2] for row in rows], width() - used)
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


def trace_summary(
    ds: xr.Dataset, ran: Ran, given: Mapping[str, float], defaults: Mapping[str, float]
) -> RenderableType:
    """Say in a line what was run: the rule, on what, how long, the knobs that differ from the default."""
    knobs = [f"{name}={exact(given[name])}" for name in defaults if given.get(name, defaults[name]) != defaults[name]]
    knobs += [f"{name}={_several(ds[name])}" for name in defaults if name not in given]
    parts = [f"{ran.rule} on {ran.on or 'gradients'}", f"{ran.steps:,} {_plural(ran.steps, 'step')}"]
    parts += [f"dtype {ran.dtype}"] if ran.dtype != "float64" else []
    return prose(", ".join([*parts, *(knobs or ["all knobs at their defaults"])]))


def _several(array: xr.DataArray) -> str:
    return ",".join(apart(array.values.ravel().tolist()))


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def landscape_end(
    x: Sequence[float], height: float, lowest: float, minima: Sequence[Sequence[float]]
) -> RenderableType:
    """Say where a run on a landscape ended, and where the lowest points are."""
    at = " and ".join(point(each) for each in minima)
    known = f"; the lowest is {number(lowest)}" + (f" at {at}" if at else "")
    return prose(f"It ends at ({', '.join(map(number, x))}), at the height {number(height)}{known}.")


def odd_numbers(fact: dict[str, Any]) -> RenderableType:
    """Say how many numbers of a variable are not finite, and which is the first."""
    what = {"g": "gradient", "x": "value of x"}.get(fact["variable"], f"value of {fact['variable']}")
    what = what.replace("value", _plural(fact["of"], "value")) if what != "gradient" else _plural(fact["of"], what)
    place = "".join(f", {dim}={short(value)}" for dim, value in fact["place"].items())
    verb = "is" if fact["count"] == 1 else "are"
    first = f"{fact['value']} at step {fact['first_step']}{place}"
    kept = " It is kept: what it reaches is nan or inf." if fact["variable"] == "g" and fact["count"] == 1 else ""
    kept = kept or (" They are kept: what they reach is nan or inf." if fact["variable"] == "g" else "")
    which = "" if fact["count"] == 1 else "the first is "
    return prose(f"{fact['count']:,} of {fact['of']:,} {what} {verb} not finite: {which}{first}.{kept}", style="yellow")


def _rows(array: xr.DataArray, name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Give a variable's rows: label, place, and a cell a step; the first few where there are many."""
    dims = [dim for dim in array.dims if dim != "step"]
    values = array.transpose("step", *dims)
    places = itertools.product(*(range(array.sizes[dim]) for dim in dims))
    for count, place in enumerate(itertools.islice(places, MOST_ROWS)):
        at = dict(zip(dims, place, strict=True))
        where = " ".join(
            f"{dim}={short(array[dim].values[i].item()) if dim in array.coords else i}" for dim, i in at.items()
        )
        yield ("" if count else name), where, [number(float(value)) for value in values.isel(at).values]
    more = array.size // array.sizes["step"] - MOST_ROWS
    if more > 0:
        yield "", f"... {more:,} more", []


def _fitting(steps: Sequence[int], cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """Choose the places of the steps to show: the last, the first, powers of ten, and others while there is room."""
    last = len(steps) - 1
    by_weight = sorted(range(last), key=lambda p: (p != 0, str(steps[p]).strip("0") != "1", p))
    chosen = [last]
    for place in by_weight:
        widths = [max([len(str(steps[p])), *(len(row[p]) for row in cells if row)]) + 2 for p in (*chosen, place)]
        if sum(widths) - 2 <= room:
            chosen.append(place)
    return sorted(chosen)


def _alarming(cell: str) -> Text:
    return Text(cell, style="bold red" if cell in ("nan", "inf", "-inf") else "")
