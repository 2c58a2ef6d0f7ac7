"""The command line: it reads what was typed, hands it on, and prints the answer or what is wrong with it.

It must not know how anything is computed. Whatever is heavy is imported by the command that needs it.

Exit codes: 0 good, 1 deviates (for commands that check), 2 bad input or could not run, 130 interrupted.
What is wrong goes to standard error: as text, or with `--json` as one line {"error": .., "cure": ..}, for a rule
outside the language with "file", "line" and "column" too.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mhat.errors import BadValue, LanguageError, MhatError, UnknownName
from mhat.version import VERSION

if TYPE_CHECKING:
    import xarray as xr

    from mhat.landscapes import Landscape
    from mhat.language import Rule
    from mhat.streams import Stream

BAD, INTERRUPTED, BROKEN_PIPE = 2, 130, 141
FIGURES = (".png", ".svg", ".pdf")


class Commands(TyperGroup):
    """The group of commands; every way to end passes here, so that each has its message and its exit code."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        """Run a command line and leave with its exit code."""
        typed = sys.argv[1:] if args is None else list(args)
        extra["standalone_mode"] = False
        sys.exit(_ended(lambda: super(Commands, self).main(typed, *more, **extra), as_json="--json" in typed))


app = typer.Typer(
    cls=Commands,
    help="Write an optimizer as its pseudo code; see every line of it as a curve.",
    epilog="Begin with `mhat demo`. Every COMMAND has a --help of its own.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for a machine to read.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite outputs that exist.")]
VariablesOption = Annotated[
    str | None, typer.Option("--variables", metavar="A,B", help="The variables to show. [all]", show_default=False)
]


def main() -> None:
    """Run the command line of this process."""
    app(prog_name="mhat")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mhat {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _door(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def demo(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The figure to write. [demo.png]", show_default=False)
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell the story mhat began with: Adam and two wrong Adams, in a table and a figure.

    A demo.png that is there already is kept, unless --force draws it anew.
    """
    from mhat import demo as story
    from mhat import facts, tables
    from mhat.traces import check_output

    path = output or Path("demo.png")
    keeps = output is None and path.exists() and not force
    if not keeps:
        check_output(path, FIGURES, force=force)
    told = story.tell()
    if as_json:
        tables.say(facts.as_json({**told.facts(), "figure": str(path)}))
    else:
        tables.show(*story.page(told))
    if not keeps:
        story.draw(told, path, force=force)
    if not as_json:
        tables.show(story.ending(path, kept=keeps))


@app.command()
def rules(
    name: Annotated[str | None, typer.Argument(help="adam, FILE.py:NAME or MODULE:NAME. [all]")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the library of rules, or show one: its pseudo code, knobs, state and paper."""
    from mhat import facts, tables
    from mhat import rules as library
    from mhat.bridges.find import find_rule

    if name is None:
        listed = facts.of_rules(library.named(each) for each in library.names())
        _answer(listed, tables.rule_list, as_json)
    else:
        found = facts.of_rule(find_rule(name))
        _answer(found, lambda fact: tables.rule_page(fact, name), as_json)


@app.command()
def streams(
    name: Annotated[str | None, typer.Argument(help="constant, or with arguments: constant:10. [all]")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the streams of gradients, or show one: what it teaches, its arguments, its first gradients."""
    from mhat import facts, tables
    from mhat import streams as library

    if name is None:
        listed = facts.of_members(library.summaries())
        _answer(listed, lambda fact: tables.member_list(fact, "stream", "constant:10"), as_json)
    else:
        found = _stream(name, None)
        base = name.partition(":")[0].strip()
        function = getattr(library, base) if base in library.names() else library.from_file
        _answer(facts.of_stream(function, found), tables.stream_page, as_json)


@app.command()
def landscapes(
    name: Annotated[str | None, typer.Argument(help="rosenbrock, or with arguments. [all]")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the landscapes, or show one: what it teaches, where it starts, where its minima are."""
    from mhat import facts, tables
    from mhat import landscapes as library

    if name is None:
        listed = facts.of_members(library.summaries())
        _answer(listed, lambda fact: tables.member_list(fact, "landscape", "rosenbrock"), as_json)
    else:
        found = _landscape(name)
        _answer(facts.of_landscape(getattr(library, found.name), found), tables.landscape_page, as_json)


@app.command()
def trace(
    rule: Annotated[str, typer.Argument(help="adam, FILE.py:NAME or MODULE:NAME.", show_default=False)],
    stream: Annotated[
        str | None, typer.Option(metavar="SPEC", help="Gradients: constant:10, normal:seed=42, FILE.csv.")
    ] = None,
    landscape: Annotated[str | None, typer.Option(metavar="SPEC", help="A landscape: rosenbrock.")] = None,
    steps: Annotated[int | None, typer.Option(help="How many steps. [all there are; 1000 on a landscape]")] = None,
    knob: Annotated[
        list[str] | None, typer.Option("--knob", "-k", metavar="NAME=VALUE[,VALUE...]", help="A knob; a list sweeps it.")
    ] = None,
    start: Annotated[str | None, typer.Option(metavar="X[,X...]", help="x before step 1, as in --start=-1.5,2.")] = None,
    dtype: Annotated[str, typer.Option(metavar="TYPE", help="float64 or float32.")] = "float64",
    keep: Annotated[str | None, typer.Option(metavar="A,B", help="The variables to record. [all]")] = None,
    tensor: Annotated[
        str | None, typer.Option(metavar="I,J", help="The dimensions that make up a tensor. [all but step]")
    ] = None,
    seedless: Annotated[bool, typer.Option("--seedless", help="Draw a seed by chance, and say which.")] = False,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Save as .nc, .zarr, .csv or .parquet.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw as .png, .svg or .pdf.")] = None,
    variables: VariablesOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Run a rule and record what every line of it gives.

    Without --save and --plot it prints the variables at telling steps.
    """
    from mhat import tables
    from mhat.bridges.find import find_rule
    from mhat.engines.running import variables_of
    from mhat.traces import check_output
    from mhat.traces.files import ENDINGS
    from mhat.traces.request import understand
    from mhat.traces.run import run

    found = find_rule(rule)
    knobs = read_knobs(knob or [])
    given = _given(rule, stream, landscape, steps, seedless)
    kept, shown = _names(keep), _names(variables)
    _check_names(f"variable of {found.name}", shown, kept or list(variables_of(found)))
    for path, endings in ((save, ENDINGS), (plot, FIGURES)):
        if path:
            check_output(path, endings, force=force)
    # The gradients are looked at, whether or not they are to be kept.
    recorded = [*kept, "g"] if kept and "g" not in kept else kept
    request = understand(
        found, given, steps=steps, start=read_start(start), dtype=dtype, keep=recorded or None,
        tensor=_names(tensor) or None, knobs=knobs,
    )  # fmt: skip
    with tables.progress(request.steps, f"{found.name}, steps") as report:
        whole = run(request, report)
    ds = whole[[name for name in whole.data_vars if not kept or name in kept]]
    _tell(found, whole, ds, shown, save=save, plot=plot, as_json=as_json, force=force)
