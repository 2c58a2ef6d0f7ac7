"""The command that runs published results again: `results`. It must not know how anything is found.

Exit codes: 0 each number found is the one that is stated, 1 one is not, 2 could not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhat.terminal.trace import DpiOption, ForceOption, JsonOption, SizeOption, StyleOption

if TYPE_CHECKING:
    from mhat.results import Found, Result

SAYS = {"holds": "holds", "refuted": "refuted", "shown": "shown"}


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(results)


def results(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One of them: reddi, adam_bound ... [all]", show_default=False)
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw what was run for the one named.")] = None,
    style: StyleOption = None,
    size: SizeOption = None,
    dpi: DpiOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run published results again: what was claimed, what is found, whether both agree, what it teaches."""
    from mhat import results as library
    from mhat.errors import BadValue
    from mhat.terminal import facts, pages

    if plot is not None and name is None:
        raise BadValue("--plot draws one result", "Name it: mhat results reddi --plot reddi.png.")
    chosen = list(library.RESULTS) if name is None else [library.named(name)]
    found = [(result, result.found()) for result in chosen]
    if as_json:
        told = [result.to_dict(numbers) for result, numbers in found]
        pages.say(facts.as_json(told if name is None else told[0]))
    elif name is None:
        _list(found)
    else:
        _show(*found[0])
    if plot is not None:
        _draw(chosen[0], plot, style=style, size=size, dpi=dpi, force=force, told=not as_json)
    if not all(number.agrees for _, numbers in found for number in numbers):
        raise typer.Exit(1)


def _list(found: list[tuple[Result, tuple[Found, ...]]]) -> None:
    from rich.text import Text

    from mhat.terminal import pages

    rows: list[list[str | Text]] = [
        [Text(result.name, style="bold"), SAYS[result.verdict], _agreement(numbers), result.claim]
        for result, numbers in found
    ]
    pages.show(pages.grid(rows, ("result", "claim", "numbers", "what is claimed")), "")
    agreed = sum(all(number.agrees for number in numbers) for _, numbers in found)
    pages.show(pages.prose(f"{agreed} of {len(found)} agree with what is stated. `mhat results reddi` shows one."))


def _agreement(numbers: tuple[Found, ...]) -> str:
    wrong = sum(not number.agrees for number in numbers)
    return "agree" if not wrong else f"{wrong} differ"


def _show(result: Result, numbers: tuple[Found, ...]) -> None:
    from rich.text import Text

    from mhat.notation.decimals import exact
    from mhat.terminal import pages

    pages.show(Text(result.name, style="bold"), pages.prose(result.claim), Text(result.source, style="dim"), "")
    rows: list[list[str | Text]] = [
        [each.number.what, f"{each.value:.6g}", exact(each.number.stated), "yes" if each.agrees else "no"]
        for each in numbers
    ]
    pages.show(pages.grid(rows, ("", "found", "stated", "agrees")), "")
    words = {"holds": "The claim holds here.", "refuted": "The claim is refuted by these numbers."}
    if result.verdict in words:
        pages.show(pages.prose(words[result.verdict]))
    pages.show(pages.prose(result.teaches))
    if result.repeat:
        pages.show("", Text.assemble(("try  ", "dim"), result.repeat))


def _draw(
    result: Result, path: Path, *, style: list[str] | None, size: str | None, dpi: float | None, force: bool, told: bool
) -> None:
    from mhat import figures
    from mhat.terminal import options, pages

    runs, variable = result.picture()
    figure = figures.plot(dict(runs), variable, style=style, size=options.size_of(size), dpi=dpi)
    figures.save(figure, path, force=force)
    if told:
        pages.say(f"Drew it to {path}.")
