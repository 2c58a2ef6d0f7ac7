"""The command that converts: `convert`. It must not know how anything is translated or measured.

Exit codes: 0 it answers, also where the answer is that it cannot be the same; 2 for names and numbers that cannot be.
"""

from __future__ import annotations

from typing import Annotated

import typer

KnobOption = Annotated[
    list[str] | None,
    typer.Option("--knob", "-k", metavar="NAME=VALUE", help="A knob, as the source or as mhat calls it."),
]
JsonOption = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON, for a machine to read.")]
FrameworkMetavar = "FRAMEWORK"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(convert)


def convert(
    rule: Annotated[
        str | None,
        typer.Argument(metavar="RULE", help="adam, RMSprop, keras.optimizers.Adam. [lists them]", show_default=False),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar=FrameworkMetavar, help="torch, optax, keras, tensorflow, sklearn, numpy."),
    ] = None,
    target: Annotated[str | None, typer.Option("--to", metavar=FrameworkMetavar, help="Where it is to go.")] = None,
    knob: KnobOption = None,
    listed: Annotated[bool, typer.Option("--list", metavar="", help="List which rule is where.")] = False,
    no_measure: Annotated[
        bool, typer.Option("--no-measure", metavar="", help="Compute only; run no framework.")
    ] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0.0, metavar="S", help="How long one optimizer may run. [60]")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Convert an optimizer to another framework: what to paste, or what cannot be the same and by how much.

    Knobs that are not told are as the source has them by default. Without a rule, or with --list: which rule is
    where; with a rule alone: what each framework calls it.
    """
    from mhat import conversions, verbs
    from mhat.terminal import convert_pages, facts, options, pages, verdict_pages

    if listed or rule is None or (source is None and target is None and "." not in rule):
        found = convert_pages.facts_of(conversions.offers(), None if listed else rule)
        if as_json:
            pages.say(facts.as_json(found))
        else:
            pages.show(*convert_pages.table(found) if listed or rule is None else convert_pages.card(rule, found))
        return
    conversion = verbs.convert(
        rule, from_=source, to=target, measure=not no_measure, timeout=timeout, knobs=options.knobs_of(knob or [])
    )
    if as_json:
        pages.say(conversion.to_json())
    else:
        pages.show(verdict_pages.page(conversion.story))
