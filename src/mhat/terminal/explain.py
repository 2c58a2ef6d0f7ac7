"""The command that explains: `explain`. It must not know how anything is explained.

Exit codes: 0 explained, 2 could not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhat.terminal.trace import FIGURES, DpiOption, ForceOption, JsonOption, SizeOption, StyleOption

if TYPE_CHECKING:
    from mhat.explanations.explanation import Explanation

# How an explanation can be set, and the endings of files that mean so.
SETTINGS: dict[str, Callable[[Explanation], str]] = {
    "text": lambda explanation: f"{explanation}\n",
    "markdown": lambda explanation: explanation.to_markdown(),
    "html": lambda explanation: explanation.to_html(),
    "latex": lambda explanation: explanation.to_latex(),
    "json": lambda explanation: f"{explanation.to_json(indent=1)}\n",
}
ENDINGS = {".txt": "text", ".md": "markdown", ".html": "html", ".htm": "html", ".tex": "latex", ".json": "json"}


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(explain)


def explain(
    rule: Annotated[
        str | None,
        typer.Argument(metavar="RULE", help="adam, FILE.py:NAME, or an implementation.", show_default=False),
    ] = None,
    stream: Annotated[
        str | None, typer.Option(metavar="SPEC", help="Explain it on this: constant:10, rosenbrock, FILE.csv.")
    ] = None,
    why: Annotated[str | None, typer.Option(metavar="QUESTION", help='One question: --why "first step".')] = None,
    questions: Annotated[bool, typer.Option("--questions", metavar="", help="List the questions.")] = False,
    knob: Annotated[
        list[str] | None, typer.Option("--knob", "-k", metavar="NAME=VALUE", help="A knob that is no default.")
    ] = None,
    evidence: Annotated[bool, typer.Option("--evidence", metavar="", help="Show all evidence.")] = False,
    setting: Annotated[
        str | None,
        typer.Option("--as", metavar="FORM", help="text, markdown, html, latex or json. [text]", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there; the ending says how.", show_default=False),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the rule on the stream.")] = None,
    style: StyleOption = None,
    size: SizeOption = None,
    dpi: DpiOption = None,
    seconds: Annotated[float, typer.Option(min=0.0, metavar="S", help="How long to look for what it is.")] = 90.0,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Explain why a rule moves as it moves: every line, laws, memory, knobs, each claim with its evidence.

    An implementation that is no rule is identified first. With --stream it is about the rule on that alone.
    """
    from mhat import verbs
    from mhat.errors import BadValue
    from mhat.terminal import options, pages, verdict_pages

    if questions:
        _list_questions(as_json=as_json)
        return
    form = _form(setting, output, as_json=as_json)
    _check_outputs(output, plot, stream, force=force)
    if rule is None:
        raise BadValue("no rule is named", "Name one: mhat explain adam, or mine.py:my_rule.")
    live = form == "text" and output is None
    explanation = verbs.explain(
        rule, stream, why=why, seconds=seconds, in_full=evidence, knobs=options.knobs_of(knob or []),
        each=(lambda passages: pages.show(verdict_pages.page(passages))) if live else None,
    )  # fmt: skip
    if not live:
        _deliver(SETTINGS[form](explanation), output, force=force)
    if plot is not None:
        from mhat import figures

        figures.save(verbs.plot(explanation, style=style, size=options.size_of(size), dpi=dpi), plot, force=force)
    written = [f"Wrote {output}."] * (output is not None) + [f"Drew it to {plot}."] * (plot is not None)
    if form != "json" and (output is not None or live):
        for line in written:
            pages.say(line)


def _list_questions(*, as_json: bool) -> None:
    from mhat.explanations.questions import questions
    from mhat.terminal import facts, pages

    if as_json:
        pages.say(facts.as_json([{"number": each.number, "question": each.text} for each in questions()]))
        return
    pages.show(pages.grid([[str(each.number).rjust(2), each.text] for each in questions()], ("", "question")))
    pages.show(
        "",
        pages.prose(
            '`mhat explain adam --why "first step"` answers one for a rule, by some of its words or its number.'
        ),
    )


def _form(setting: str | None, output: Path | None, *, as_json: bool) -> str:
    """Find out how it is to be set; raises UnknownName, BadValue."""
    from mhat.errors import BadValue, UnknownName

    if setting is not None and setting not in SETTINGS:
        raise UnknownName("form", setting, SETTINGS)
    if as_json and setting not in (None, "json"):
        raise BadValue(f"--json and --as {setting} are two forms", "Keep one of them.")
    if as_json or setting is not None:
        return "json" if as_json else str(setting)
    return "text" if output is None else ENDINGS.get(output.suffix.lower(), "text")


def _check_outputs(output: Path | None, plot: Path | None, stream: str | None, *, force: bool) -> None:
    """Refuse what cannot be written before anything is computed."""
    from mhat.errors import BadValue
    from mhat.outputs import check_output

    if output is not None:
        check_output(output, tuple(ENDINGS), force=force)
    if plot is not None:
        if stream is None:
            raise BadValue("--plot draws a rule on a stream, and there is none", "Add one: --stream constant:10.")
        check_output(plot, FIGURES, force=force)


def _deliver(text: str, output: Path | None, *, force: bool) -> None:
    from mhat.outputs import beside, said_of
    from mhat.terminal import pages

    if output is None:
        pages.say(text.rstrip("\n"))
        return
    with said_of(output), beside(output, force=force) as partial:
        partial.write_text(text, "utf-8")
