"""The command `read`: the pseudo code of what an implementation does. It must not know how anything is read.

Exit codes: 0 read and reproduced, 1 read in part (nothing is written), 2 could not be run.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhat.terminal.check import (
    FeedOption,
    InProcessOption,
    KnobOption,
    MemoryOption,
    ReadOption,
    SubjectArgument,
    TimeoutOption,
    TypeOption,
)

if TYPE_CHECKING:
    from mhat.reading.reading import Reading

# Columns up to which the places stand one below the other.
WIDE = 72
IN_PART = 1


class Form(StrEnum):
    """How a rule is written."""

    PYTHON = "python"
    LATEX = "latex"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(read)


def read(
    subject: SubjectArgument = None,
    knob: KnobOption = None,
    form: Annotated[Form, typer.Option("--as", help="How the rule is written.")] = Form.PYTHON,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="A file for the rule: .py.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", metavar="", help="Overwrite a file that exists.")] = False,
    feed: FeedOption = None,
    read: ReadOption = None,
    dtype: TypeOption = None,
    timeout: TimeoutOption = None,
    memory: MemoryOption = None,
    in_process: InProcessOption = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="The same as --as json.")] = False,
) -> None:
    """Read the pseudo code of what an implementation does, as a rule, with the place of each line.

    Exit code 0: read, and it does the same; 1: read in part, and nothing is written; 2: it could not be run.
    """
    from mhat import verbs
    from mhat.outputs import check_output
    from mhat.terminal import options, pages

    if output is not None:
        check_output(output, (".py",), force=force)
    reading = verbs.read(
        subject, dtype=dtype, feed=feed, read=read, timeout=timeout, memory=memory, in_process=in_process,
        knobs=options.knobs_of(knob or []),
    )  # fmt: skip
    if as_json or form is Form.JSON:
        pages.say(_json(reading))
    else:
        pages.say(_page(reading, form))
    if not reading.complete:
        raise typer.Exit(IN_PART)
    if output is not None:
        _write(reading, output, force=force)
        if not as_json and form is not Form.JSON:
            pages.say(f"\nWritten to {output}.")


def _page(reading: Reading, form: Form) -> str:
    from mhat.printers.latex import rule_latex

    parts = []
    if reading.rule is not None and form is Form.LATEX:
        parts.append(rule_latex(reading.rule))
    elif reading.rule is not None:
        parts.append(_placed(reading))
    if reading.complete:
        distance = max((each.distance for each in reading.agreement), default=0.0)
        steps = sum(each.steps for each in reading.agreement)
        if reading.agreement:
            parts.append(f"It does the same on {steps} fresh steps, to {distance:.1g} of how far x goes.")
    else:
        parts.append("It could be read in part only:" if reading.rule is not None else "It could not be read:")
    parts += [f"  {note}" for note in reading.notes]
    return "\n".join(parts)


def _placed(reading: Reading) -> str:
    """Set the rule with the line of the user's file beside each line."""
    text = str(reading).splitlines()
    body = len(text) - len(reading.lines)
    # A long line does not push the places of all the others away.
    width = max((len(line) for line in text[body:] if len(line) <= WIDE), default=0) + 2
    lines = text[:body]
    for line, said in zip(text[body:], reading.lines, strict=True):
        where = "; ".join(f"{Path(file).name}:{number}" for file, number in said.places)
        lines.append(f"{line:{width}}{'' if len(line) < width else '  '}# {where}" if where else line)
    return "\n".join(lines)


def _json(reading: Reading) -> str:
    from mhat.terminal import facts

    return facts.as_json({
        "subject": reading.subject,
        "rule": str(reading) or None,
        "complete": reading.complete,
        "lines": [{"text": each.text, "places": [list(place) for place in each.places]} for each in reading.lines],
        "notes": list(reading.notes),
        "agreement": [vars(each) for each in reading.agreement],
    })  # fmt: skip


def _write(reading: Reading, path: Path, *, force: bool) -> None:
    """Write one importable file with exactly one rule."""
    from mhat.outputs import beside
    from mhat.printers.python import module_text

    assert reading.rule is not None
    with beside(path, force=force) as partial:
        partial.write_text(module_text(reading.rule, f"Read from {reading.subject} by mhat."), encoding="utf-8")
