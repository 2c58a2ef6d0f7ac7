"""The command that shows schedules: `schedules`. It must not know how any is computed or drawn.

Exit codes: 0 shown, 2 could not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhat.notation.specs import whole_of
from mhat.terminal.trace import FIGURES, DpiOption, ForceOption, JsonOption, SizeOption, StyleOption

if TYPE_CHECKING:
    from mhat.schedules import Schedule

# Where a schedule never ends, so many steps are shown.
STEPS = 100


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(schedules)


def schedules(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME...", help="cosine, or with arguments: cosine:1e-3,steps=50. [all]", show_default=False
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many steps to show or draw. [up to its end]", parser=whole_of),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw them as .png, .pdf or .svg.")] = None,
    style: StyleOption = None,
    size: SizeOption = None,
    dpi: DpiOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """List schedules (what a knob is worth at each step), show one with its formula and values, or draw several.

    It is a value of any knob: mhat trace adam --stream constant:10 -k lr=warmup_cosine:1e-3,warmup=10,steps=100.
    A scheduler of your own is checked by `mhat check FILE.py:NAME --schedule`.
    """
    from mhat import schedules as library
    from mhat.errors import BadValue
    from mhat.outputs import check_output
    from mhat.terminal import facts, options, pages

    if plot is not None:
        check_output(plot, FIGURES, force=force)
    if not names:
        if plot is not None or steps is not None:
            raise BadValue("no schedule is named", "Name one or more: mhat schedules cosine:1e-3 --plot cosine.png.")
        listed = facts.of_members(library.summaries())
        if as_json:
            pages.say(facts.as_json(listed))
        else:
            pages.show(pages.schedule_list(listed))
        return
    found = [library.named(name) for name in names]
    count = steps or max(_length(each) for each in found)
    told = [facts.of_schedule(getattr(library, each.name), each, count) for each in found]
    if plot is not None:
        from mhat import figures

        look = {"style": style, "size": options.size_of(size), "dpi": dpi}
        figures.save(_drawn(found, count, look), plot, force=force)
    if as_json:
        written = {} if plot is None else {"drawn": str(plot)}
        pages.say(facts.as_json([{**each, **written} for each in told] if len(told) > 1 else {**told[0], **written}))
        return
    for each in told:
        pages.show(pages.schedule_page(each))
    if plot is not None:
        pages.say(f"Drew {'it' if len(found) == 1 else 'them'} to {plot}.")


def _length(schedule: Schedule) -> int:
    """Say how many steps show all of a schedule: up to its end, and a little more."""
    period = schedule.arguments.get("period") or schedule.arguments.get("every") or 0
    rise = schedule.arguments.get("rise", 0) + schedule.arguments.get("fall", 0)
    return max(STEPS, round(1.1 * (schedule.last or 0)), round(3 * period), round(3 * rise),
               round(4 * schedule.arguments.get("warmup", 0)) if schedule.last is None else 0)  # fmt: skip


def _drawn(found: list[Schedule], steps: int, look: dict[str, object]) -> object:
    from mhat import figures

    alone = found[0] if len(found) == 1 else None
    title = alone.recipe if alone else "Schedules"
    sentence = f"It {alone.sentence}." if alone else ""
    return figures.rate_curves({each.recipe: each.values(steps) for each in found}, title, sentence, **look)
