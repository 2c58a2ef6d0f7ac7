"""What the commands print for people: tables and pages that fit the terminal.

It knows plain facts and data sets; no rule, no engine, and nothing of how a number came about.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from mhat.notation.decimals import apart, brief, exact

if TYPE_CHECKING:
    pass

READABLE = 96
# From so many columns on, the list of rules has all of its own.
ROOMY = 110
SOME = 2
MARKS = {"conforms": "", "dialect": "~", "deviates": "!", "could not run": "?"}
ENDLESS = 100_000
NARROW = 12


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


def rule_list(facts: Sequence[dict[str, Any]], family: str | None = None) -> RenderableType:
    """List rules, a line a rule: of all or of one family."""
    columns: dict[str, list[str | Text]] = {
        "rule": [Text(f["name"], style="bold") for f in facts],
        "family": [f["family"] for f in facts],
        "year": [str(f["year"] or "") for f in facts],
        "per": [f["level"].removeprefix("per ") for f in facts],
        "state": [f"{f['state_bytes']}{'+' if f['state_beside'] else ''}" for f in facts],
        "relatives": [_some(f["relatives"]) for f in facts],
        "conforms": [" ".join(each + MARKS[word] for each, word in f["conformance"].items()) for f in facts],
        "paper": [f["paper"] for f in facts],
    }
    # What a narrow terminal has no room for; of one family, nobody need be told which.
    fewer = {"family"} if family is not None else set()
    fewer |= {"relatives", "conforms"} if width() < ROOMY else set()
    fewer |= {*columns} - {"rule", "paper"} if width() < READABLE / 2 else set()
    head = [each for each in columns if each not in fewer]
    of = "" if family is None else f" of the family {family}"
    end = f"\n{len(facts)} rules{of}; state: float32 bytes a parameter (+: and matrices)."
    if "conforms" in head:
        end += " conforms: which frameworks have it (~: as a dialect, !: deviating); relatives: others with knobs set."
    rows = list(zip(*(columns[each] for each in head), strict=True))
    return Group(grid(rows, head), Text(""), prose(f"{end} `mhat rules adam` shows one."))


def _some(names: Sequence[str]) -> str:
    """Name the first of some things, and how many more there are."""
    return ", ".join(names[:SOME]) + (f" +{len(names) - SOME}" if len(names) > SOME else "")


def outside_list(facts: Sequence[dict[str, Any]]) -> RenderableType:
    """List the optimizers that no rule can be, by reasons."""
    parts = [part for f in facts for part in (prose(f"It {f['reason']}:"), prose(", ".join(f["names"]), indent=4))]
    count = sum(len(f["names"]) for f in facts)
    return Group(
        *parts, Text(""), prose(f"{count} optimizers that no rule can be; what rules can be: docs/language.md.")
    )


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
    beside = f", beside {', '.join(fact['state_beside'])}: as large as the sides say" if fact["state_beside"] else ""
    last.append([Text("state", style="dim"), f"{fact['state_bytes']} bytes a parameter in float32{beside}"])
    last.append([Text("shards", style="dim"), marked(fact["shard"])])
    if fact["conformance"]:
        said = ", ".join(f"{each} {word}" for each, word in fact["conformance"].items())
        last.append([Text("field", style="dim"), said])
    last += [[Text("kin" if not place else "", style="dim"), each] for place, each in enumerate(fact["kin"])]
    last.append([Text("try", style="dim"), f"mhat trace {typed} {_gradients_for(fact)} --steps 100"])
    return Group(*parts, _wrapped(last))


def _gradients_for(fact: dict[str, Any]) -> str:
    """Name gradients that a rule can be traced on."""
    if {"h", "loss"} & set(fact["inputs"]):
        return "--landscape rosenbrock"
    return "--stream normal:size=3x4" if fact["level"] == "per matrix" else "--stream constant:10"


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


def schedule_list(facts: Sequence[dict[str, str]]) -> RenderableType:
    """List schedules, a line each."""
    rows = [[Text(f["name"], style="bold"), marked(f["summary"])] for f in facts]
    end = (
        f"{len(rows)} schedules. `mhat schedules cosine:1e-3` shows one; it is a value of any knob: "
        "`mhat trace adam --stream constant:10 -k lr=cosine:1e-3,steps=100`."
    )
    return Group(grid(rows, ("schedule", "what it is")), Text(""), prose(end))


def schedule_page(fact: dict[str, Any]) -> RenderableType:
    """Show a schedule: what it is, arguments, formula, values at telling steps."""
    steps = fact["steps"]
    telling = [step for power in range(9) for digit in (1, 2, 5) if (step := digit * 10**power) < steps] + [steps]
    rows: list[list[str | Text]] = [
        *_arguments(fact),
        [Text("it", style="dim"), fact["sentence"]],
        [Text("formula", style="dim"), coloured(fact["formula"])],
        [Text("values", style="dim"), ", ".join(f"{number(fact['values'][step - 1])} at {step}" for step in telling)],
        [Text("try", style="dim"), f"mhat trace adam --stream constant:10 --steps {steps} -k lr={fact['recipe']}"],
    ]
    return Group(*_member_head(fact), _wrapped(rows))


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
