"""The command that opens the page: `lab`. It must not know how anything is computed or drawn.

Exit codes: 0 done, 2 for names that are not there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mhat.terminal.trace import ForceOption, StepsOption, TypeOption

if TYPE_CHECKING:
    from mhat.page import Given

KnobOption = Annotated[
    list[str] | None,
    typer.Option("--knob", "-k", metavar="NAME=VALUE", help="What a slider begins with; repeatable."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(lab)


RulesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RULE]...", help="adam, cautious(adam), FILE.py:NAME; three at most. [the story]", show_default=False
    ),
]
StreamOption = Annotated[
    str | None,
    typer.Option(metavar="STREAM", help="The gradients, as in spike:100. [constant:10]", show_default=False),
]
LandscapeOption = Annotated[
    str | None, typer.Option(metavar="LANDSCAPE", help="A landscape in place of a stream.", show_default=False)
]
ExportOption = Annotated[
    Path | None,
    typer.Option(
        "--export", metavar="FILE", help="Write the page as one .html file, which needs no server.", show_default=False
    ),
]
ExerciseOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Only this exercise: momentum, rmsprop, adam or adamw.", show_default=False),
]
CheckOption = Annotated[
    bool, typer.Option("--check", metavar="", help="Check the one RULE, and show it beside what it should be.")
]
PortOption = Annotated[
    int | None, typer.Option(min=1, max=65535, metavar="N", help="The port. [a free one]", show_default=False)
]
BrowserOption = Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.", show_default=False)]


def lab(
    rules: RulesArgument = None,
    stream: StreamOption = None,
    landscape: LandscapeOption = None,
    steps: StepsOption = None,
    knob: KnobOption = None,
    dtype: TypeOption = "float64",
    export: ExportOption = None,
    exercise: ExerciseOption = None,
    check: CheckOption = False,
    port: PortOption = None,
    browser: BrowserOption = True,
    force: ForceOption = False,
) -> None:
    """Open the page where the pseudo code moves: write a rule, drag its knobs, draw its gradients.

    It is served to this machine alone until Ctrl-C; --export writes it as one file for a lecture, a blog, an e-mail.
    """
    from mhat.outputs import beside, check_output
    from mhat.page import page_text
    from mhat.terminal import pages

    path = None if export is None else check_output(export, (".html",), force=force)
    given = _given(rules or [], stream, landscape, steps, knob or [], dtype, exercise, check=check)
    if path is not None:
        title = " and ".join(rules or []) or "mhat lab"
        text = page_text(given, title)
        with beside(path, force=force) as partial:
            partial.write_text(text, encoding="utf-8")
        pages.say(f"Wrote {path}, {len(text.encode()) / 1000:.0f} kB: open it in any browser; it needs no network.")
        return
    _serve(given, port, browser=browser)


def _given(
    named: list[str], stream: str | None, landscape: str | None, steps: int | None, knob: list[str], dtype: str,
    exercise: str | None, *, check: bool,
) -> Given:  # fmt: skip
    from mhat.errors import BadValue
    from mhat.names import find_rule
    from mhat.page import given_for
    from mhat.terminal import options

    told: dict[str, Any] = dict(options.knobs_of(knob))
    asked: dict[str, Any] = {"stream": stream, "landscape": landscape, "steps": steps, "dtype": dtype}
    if not check:
        return given_for([find_rule(name) for name in named], knobs=told, exercise=exercise, **asked)
    if len(named) != 1:
        raise BadValue(
            f"--check judges one implementation, and {len(named)} are named",
            "Name one: mhat lab mine.py:my_adam --check.",
        )
    from mhat import verbs
    from mhat.errors import MhatError
    from mhat.page.judged import given_of

    if exercise is not None:
        raise BadValue("--check and --exercise are two pages", "Give one of them.")
    verdict = verbs.check(named[0], knobs=told)
    try:
        reading = verbs.read(named[0], knobs=told)
    except MhatError:
        # What can be checked and not be read is shown by the diagnosis.
        reading = None
    return given_of(verdict, reading, knobs=told, **asked)


def _serve(given: Given, port: int | None, *, browser: bool) -> None:
    import webbrowser

    from mhat.page.server import serve
    from mhat.terminal import pages

    def opened(address: str) -> None:
        pages.say(f"The page is at {address}\nCtrl-C ends it.")
        if browser:
            webbrowser.open(address)

    serve(given, port=port, opened=opened)
