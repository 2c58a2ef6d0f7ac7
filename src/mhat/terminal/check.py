"""The commands that check: `check`, `identify`, `compare`. It must not know how anything is checked.

Exit codes: 0 conforms (a documented dialect too), 1 deviates, 2 could not run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mhat.notation.specs import whole_of
from mhat.terminal.trace import DpiOption, SizeOption, StyleOption

if TYPE_CHECKING:
    from mhat.checks.verdict import Verdict
    from mhat.trials import Trials

DEVIATES = 1
# What schedulers are called.
SCHEDULERS = re.compile(r"schedul|warm_?up|anneal|(^|_)lr(_|$)|learning_rate|decay", re.IGNORECASE)

KnobOption = Annotated[
    list[str] | None,
    typer.Option("--knob", "-k", metavar="NAME=VALUE", help="A knob that is held, or an option of its constructor."),
]
ObserveOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="What it returns: x, update, or a variable of the rule. [x; a script: found out]"
    ),
]
FeedOption = Annotated[str | None, typer.Option(metavar="NAME", help="In a script: what holds the gradients.")]
ReadOption = Annotated[str | None, typer.Option(metavar="NAME", help="In a script: what holds the result.")]
CommandOption = Annotated[str | None, typer.Option(metavar="CMD", help="A command that speaks JSON lines.")]
RecordedOption = Annotated[Path | None, typer.Option(metavar="FILE", help="A run that was written down.")]
FeedsOption = Annotated[
    list[str] | None, typer.Option("--feed", metavar="NAME", help="In a script: what holds the gradients.")
]
ReadsOption = Annotated[
    list[str] | None, typer.Option("--read", metavar="NAME", help="In a script: what holds the result.")
]
CommandsOption = Annotated[
    list[str] | None, typer.Option("--command", metavar="CMD", help="A command that speaks JSON lines.")
]
RecordsOption = Annotated[
    list[Path] | None, typer.Option("--recorded", metavar="FILE", help="A run that was written down.")
]
TensorsOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="How many tensors a command drives at once.")
]
TimeoutOption = Annotated[float | None, typer.Option(metavar="S", help="How long one run may take.")]
MemoryOption = Annotated[
    float | None, typer.Option(min=0.0, metavar="GB", help="How much memory it may use. [half of what there is]")
]
InProcessOption = Annotated[
    bool, typer.Option("--in-process", metavar="", help="Run it in this process, for a debugger.")
]
ConventionOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="How it is called, where what is found out is not meant.")
]
ColumnsOption = Annotated[str | None, typer.Option(metavar="g=NAME,x=NAME", help="In a record: what stands where.")]
DialectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--dialect",
        metavar="NAME",
        help="A documented other form that conforms, too, and no other. [all that decay alike]",
    ),
]
NoDialectsOption = Annotated[
    bool, typer.Option("--no-dialects", metavar="", help="No other form conforms, documented or not.")
]
WrapperOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where it cannot be driven as it is: write a wrapper to be filled in, a .py."),
]
SecondsOption = Annotated[float, typer.Option(min=0.0, metavar="S", help="How long to search for the mistake.")]
TypeOption = Annotated[str | None, typer.Option(metavar="TYPE", help="The dtype to drive it in. [its own]")]
ExplainOption = Annotated[
    bool, typer.Option("--explain", metavar="", help="Say also why: from the mistake to its consequence.")
]
FixOption = Annotated[
    bool, typer.Option("--fix", metavar="", help="Where it deviates: the change of its file that makes it conform.")
]
WriteOption = Annotated[
    bool, typer.Option("--write", metavar="", help="Change the file so, and keep it as it was in NAME.py.orig.")
]
ScheduleOption = Annotated[
    bool, typer.Option("--schedule", metavar="", help="It is a scheduler: steps in, rates out (mhat schedules).")
]
LengthOption = Annotated[
    int | None,
    typer.Option("--steps", metavar="N", help="Of a scheduler: how many steps the training has.", parser=whole_of),
]
FirstOption = Annotated[
    int | None, typer.Option("--first", min=0, metavar="0|1", help="Of a scheduler: the number of the first step.")
]
JsonOption = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON (docs/verdict.md), for a machine.")]
PlotOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Draw subject and rule side by side: .png, .pdf or .svg.")
]
ForceOption = Annotated[bool, typer.Option("--force", metavar="", help="Overwrite a figure that exists.")]
MaximizeOption = Annotated[bool, typer.Option("--maximize", metavar="", help="It climbs: give it negated gradients.")]
TrainOption = Annotated[
    str | None,
    typer.Option(metavar="WHAT", help="Try rules out on: digits, a landscape, a stream, FILE.py:LOSS."),
]
SeedsOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="From how many seeds each trains. [5]")]
TriesOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="How many runs tune the knobs of each. [16]")]
StepsOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="How many steps it trains. [by problem]")]
StartOption = Annotated[str | None, typer.Option(metavar="X,Y", help="Where a landscape or a loss begins. [its own]")]
CurvesOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw how they train: .png, .pdf or .svg.")]
SubjectArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SUBJECT", help="FILE.py:NAME, MODULE:NAME, torch.optim:Adam, a script.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(check)
    app.command()(identify)
    app.command()(compare)


def check(
    subject: SubjectArgument = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="The rule (or schedule) it claims to be. [by its name, else identified]"),
    ] = None,
    knob: KnobOption = None,
    observe: ObserveOption = None,
    feed: FeedOption = None,
    read: ReadOption = None,
    command: CommandOption = None,
    recorded: RecordedOption = None,
    tensors: TensorsOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", metavar="", help="Hold the rule's defaults, and accept no dialect.")
    ] = False,
    dialect: DialectOption = None,
    no_dialects: NoDialectsOption = False,
    maximize: MaximizeOption = False,
    dtype: TypeOption = None,
    seconds: SecondsOption = 45.0,
    timeout: TimeoutOption = None,
    memory: MemoryOption = None,
    in_process: InProcessOption = False,
    explain: ExplainOption = False,
    fix: FixOption = False,
    write: WriteOption = False,
    convention: ConventionOption = None,
    columns: ColumnsOption = None,
    wrapper: WrapperOption = None,
    schedule: ScheduleOption = False,
    steps: LengthOption = None,
    first: FirstOption = None,
    plot: PlotOption = None,
    style: StyleOption = None,
    size: SizeOption = None,
    dpi: DpiOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check an implementation against a rule: does it conform, and if not, which line is wrong.

    Exit code 0: it conforms, if only in a documented dialect; 1: it deviates; 2: it could not be run.
    """
    from mhat import verbs
    from mhat.terminal import options, schedules

    _check_figure(plot, force=force)
    look = {"style": style, "size": options.size_of(size), "dpi": dpi}
    if schedules.is_meant(schedule, against, subject, steps, first):
        schedules.answer(
            subject or recorded, against, knob or [], plot, look, steps=steps, first=first, timeout=timeout,
            memory=memory, in_process=in_process, force=force, as_json=as_json,
        )  # fmt: skip
    verdict = _wrapped(
        wrapper, force, verbs.check, subject, against, observe=observe, strict=strict,
        dialects=_accepted(dialect, no_dialects), maximize=maximize, seconds=seconds, dtype=dtype,
        feed=feed, read=read, command=command, recorded=recorded, tensors=tensors, timeout=timeout, memory=memory,
        in_process=in_process, explain=explain, fix=fix, write=write, convention=convention,
        columns=options.columns_of(columns), knobs=options.knobs_of(knob or []),
    )  # fmt: skip
    _answer(verdict, as_json, plot, look, force=force)


def identify(
    subject: SubjectArgument = None,
    knob: KnobOption = None,
    observe: ObserveOption = None,
    feed: FeedOption = None,
    read: ReadOption = None,
    command: CommandOption = None,
    recorded: RecordedOption = None,
    tensors: TensorsOption = None,
    maximize: MaximizeOption = False,
    dtype: TypeOption = None,
    seconds: SecondsOption = 90.0,
    timeout: TimeoutOption = None,
    memory: MemoryOption = None,
    in_process: InProcessOption = False,
    explain: ExplainOption = False,
    convention: ConventionOption = None,
    columns: ColumnsOption = None,
    plot: PlotOption = None,
    style: StyleOption = None,
    size: SizeOption = None,
    dpi: DpiOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find out which rule an implementation is, with which knobs, and what was changed.

    Exit code 0: it is a rule of the library; 1: it is none, or an edited one; 2: it could not be run.
    """
    from mhat import verbs
    from mhat.terminal import options

    _check_figure(plot, force=force)
    look = {"style": style, "size": options.size_of(size), "dpi": dpi}
    verdict = verbs.identify(
        subject, observe=observe, maximize=maximize, seconds=seconds, dtype=dtype, feed=feed, read=read,
        command=command, recorded=recorded, tensors=tensors, timeout=timeout, memory=memory, in_process=in_process,
        explain=explain, convention=convention,
        columns=options.columns_of(columns), knobs=options.knobs_of(knob or []),
    )  # fmt: skip
    _answer(verdict, as_json, plot, look, force=force)


def compare(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="A B ...", help="Two subjects, as for check; with --train rules.", show_default=False),
    ] = None,
    knob: KnobOption = None,
    train: TrainOption = None,
    seeds: SeedsOption = None,
    tries: TriesOption = None,
    steps: StepsOption = None,
    start: StartOption = None,
    observe: ObserveOption = None,
    feed: FeedsOption = None,
    read: ReadsOption = None,
    command: CommandsOption = None,
    recorded: RecordsOption = None,
    tensors: TensorsOption = None,
    dtype: TypeOption = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, metavar="S", help="How long to search for the mistake. [90]")
    ] = None,
    timeout: TimeoutOption = None,
    memory: MemoryOption = None,
    in_process: InProcessOption = False,
    convention: ConventionOption = None,
    columns: ColumnsOption = None,
    plot: CurvesOption = None,
    style: StyleOption = None,
    size: SizeOption = None,
    dpi: DpiOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two implementations: where and why they part; or, with --train, how rules train.

    A command or a record takes the place of one of them, or of both. Exit code 0: they do the same; 1: they part;
    2: one could not be run.

    --train tunes the knobs of each rule by the same number of runs, trains it from several seeds, and shows medians and
    spread: on digits, a landscape, a stream that x is to follow, or a loss of yours (mine.py:loss, run in this
    process). Exit code 0, whatever comes out.
    """
    from mhat import verbs
    from mhat.checks.verdict import as_dict
    from mhat.errors import BadValue
    from mhat.terminal import facts, options, pages, verdict_pages

    if plot is not None and train is None:
        raise BadValue("--plot draws how rules train", "Say on what: --train digits.")
    _check_figure(plot, force=force)
    found: Any = verbs.compare(
        *(named or []), train=train, seeds=seeds, tries=tries, steps=steps, start=options.start_of(start),
        observe=observe, seconds=seconds, dtype=dtype, feed=feed or None, read=read or None, command=command or None,
        recorded=recorded or None, tensors=tensors, timeout=timeout, memory=memory, in_process=in_process,
        convention=convention, columns=options.columns_of(columns), knobs=options.knobs_of(knob or []),
    )  # fmt: skip
    if train is not None:
        _show_trials(found, as_json, plot, {"style": style, "size": options.size_of(size), "dpi": dpi}, force=force)
        return
    if as_json:
        deviation = None if found.deviation is None else asdict(found.deviation)
        both = {"a": as_dict(found.a), "b": as_dict(found.b)}
        pages.say(facts.as_json({"same": found.same, **both, "deviation": deviation, "defaults": list(found.defaults)}))
    else:
        pages.show(verdict_pages.page(found.story))
    raise typer.Exit(0 if found.same else DEVIATES)


def _show_trials(trials: Trials, as_json: bool, plot: Path | None, look: dict[str, Any], *, force: bool) -> None:
    from mhat.terminal import pages, verdict_pages

    if plot is not None:
        from mhat import figures

        figures.save(figures.training_curves(trials.to_dataset(), **look), plot, force=force)
    if as_json:
        pages.say(trials.to_json())
        return
    pages.show(verdict_pages.page(trials.story))
    if plot is not None:
        pages.say(f"Drew the curves to {plot}.")


def _answer(verdict: Verdict, as_json: bool, plot: Path | None, look: dict[str, Any], *, force: bool) -> None:
    from mhat.terminal import pages, verdict_pages

    if plot is not None and verdict.deviation is not None:
        from mhat import figures

        figures.save(figures.side_by_side(verdict, **look), plot, force=force)
    if as_json:
        pages.say(verdict.to_json())
    else:
        pages.show(verdict_pages.page(verdict.story))
        if plot is not None:
            drawn = verdict.deviation is not None
            pages.say(f"Drew both to {plot}." if drawn else f"There is no deviation to draw: {plot} is not written.")
    raise typer.Exit(0 if verdict.conforms else DEVIATES)


def _wrapped(wrapper: Path | None, force: bool, check: Callable[..., Verdict], *asked: Any, **how: Any) -> Verdict:
    """Check, and where the subject cannot be driven write the wrapper that would."""
    from mhat.errors import SubjectError
    from mhat.outputs import beside, check_output

    if wrapper is not None:
        check_output(wrapper, (".py",), force=force)
    try:
        return check(*asked, **how)
    except SubjectError as error:
        if SCHEDULERS.search(str(asked[0]).rpartition(":")[2]):
            error.cure = f"{error.cure}\nIf it is a scheduler, steps in and rates out, say so: --schedule."
        if wrapper is None or not error.wrapper:
            raise
        with beside(wrapper, force=force) as partial:
            partial.write_text(error.wrapper, "utf-8")
        cure = f"Wrote {wrapper}: fill in what is marked, then `mhat check {wrapper}`."
        what = error.what.partition("` ")[2]
        raise SubjectError(error.subject, what, cure, error.said) from None


def _accepted(dialect: list[str] | None, no_dialects: bool) -> bool | list[str]:
    """Put together which dialects are accepted."""
    from mhat.errors import BadValue

    if dialect and no_dialects:
        raise BadValue("--dialect and --no-dialects exclude each other", "Leave one of them out.")
    return dialect or not no_dialects


def _check_figure(plot: Path | None, *, force: bool) -> None:
    """Refuse a figure that cannot be written, before anything is run."""
    if plot is not None:
        from mhat.figures.canvas import ENDINGS
        from mhat.outputs import check_output

        check_output(plot, ENDINGS, force=force)
