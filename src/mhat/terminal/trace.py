"""The commands that trace: `trace` and `plot`. It must not know how anything is computed or drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mhat.errors import MhatError
from mhat.notation.specs import whole_of

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
    int | None,
    typer.Option(metavar="N", help="How many steps, as in 1e4. [all there are; 1000 on a landscape]", parser=whole_of),
]
KnobOption = Annotated[
    list[str] | None,
    typer.Option(
        "--knob",
        "-k",
        metavar="NAME=VALUE[,VALUE...]",
        help="A knob; a list sweeps it, a schedule goes over the steps.",
    ),
]
StartOption = Annotated[str | None, typer.Option(metavar="X[,X...]", help="x before step 1, as in --start=-1.5,2.")]
TypeOption = Annotated[
    str,
    typer.Option(metavar="TYPE", help="float64, float32, float16 or bfloat16. [float64]", show_default=False),
]
TensorOption = Annotated[
    str | None, typer.Option(metavar="I,J", help="The dimensions that make up a tensor. [all but step]")
]
StyleOption = Annotated[
    list[str] | None,
    typer.Option("--style", metavar="STYLE", help="dark, print, large, or a style of matplotlib; repeatable."),
]
SizeOption = Annotated[str | None, typer.Option("--size", metavar="WxH", help="Width and height in inches, as in 8x5.")]
DpiOption = Annotated[float | None, typer.Option("--dpi", min=1.0, metavar="N", help="Dots an inch of a .png.")]
FinalOption = Annotated[
    bool | None,
    typer.Option("--final/--course", help="Draw what a sweep ends with, or its course.", show_default=False),
]
SeedlessOption = Annotated[bool, typer.Option("--seedless", metavar="", help="Draw a seed by chance, and say which.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(trace)
    app.command()(plot)


def trace(
    rules: Annotated[
        list[str],
        typer.Argument(
            metavar="RULE...",
            help="adam, FILE.py:NAME, MODULE:NAME, clipped(adam); several in one trace.",
            show_default=False,
        ),
    ],
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
    style: StyleOption = None,
    size: SizeOption = None,
    dpi: DpiOption = None,
    final: FinalOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Run a rule, or several on the same gradients, and record what every line gives.

    A knob goes to every rule that has it. Without --save and --plot the variables are printed at telling steps. A .zarr
    is written while it runs, in memory that does not grow with the steps.
    """
    from mhat import verbs
    from mhat.engines.work import variables_of
    from mhat.names import find_rule
    from mhat.terminal import facts, options

    meant = [find_rule(rule) for rule in rules]
    given = options.gradients_of(" ".join(rules), stream, landscape, steps, seedless, stored=_is_store(save))
    kept, shown = options.names_of("--keep", keep), options.names_of("--variables", variables)
    known = list(dict.fromkeys(name for rule in meant for name in variables_of(rule)))
    options.check_names(f"variable of {', '.join(rule.name for rule in meant)}", shown, kept or known)
    _check_outputs(save, plot, force=force)
    look = {"style": style, "size": options.size_of(size), "dpi": dpi, "final": final}
    odd: list[dict[str, Any]] = []

    def count(part: xr.Dataset) -> None:
        odd.extend(facts.non_finite(name, part[name]) for name in ("g", "x") if name in part)

    ds = verbs.trace(
        meant if len(meant) > 1 else meant[0], given, steps=steps, start=options.start_of(start), dtype=dtype,
        keep=kept or None, tensor=options.names_of("--tensor", tensor) or None, to=save if _is_store(save) else None,
        force=force, each=count, knobs=options.knobs_of(knob or []),
    )  # fmt: skip
    written = {"saved": str(save)} if _is_store(save) else {}
    written |= _write(ds, shown, None if _is_store(save) else save, plot, look, force=force)
    _tell(ds, meant, shown, _worth_telling(odd), written, as_json=as_json)


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
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Traces saved as .nc or .zarr.", show_default=False)
    ],
    variables: VariablesOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The figure to write. [FILE.png]", show_default=False),
    ] = None,
    style: StyleOption = None,
    size: SizeOption = None,
    dpi: DpiOption = None,
    final: FinalOption = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Draw traces that were saved; several in one figure, each by its rule, or by its file where rules are alike."""
    from mhat import verbs
    from mhat.outputs import check_output
    from mhat.terminal import options, pages

    path = check_output(output or files[0].with_suffix(".png"), FIGURES, force=force)
    traces = _labelled([(file.stem, verbs.load(str(file))) for file in files])
    shown = options.names_of("--variables", variables)
    known = list(dict.fromkeys(str(name) for ds in traces.values() for name in ds.data_vars))
    options.check_names(f"variable in {', '.join(map(str, files))}", shown, known)
    look = {"style": style, "size": options.size_of(size), "dpi": dpi, "final": final}
    drawn = traces if len(files) > 1 else next(iter(traces.values()))
    written = _write(drawn, shown, None, path, look, force=force)
    pages.say(json.dumps(written) if as_json else f"Drew {', '.join(map(str, files))} to {path}.")


def _labelled(loaded: list[tuple[str, xr.Dataset]]) -> dict[str, xr.Dataset]:
    """Call traces by their rules, or by their files where two are of one rule."""
    rules = [str(ds.attrs.get("rule", stem)) for stem, ds in loaded]
    names = rules if len(set(rules)) == len(rules) else [stem for stem, _ in loaded]
    return {name: ds for name, (_, ds) in zip(names, loaded, strict=True)}


def _check_outputs(save: Path | None, plot: Path | None, *, force: bool) -> None:
    """Refuse what cannot be written while nothing is lost by it."""
    from mhat.outputs import check_output
    from mhat.traces import check_save

    if save:
        check_save(save, force=force)
    if plot:
        check_output(plot, FIGURES, force=force)


def _write(
    what: Any, shown: list[str], save: Path | None, plot: Path | None, look: dict[str, Any], *, force: bool
) -> dict[str, str]:
    """Save and draw, as asked; where one of them fails, the other is not lost."""
    from mhat import verbs

    written: dict[str, str] = {}
    failed: MhatError | None = None
    if save:
        try:
            verbs.save(what, str(save), force=force)
            written["saved"] = str(save)
        except MhatError as error:
            if plot is None:
                raise
            failed = error
    if plot:
        from mhat import figures

        figures.save(verbs.plot(what, shown or None, **look), plot, force=force)
        written["drawn"] = str(plot)
    if failed is not None:
        failed.cure = f"{failed.cure} The figure is drawn: {plot}."
        raise failed
    return written


def _tell(
    ds: xr.Dataset,
    rules: list[Rule],
    shown: list[str],
    odd: list[dict[str, Any]],
    written: dict[str, str],
    *,
    as_json: bool,
) -> None:
    """Answer with a trace: where it was written, or its variables at telling steps; and what is odd about it."""
    from mhat.terminal import facts, pages, trace_pages
    from mhat.traces.schema import attributes_of, what_ran

    if as_json:
        pages.say(facts.as_json(facts.of_trace(ds, attributes_of(ds), not_finite=odd, **written)))
        return
    pages.show(trace_pages.trace_summary(ds, what_ran(ds), _settings(ds, rules)))
    if not written:
        names = shown or [*(str(name) for name in ds.data_vars if name != "x"), *(["x"] if "x" in ds else [])]
        pages.show("", trace_pages.trace_table(ds, names), "")
        if len([dim for dim in ds.dims if any(dim in rule.knobs for rule in rules)]) == 2:
            pages.show(*_final_table(ds))
    for end in _ends(ds):
        pages.show(end)
    for each in odd:
        pages.show(trace_pages.odd_numbers(each))
    for word, path in written.items():
        pages.show(pages.prose(f"{word.capitalize()}: {path}"))


def _settings(ds: xr.Dataset, rules: list[Rule]) -> list[str]:
    """Write the knobs that are not at their defaults, each once."""
    from mhat.notation.decimals import apart, exact
    from mhat.traces.schema import is_several, knobs_of, names_of

    numbers: list[str] = []
    swept: list[str] = []
    for name, rule in zip(names_of(ds) if is_several(ds) else [None], rules, strict=True):
        given = knobs_of(ds, name)
        for knob, default in rule.knobs.items():
            if "schedule" in ds.coords.get(knob, ds).attrs:
                swept.append(f"{knob} by {ds[knob].attrs['schedule']}")
            elif knob not in given:
                swept.append(f"{knob}={','.join(apart(ds[knob].values.ravel().tolist()))}")
            elif given[knob] != default:
                numbers.append(f"{knob}={exact(given[knob])}")
    return list(dict.fromkeys([*numbers, *swept]))


def _final_table(ds: xr.Dataset) -> list[Any]:
    """Tabulate what a sweep of two knobs ends with, unless the gradients have coordinates of their own."""
    from mhat import figures
    from mhat.terminal import trace_pages
    from mhat.traces.schema import landscape_of

    what = "x" if landscape_of(ds) is None else "the height above the minimum"
    frame = figures.final_values(ds)
    if frame.index.nlevels > 1:
        return []
    return [trace_pages.final_table(frame, f"Step {ds.sizes['step']}: {what}"), ""]


def _ends(ds: xr.Dataset) -> list[Any]:
    """Say where each rule ended on a landscape."""
    from mhat.terminal import trace_pages
    from mhat.traces.schema import landscape_of, names_of

    landscape = landscape_of(ds)
    if landscape is None or "x" not in ds or {*ds["x"].dims} - {"step", "rule", "i"}:
        return []
    lowest = (landscape.minimum_value, landscape.minimum)
    several = "rule" in ds["x"].dims
    last = ds["x"].isel(step=-1)
    ends = {name: last.sel(rule=name).values for name in names_of(ds)} if several else {"": last.values}
    return [
        trace_pages.landscape_end(name, end.tolist(), float(landscape.value(end)), *lowest)
        for name, end in ends.items()
    ]
