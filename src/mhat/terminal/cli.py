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
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mhat.errors import MhatError, OutputFileError
from mhat.language.vocabulary import VOCABULARY
from mhat.terminal import bench, check, convert, explain, export, lab, read, results, rules, schedules, trace
from mhat.terminal.trace import FIGURES, ForceOption, JsonOption
from mhat.version import VERSION

TAKE_KNOBS = ("trace", "check", "identify", "compare", "explain", "convert", "export", "read", "lab")
BAD, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


# What a person wants, and the commands for it, each in a line.
WANTED = {
    "Begin": {
        "demo": "The story mhat began with, in a table and a figure",
        "rules": "The library of rules, or the pseudo code of one",
        "streams": "Sequences of gradients, each with what it teaches",
        "landscapes": "Functions to descend, each with what it teaches",
        "schedules": "What a knob is worth at each step: warm-up, cosine ...",
    },
    "See what a rule does": {
        "trace": "Run rules, and record what every line gives",
        "plot": "Draw a trace that was saved",
        "lab": "The page where it moves: write, drag, draw, point",
    },
    "Know whether an implementation is right": {
        "check": "Against a rule; if it deviates, which line is wrong",
        "identify": "Which rule it is, with which knobs and changes",
        "compare": "Where and why two implementations part",
        "read": "The pseudo code of what one does, as a rule",
    },
    "Understand why it moves so": {
        "explain": "What each line is for, laws, knobs, numbers",
        "results": "Published results, run again: claimed, found, agrees",
    },
    "Take it elsewhere": {
        "convert": "The same training in torch, optax, Keras ...",
        "export": "A rule as a file of its own: torch, NumPy, C, Rust ...",
    },
    "Know how fast it is": {
        "bench": "A step against the memory's limit, torch, optax, Keras",
    },
}


class Commands(TyperGroup):
    """The group of commands; every way to end passes here, so that each has its message and its exit code."""

    def list_commands(self, context: Any) -> list[str]:
        """List the commands in the order in which a person comes to want them."""
        return [name for commands in WANTED.values() for name in commands]

    def format_commands(self, context: Any, formatter: Any) -> None:
        """Group the commands by what a person wants."""
        longest = max(len(name) for commands in WANTED.values() for name in commands)
        for wanted, commands in WANTED.items():
            with formatter.section(wanted):
                formatter.write_dl([(name.ljust(longest), said) for name, said in commands.items()])

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        """Run a command line and leave with its exit code."""
        typed = sys.argv[1:] if args is None else list(args)
        extra["standalone_mode"] = False
        sys.exit(_ended(lambda: super(Commands, self).main(typed, *more, **extra), typed))


app = typer.Typer(
    cls=Commands,
    help="Write an optimizer as its pseudo code; see every line of it as a curve.",
    epilog="Begin with `mhat demo`. Every COMMAND has a --help of its own.",
    pretty_exceptions_enable=False,
    # Plain help is there in half the time.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
        bool, typer.Option("--version", callback=_version, is_eager=True, metavar="", help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def demo(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The figure to write. [demo.png]", show_default=False),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell the story mhat began with: Adam and two wrong Adams, in a table and a figure.

    A demo.png that is there already is kept, unless --force draws it anew.
    """
    from mhat.outputs import check_output
    from mhat.terminal import demo as story
    from mhat.terminal import facts, pages

    path = output or Path("demo.png")
    keeps = output is None and path.exists() and not force
    if not keeps:
        check_output(path, FIGURES, force=force)
    told = story.tell()
    if not as_json:
        pages.show(*story.page(told))
    if not keeps:
        story.draw(told, path, force=force)
    if as_json:
        pages.say(facts.as_json({**told.facts(), "figure": str(path)}))
    else:
        pages.show(*story.ending(path, kept=keeps))


@app.command()
def streams(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="constant, or with arguments: constant:10. [all]", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the streams of gradients, or show one: what it teaches, its arguments, its first gradients."""
    from mhat import streams as library
    from mhat.terminal import facts, options, pages

    if name is None:
        listed = facts.of_members(library.summaries())
        _answer(listed, lambda fact: pages.member_list(fact, "stream", "constant:10"), as_json)
    else:
        found = options.stream_of(name)
        base = name.partition(":")[0].strip()
        function = getattr(library, base) if base in library.names() else library.from_file
        _answer(facts.of_stream(function, found), pages.stream_page, as_json)


@app.command()
def landscapes(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="rosenbrock, or with arguments. [all]", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the landscapes, or show one: what it teaches, where it starts, where its minima are."""
    from mhat import landscapes as library
    from mhat.terminal import facts, options, pages

    if name is None:
        listed = facts.of_members(library.summaries())
        _answer(listed, lambda fact: pages.member_list(fact, "landscape", "rosenbrock"), as_json)
    else:
        found = options.landscape_of(name)
        _answer(facts.of_landscape(getattr(library, found.name), found), pages.landscape_page, as_json)


def _answer(fact: Any, draw: Callable[[Any], Any], as_json: bool) -> None:
    from mhat.terminal import facts, pages

    if as_json:
        pages.say(facts.as_json(fact))
    else:
        pages.show(draw(fact))


rules.register(app)
schedules.register(app)
trace.register(app)
check.register(app)
explain.register(app)
convert.register(app)
export.register(app)
lab.register(app)
read.register(app)
results.register(app)
bench.register(app)


def _ended(run: Callable[[], Any], typed: Sequence[str]) -> int:
    """Run a command and give its exit code; what went wrong is said in one message."""
    as_json = "--json" in typed
    try:
        code = run()
        sys.stdout.flush()
    except MhatError as error:
        return _complain(_as_typed(error), as_json)
    except MemoryError:
        cure = "Ask for fewer steps, or record fewer variables: --keep m_hat,v_hat."
        return _complain(MhatError("there is not enough memory for this", cure), as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader has gone. Python flushes standard output once more at its end: there must be somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        said = getattr(error, "format_message", None)
        if said is not None:
            return _complain(_usage(error, said(), typed), as_json)
        traceback.print_exc()
        return _complain(MhatError("this is a mistake in mhat itself", "Please report it with the lines above."), False)
    if code == INTERRUPTED:
        sys.stderr.write("\nmhat: interrupted\n")
    return code if isinstance(code, int) else 0


def _usage(error: Exception, said: str, typed: Sequence[str]) -> MhatError:
    """Say what typer has found wrong in the words of mhat."""
    option = str(getattr(error, "option_name", ""))
    knob = option.lstrip("-").replace("-", "_")
    if knob in VOCABULARY and option.startswith("-") and typed and typed[0] in TAKE_KNOBS:
        value = next((each.partition("=")[2] or after for each, after in _pairs(typed) if each.startswith(option)), "")
        return MhatError(f"no such option: {option}", f"A knob is set with -k: write -k {knob}={value or '...'}.")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mhat"
    first = " ".join(said.split())
    return MhatError(first[:1].lower() + first[1:], f"`{command} --help` says what can be written here.")


def _pairs(typed: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(typed, [*typed[1:], ""], strict=True))


def _as_typed(error: MhatError) -> MhatError:
    """Name a file below the current directory, and an option, as the user would type it."""
    if isinstance(error, OutputFileError):
        error.what, error.cure = (text.replace("force=True", "--force") for text in (error.what, error.cure))
    error.cure = re.sub(r"\bsize=\(([\d.]+), ([\d.]+)\)", r"--size \1x\2", error.cure)
    if error.place is not None:
        file = Path(error.place.file)
        if file.is_relative_to(Path.cwd()):
            error.place = dataclasses.replace(error.place, file=str(file.relative_to(Path.cwd())))
    return error


def _complain(error: MhatError, as_json: bool) -> int:
    if as_json:
        place = error.place
        where = {"file": place.file, "line": place.line, "column": place.column} if place else {}
        sys.stderr.write(json.dumps({"error": error.what, "cure": error.cure, **where}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"mhat: {error}\n")
    return BAD
