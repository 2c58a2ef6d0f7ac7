"""The command that times: `bench`. It must not know how anything is timed.

Exit codes: 0 measured, 2 could not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mhat.errors import BadValue

if TYPE_CHECKING:
    from mhat.language import Rule

SizeOption = Annotated[str, typer.Option(metavar="N", help="How many parameters, as in 1e6. [1e7]", show_default=False)]
TypeOption = Annotated[
    str, typer.Option(metavar="TYPE", help="float64, float32, float16 or bfloat16. [float32]", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON, for a machine to read.")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(bench)


def bench(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="adam, FILE.py:NAME or MODULE:NAME. [adam]", show_default=False)
    ] = "adam",
    size: SizeOption = "1e7",
    dtype: TypeOption = "float32",
    as_json: JsonOption = False,
) -> None:
    """Say how fast a step is here: against the limit of the memory, torch, optax and Keras.

    It takes some ten seconds. Peers that are not installed are left out.
    """
    from mhat.names import find_rule
    from mhat.speed import report
    from mhat.terminal import bench_pages, facts, pages

    found = find_rule(rule)
    parameters = _size(size)
    report.check_request(found, parameters, dtype)
    measured = report.measure(found, _step_of(found), parameters, dtype)
    if as_json:
        pages.say(facts.as_json(measured.facts()))
    else:
        pages.show(*bench_pages.page(measured))


def _size(typed: str) -> int:
    try:
        number = float(typed)
    except ValueError:
        number = 0.0
    if not 1 <= number < 1e15:
        raise BadValue(f"`--size {typed}` is no number of parameters", "Give one of at least 1: --size 1e6.")
    return int(number)


def _step_of(rule: Rule) -> Any:
    from mhat.bridges.numpy.optimizer import Optimizer

    return lambda x, g: _stepping(Optimizer(rule, x), g)


def _stepping(optimizer: Any, g: Any) -> Any:
    return lambda: optimizer.step(g)
