"""The commands that trace: `trace` and `plot`. It must not know how anything is computed or drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import xarray as xr

    from mhat.language import Rule

FIGURES = (".png", ".pdf", ".svg")

JsonOption = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON, for a machine to read.")]
ForceOption = Annotated[bool, typer.Option("--force", metavar="", help="Overwrite outputs that exist.")]
VariablesOption = Annotated[
    str | None, typer.Option("--variables", metavar="A,B", help="The variables to show. [all]", show_default=False)
]
StepsOption = Annotated[
    int | None, typer.Option(metavar="N", help="How many steps. [all there are; 1000 on a landscape]")
]
KnobOption = Annotated[
    list[str] | None,
    typer.Option("--knob", "-k", metavar="NAME=VALUE[,VALUE...]", help="A knob; a list sweeps it."),
]
StartOption = Annotated[str | None, typer.Option(metavar="X[,X...]", help="x before step 1, as in --start=-1.5,2.")]
TypeOption = Annotated[
    str,
    typer.Option(metavar="TYPE", help="float64, float32, float16 or bfloat16. [float64]", show_default=False),
]
TensorOption = Annotated[
    str | None, typer.Option(metavar="I,J", help="The dimensions that make up a tensor. [all but step]")
]
SeedlessOption = Annotated[bool, typer.Option("--seedless", metavar="", help="Draw a seed by chance, and say which.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(trace)
    app.command()(plot)


def trace(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="adam, FILE.py:NAME or MODULE:NAME.", show_default=False)],
    stream: Annotated[
        str | None, typer.Option(metavar="SPEC", help="Gradients: constant:10, normal:seed=42, FILE.csv.")
    ] = None,
    landscape: Annotated[str | None, typer.Option(metavar="SPEC", help="A landscape: rosenbrock.")] = None,
    steps: StepsOption = None,
    knob: KnobOption = None,
    start: StartOption = None,
    dtype: TypeOption = "float64",
    keep: Annotated[
        str | None, typer.Option(metavar="A,B", help="The variables to record. [all]", show_default=False)
    ] = None,
    tensor: TensorOption = None,
    seedless: SeedlessOption = False,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save as .nc, .csv, .parquet, or .zarr, however long it is.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw as .png, .pdf or .svg.")] = None,
    variables: VariablesOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Run a rule and record what every line of it gives.

    Without --save and --plot it prints the variables at telling steps. A .zarr is written while it runs, in memory
    that does not grow with the steps.
    """
    from mhat import verbs
    from mhat.engines.running import variables_of
    from mhat.names import find_rule
    from mhat.terminal import facts, options

    found = find_rule(rule)
    given = options.gradients_of(rule, stream, landscape, steps, seedless, stored=_is_store(save))
    kept, shown = options.names_of("--keep", keep), options.names_of("--variables", variables)
    options.check_names(f"variable of {found.name}", shown, kept or list(variables_of(found)))
    _check_outputs(save, plot, force=force)
    odd: list[dict[str, Any]] = []

    def count(part: xr.Dataset) -> None:
        odd.extend(facts.non_finite(name, part[name]) for name in ("g", "x") if name in part)

    ds = verbs.trace(
        found, given, steps=steps, start=options.start_of(start), dtype=dtype, keep=kept or None,
        tensor=options.names_of("--tensor", tensor) or None, to=save if _is_store(save) else None, force=force,
        each=count, knobs=options.knobs_of(knob or []),
    )  # fmt: skip
    written = {"saved": str(save)} if _is_store(save) else {}
    written |= _write(ds, shown, None if _is_store(save) else save, plot, force=force)
    _tell(ds, found, shown, _worth_telling(odd), written, as_json=as_json)


def _is_store(save: Path | None) -> bool:
    return save is not None and save.suffix.lower() == ".zarr"


def _worth_telling(counted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell of the gradients, and of x, where x went first, that are not finite."""
    from mhat.terminal import facts

    found = [facts.together(counted, name) for name in ("g", "x")]
    found = [each for each in found if each["count"]]
    if [each["variable"] for each in found] == ["g", "x"] and found[1]["first_step"] >= found[0]["first_step"]:
        return found[:1]
    return found


def plot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A trace saved as .nc or .zarr.", show_default=False)],
    variables: VariablesOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The figure to write. [FILE.png]", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Draw a trace that was saved."""
    from mhat.outputs import check_output
    from mhat.terminal import options, pages
    from mhat.traces import load

    path = check_output(output or file.with_suffix(".png"), FIGURES, force=force)
    ds = load(file)
    shown = options.names_of("--variables", variables)
    options.check_names(f"variable in {file}", shown, list(map(str, ds.data_vars)))
    written = _write(ds, shown, None, path, force=force)
    pages.say(json.dumps(written) if as_json else f"Drew {file} to {path}.")


def _check_outputs(save: Path | None, plot: Path | None, *, force: bool) -> None:
    """Refuse what cannot be written while nothing is lost by it."""
    from mhat.outputs import check_output
    from mhat.traces import check_save

    if save:
        check_save(save, force=force)
    if plot:
        check_output(plot, FIGURES, force=force)


def _write(ds: xr.Dataset, shown: list[str], save: Path | None, plot: Path | None, *, force: bool) -> dict[str, str]:
    """Save and draw a trace, as asked; the trace first, so that a figure that fails takes nothing along."""
    written = {}
    if save:
        from mhat import traces

        traces.save(ds, save, force=force)
        written["saved"] = str(save)
    if plot:
        from mhat import figures

        figures.save(figures.plot(ds, shown or None), plot, force=force)
        written["drawn"] = str(plot)
    return written


def _tell(
    ds: xr.Dataset,
    rule: Rule,
    shown: list[str],
    odd: list[dict[str, Any]],
    written: dict[str, str],
    *,
    as_json: bool,
) -> None:
    """Answer with a trace: where it was written, or its variables at telling steps; and what is odd about it."""
    from mhat.terminal import facts, pages
    from mhat.traces.schema import attributes_of, knobs_of, landscape_of, what_ran

    if as_json:
        pages.say(facts.as_json(facts.of_trace(ds, attributes_of(ds), not_finite=odd, **written)))
        return
    pages.show(pages.trace_summary(ds, what_ran(ds), knobs_of(ds), rule.knobs))
    if not written:
        names = shown or [*(str(name) for name in ds.data_vars if name != "x"), *(["x"] if "x" in ds else [])]
        pages.show("", pages.trace_table(ds, names), "")
    landscape = landscape_of(ds)
    if landscape is not None and "x" in ds and ds["x"].dims == ("step", "i"):
        end = ds["x"].isel(step=-1).values
        lowest = (landscape.minimum_value, landscape.minimum)
        pages.show(pages.landscape_end(end.tolist(), float(landscape.value(end)), *lowest))
    for each in odd:
        pages.show(pages.odd_numbers(each))
    for word, path in written.items():
        pages.show(pages.prose(f"{word.capitalize()}: {path}"))
