"""The commands that check: `check`, `identify`, `compare`. It must not know how anything is checked.

Exit codes: 0 conforms (a documented dialect too), 1 deviates, 2 could not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mhat.errors import BadValue, UnknownName

if TYPE_CHECKING:
    from mhat.checks.verdict import Verdict
    from mhat.language import Rule
    from mhat.subjects.subject import Subject

DEVIATES = 1
DTYPES = ("float64", "float32", "bfloat16", "float16")

KnobOption = Annotated[
    list[str] | None,
    typer.Option("--knob", "-k", metavar="NAME=VALUE", help="A knob that is held, or an option of its constructor."),
]
ObserveOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="What it returns: x, update, or a variable of the rule. [x]", show_default=False),
]
SecondsOption = Annotated[float, typer.Option(min=0.0, metavar="S", help="How long to search for the mistake.")]
TypeOption = Annotated[str | None, typer.Option(metavar="TYPE", help="The dtype to drive it in. [its own]")]
JsonOption = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON (docs/verdict.md), for a machine.")]
PlotOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Draw subject and rule side by side: .png, .pdf or .svg.")
]
ForceOption = Annotated[bool, typer.Option("--force", metavar="", help="Overwrite a figure that exists.")]
MaximizeOption = Annotated[bool, typer.Option("--maximize", metavar="", help="It climbs: give it negated gradients.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(check)
    app.command()(identify)
    app.command()(compare)


def check(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="SUBJECT", help="FILE.py:NAME, MODULE:NAME, torch.optim:Adam, a script.", show_default=False
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="RULE", help="The rule it claims to be. [by its name, else adam]")
    ] = None,
    knob: KnobOption = None,
    observe: ObserveOption = "x",
    feed: Annotated[str | None, typer.Option(metavar="NAME", help="In a script: what holds the gradients.")] = None,
    read: Annotated[str | None, typer.Option(metavar="NAME", help="In a script: what holds the result.")] = None,
    command: Annotated[str | None, typer.Option(metavar="CMD", help="A command that speaks JSON lines.")] = None,
    recorded: Annotated[Path | None, typer.Option(metavar="FILE", help="A run that was written down.")] = None,
    strict: Annotated[bool, typer.Option("--strict", metavar="", help="Hold the rule's defaults.")] = False,
    maximize: MaximizeOption = False,
    dtype: TypeOption = None,
    seconds: SecondsOption = 45.0,
    timeout: Annotated[float | None, typer.Option(metavar="S", help="How long one run may take.")] = None,
    plot: PlotOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check an implementation against a rule: does it conform, and if not, which line is wrong.

    Exit code 0: it conforms, if only in a documented dialect; 1: it deviates; 2: it could not be run.
    """
    from mhat.checks import conformance
    from mhat.checks import recorded as records_checked
    from mhat.names import find_rule, find_subject
    from mhat.subjects import records

    _check_type(dtype)
    _check_figure(plot, force=force)
    name = against or _guessed(subject or command or str(recorded or ""))
    rule = find_rule(name)
    held, options = _told(rule, knob or ())
    if recorded is not None:
        if subject is not None or command is not None:
            raise BadValue("a record and a subject are two questions", "Ask for one of them at a time.")
        record = records.record_of(recorded, observe)
        verdict = records_checked.check_record(record, rule, strict=strict, seconds=seconds, **held)
    else:
        found = find_subject(
            subject, against=rule, observe=observe, options=options, dtype=dtype, feed=feed, read=read,
            command=command, limit=timeout,
        )  # fmt: skip
        asked: dict[str, Any] = {"strict": strict, "maximize": maximize, "seconds": seconds, **held}
        verdict = conformance.check(found, rule, observe=observe, **asked)
    _answer(verdict, as_json, plot, force=force)


def identify(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="FILE.py:NAME, MODULE:NAME, torch.optim:Adam.")],
    knob: KnobOption = None,
    observe: ObserveOption = "x",
    maximize: MaximizeOption = False,
    dtype: TypeOption = None,
    seconds: SecondsOption = 90.0,
    plot: PlotOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find out which rule an implementation is, with which knobs, and what was changed.

    Exit code 0: it is a rule of the library; 1: it is none, or an edited one; 2: it could not be run.
    """
    from mhat.checks import conformance

    _check_figure(plot, force=force)
    found, held = _subject(subject, knob or (), observe, dtype)
    asked: dict[str, Any] = {"observe": observe, "maximize": maximize, "seconds": seconds, **held}
    _answer(conformance.identify(found, _library(), **asked), as_json, plot, force=force)


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A subject, as for check.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    knob: KnobOption = None,
    dtype: TypeOption = None,
    seconds: SecondsOption = 90.0,
    as_json: JsonOption = False,
) -> None:
    """Compare two implementations: where and why they part.

    Exit code 0: they do the same; 1: they part; 2: one could not be run.
    """
    from mhat.checks import conformance
    from mhat.checks.verdict import as_dict
    from mhat.terminal import facts, pages, verdict_pages

    (first, held), (second, too) = (_subject(each, knob or (), "x", dtype) for each in (a, b))
    asked: dict[str, Any] = {"seconds": seconds, **too, **held}
    found = conformance.compare(first, second, rules=_library(), **asked)
    if as_json:
        deviation = None if found.deviation is None else asdict(found.deviation)
        pages.say(
            facts.as_json({"same": found.same, "a": as_dict(found.a), "b": as_dict(found.b), "deviation": deviation})
        )
    else:
        pages.show(verdict_pages.comparison_page(found))
    raise typer.Exit(0 if found.same else DEVIATES)


def _answer(verdict: Verdict, as_json: bool, plot: Path | None, *, force: bool) -> None:
    from mhat.terminal import pages, verdict_pages

    if plot is not None and verdict.deviation is not None:
        from mhat import figures

        figures.save(figures.side_by_side(verdict), plot, force=force)
    if as_json:
        pages.say(verdict.to_json())
    else:
        pages.show(verdict_pages.page(verdict))
        if plot is not None:
            drawn = verdict.deviation is not None
            pages.say(f"Drew both to {plot}." if drawn else f"There is no deviation to draw: {plot} is not written.")
    raise typer.Exit(0 if verdict.conforms else DEVIATES)


def _check_figure(plot: Path | None, *, force: bool) -> None:
    """Refuse a figure that cannot be written, before anything is run."""
    if plot is not None:
        from mhat.figures.canvas import ENDINGS
        from mhat.outputs import check_output

        check_output(plot, ENDINGS, force=force)


def _check_type(dtype: str | None) -> None:
    if dtype is not None and dtype not in DTYPES:
        raise UnknownName("dtype", dtype, DTYPES)


def _guessed(name: str) -> str:
    """Guess the rule from a subject's name: the longest rule of the library that stands in it, else adam."""
    from mhat import rules

    plain = name.rpartition(":")[2].lower().replace("_", "")
    known = [rule for rule in rules.names() if rule.replace("_", "") in plain]
    return max(known, key=len, default="adam")


def _told(rule: Rule, typed: Sequence[str]) -> tuple[dict[str, float], dict[str, Any]]:
    """Sort what is typed behind -k into knobs of the rule and options of the constructor."""
    held: dict[str, float] = {}
    options: dict[str, Any] = {}
    for each in typed:
        name, sign, value = each.partition("=")
        if not sign or not name or not value:
            raise BadValue(f"`-k {each}` is no knob", "Write a name, = and a value: -k lr=0.01.")
        if name in held or name in options:
            raise BadValue(f"`{name}` is given twice", "Give it once: a check takes one value of it, and no list.")
        read = _value(value)
        if name in rule.knobs and isinstance(read, float):
            held[name] = read
        else:
            options[name] = int(read) if isinstance(read, float) and read.is_integer() else read
    return held, options


def _value(typed: str) -> Any:
    words = {"true": True, "false": False, "none": None}
    if typed.lower() in words:
        return words[typed.lower()]
    try:
        return float(typed)
    except ValueError:
        return typed


def _subject(named: str, typed: Sequence[str], observe: str, dtype: str | None) -> tuple[Subject, dict[str, float]]:
    from mhat.names import find_rule, find_subject

    _check_type(dtype)
    rule = find_rule(_guessed(named))
    held, options = _told(rule, typed)
    return find_subject(named, against=rule, observe=observe, options=options, dtype=dtype), held


def _library() -> list[Rule]:
    from mhat import rules

    return [rules.named(name) for name in rules.names()]
