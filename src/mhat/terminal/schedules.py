"""The command that shows schedules: `schedules`. It must not know how any is computed or drawn.

Exit codes: 0 shown, 2 could not. It answers for `check --schedule`, too: 0 conforms, 1 deviates, 2 could not run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mhat.notation.specs import whole_of
from mhat.terminal.trace import FIGURES, DpiOption, ForceOption, JsonOption, SizeOption, StyleOption

if TYPE_CHECKING:
    from mhat.checks.schedules.verdict import ScheduleVerdict
    from mhat.schedules import Schedule

DEVIATES = 1
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

        look: dict[str, Any] = {"style": style, "size": options.size_of(size), "dpi": dpi}
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
    told = schedule.arguments
    counts = [STEPS, 1.1 * (schedule.last or 0), 3 * told.get("period", 0), 3 * told.get("every", 0)]
    counts += [3 * (told["rise"] + told["fall"])] if "fall" in told else []
    counts += [4 * told.get("warmup", 0)] if schedule.last is None else []
    return int(max(counts) + 0.5)


def _drawn(found: list[Schedule], steps: int, look: dict[str, Any]) -> Any:
    from mhat import figures

    alone = found[0] if len(found) == 1 else None
    title = alone.recipe if alone else "Schedules"
    sentence = f"It {alone.sentence}." if alone else ""
    return figures.rate_curves({each.recipe: each.values(steps) for each in found}, title, sentence, **look)


def is_meant(said: bool, against: str | None, subject: str | None, steps: int | None, first: int | None) -> bool:
    """Whether a check is of a scheduler: that is said, or what is named or claimed can be nothing else."""
    from mhat import schedules as library
    from mhat.errors import BadValue

    frameworks = ("torch.optim.lr_scheduler:", "keras.optimizers.schedules:")
    if said or library.is_named(against) or library.is_named(subject) or (subject or "").startswith(frameworks):
        return True
    for option, value in (("--steps", steps), ("--first", first)):
        if value is not None:
            raise BadValue(f"{option} is of a scheduler", "Say that it is one: --schedule.")
    return False


def answer(
    subject: str | Path | None,
    against: str | None,
    knobs: list[str],
    plot: Path | None,
    look: dict[str, Any],
    *,
    steps: int | None,
    first: int | None,
    timeout: float | None,
    memory: float | None,
    in_process: bool,
    force: bool,
    as_json: bool,
) -> NoReturn:
    """Check a scheduler, show the answer, and leave with its exit code."""
    from mhat import verbs
    from mhat.terminal import options, pages, verdict_pages

    verdict = verbs.check_schedule(
        subject, against, steps=steps, first=first, timeout=timeout, memory=memory, in_process=in_process,
        options=options.knobs_of(knobs),
    )  # fmt: skip
    if plot is not None:
        from mhat import figures

        figures.save(figures.rate_curves(*_beside(verdict), **look), plot, force=force)
    if as_json:
        pages.say(verdict.to_json())
    else:
        pages.show(verdict_pages.page(verdict.story))
        if plot is not None:
            pages.say(f"Drew it to {plot}.")
    raise typer.Exit(0 if verdict.conforms else DEVIATES)


def _beside(verdict: ScheduleVerdict) -> tuple[dict[str, Any], str, str]:
    """Give the rates beside those that were meant, or that were found: the lines, the title, and the sentence."""
    meant = verdict.against or verdict.schedule
    shown = len(verdict.rates) if meant is None else min(len(verdict.rates), _length(meant))
    lines = {verdict.subject: verdict.rates[:shown]}
    if meant is not None:
        lines[meant.recipe] = meant.values(shown)
    return lines, verdict.subject, ". ".join(verdict.slips)
