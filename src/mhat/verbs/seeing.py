"""See what a rule does: traces, figures, single steps, and what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr
    from matplotlib.figure import Figure

    from mhat.engines.stepping import Step
    from mhat.explanations.explanation import Explanation


def trace(
    rule: Any,
    stream: Any,
    steps: int | None = None,
    start: Any = None,
    dtype: str = "float64",
    keep: str | Iterable[str] | None = None,
    tensor: str | Iterable[str] | None = None,
    to: str | Path | None = None,
    force: bool = False,
    each: Callable[[xr.Dataset], None] | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> xr.Dataset:
    """Run a rule over a stream or a landscape and record what every line of it gives.

    `rule`: a rule, a function written as one, or a name (`"adam"`, `"mine.py:my_rule"`); or a list of them, which run
    on the same gradients and give one Dataset with the dimension `rule`. `stream`: gradients given beforehand (a
    stream, an array with the steps first, a DataArray with the dimension `step`), a landscape, or a name
    (`"constant:10"`, `"gradients.csv"`, `"rosenbrock"`). `steps`: how many (all there are; 1,000 on a landscape).
    `start`: x before step 1 (0; on a landscape its own start). `dtype`: float64, float32, float16 or bfloat16 (the
    last two held as float32, with the attribute `arithmetic`). `keep`: the variables to record (all). `tensor`: the
    dimensions that make up one tensor, which `norm` and `mean` run over (all but `step`). A knob is a number, a list
    (a sweep along a dimension of its name) or a DataArray: named dimensions broadcast, and over `step` it is a
    schedule. `to`: the name of a zarr store for a long trace: it is run some steps at a time and written as it comes,
    in memory that does not grow with the steps; gradients on Dask or in an .npy, .nc or .zarr file are read a block
    at a time, those of a formula are made first. `force`: overwrite a store that exists. `each`: a function that sees
    every part of the trace as it is made: the whole, or with `to` some steps at a time, and the gradients with it
    whether or not they are kept. A knob with the name of an argument stands in `knobs={...}`.

    Returns an `xarray.Dataset` over `step` = 1..T, then the dimensions of sweeps, then those of the gradients;
    `x` is the parameter after the step. Of several rules `rule` comes after `step`, with their names (one that is
    there twice is numbered); a knob goes to every rule that has it, and a variable that a rule lacks is NaN.
    Dask-backed inputs stay lazy; with `to` the Dataset is opened lazily from the store. A non-finite gradient never
    raises.

    Raises UnknownName for a name that does not exist, BadValue for numbers that cannot be, LanguageError for a
    rule outside the language, InputFileError for a file that cannot be read, OutputFileError for a store that
    exists or cannot be written.

    >>> import mhat
    >>> ds = mhat.trace("adam", mhat.streams.constant(10, steps=100), eps=1e-3)
    >>> float(ds.ratio.sel(step=100))
    0.9999000099990011
    """
    from mhat import traces
    from mhat.language import Rule
    from mhat.language.settings import knobs_set
    from mhat.names import check_order, find_gradients, find_rule
    from mhat.progress import bar

    if isinstance(stream, str | Rule):
        check_order(rule, stream)
    several = isinstance(rule, list | tuple)
    rules = [find_rule(one) for one in (rule if several else [rule])]
    told = {"steps": steps, "start": start, "keep": keep, "tensor": tensor, "to": to, "each": each}
    told |= {"dtype": dtype if dtype != "float64" else None, "force": force or None}
    arguments = {name: value for name, value in told.items() if value is not None}
    settings = knobs_set("trace", more, knobs, {name for one in rules for name in one.knobs}, arguments)
    path = None if to is None else traces.check_save(to, force=force, endings=(".zarr",))
    request = traces.understand(
        rules if several else rules[0], find_gradients(stream, steps, stored=path is not None), steps=steps,
        start=start, dtype=dtype, keep=keep, tensor=tensor, knobs=settings,
    )  # fmt: skip
    hidden = ["g"] if each is not None and "g" not in request.keep else []
    request = request.keeping(*hidden)
    with bar(request.steps, f"{request.name}, steps") as report:
        if path is not None:
            return traces.write(_shown(traces.run_in_blocks(request, report), each, hidden), path, force=force)
        (ds,) = _shown([traces.run_whole(request, report)], each, hidden)
    return ds


def _shown(
    parts: Iterable[xr.Dataset], each: Callable[[xr.Dataset], None] | None, hidden: list[str]
) -> Iterator[xr.Dataset]:
    """Show every part of a trace to who wants to see it, and hide what is not to be kept."""
    for part in parts:
        if each is not None:
            each(part)
        yield part.drop_vars(hidden)


def plot(
    what: Any,
    variables: str | Iterable[str] | None = None,
    *,
    ax: Any = None,
    style: Any = None,
    size: tuple[float, float] | None = None,
    dpi: float | None = None,
    final: bool | None = None,
) -> Figure:
    """Draw a trace, several traces, a verdict, or an explanation on a stream.

    A trace: its variables grouped by unit, a sweep as a family, two swept knobs as a heat map of the last values, a
    landscape as contours with the path. Several, in a list or a dict by their labels, and the rules of a trace of
    several: a colour each. A verdict that deviates: subject and rule side by side, from the first deviating step on.

    `variables`: the names to draw. `ax`: axes of yours to draw into, as many as there are panels. `style`: "dark",
    "print" (80 mm wide), "large", any style of matplotlib, settings, or a list of these; settings that you have made
    yourself hold too. `size`: width and height in inches. `dpi`: dots an inch. `final`: draw what the sweep ends with
    (True), or its course (False).

    Returns a matplotlib Figure. Raises UnknownName for a variable or style that does not exist, BadValue for what is
    neither trace nor verdict, for a verdict without a deviation, and for axes that are not as many as the panels.
    """
    from mhat import figures
    from mhat.checks.verdict import Verdict as OfACheck
    from mhat.errors import BadValue
    from mhat.explanations.explanation import Explanation as OfARule

    if isinstance(what, OfACheck):
        if variables is not None or final is not None:
            raise BadValue(
                "a verdict is drawn as what was observed, and has no `variables` and no `final`",
                "Leave them out, or draw the rule: mhat.plot(mhat.trace(verdict.diagnosis.rule, stream), variables).",
            )
        return figures.side_by_side(what, ax=ax, style=style, size=size, dpi=dpi)
    if isinstance(what, OfARule):
        course, formulas = _course_of(what)
        figure = figures.plot(course, variables, ax=ax, style=style, size=size, dpi=dpi, final=final)
        return figures.mark_formulas(figure, course, formulas)
    return figures.plot(what, variables, ax=ax, style=style, size=size, dpi=dpi, final=final)


def _course_of(explanation: Explanation) -> tuple[xr.Dataset, dict[str, list[float]]]:
    """Trace what an explanation is about, and compute its closed forms; raises BadValue where it is on none."""
    from mhat.errors import BadValue
    from mhat.explanations import courses
    from mhat.explanations.runs import Setting

    if not explanation.stream:
        raise BadValue(
            f"the explanation of {explanation.called} is on no stream", 'Give one: mhat.explain(rule, "constant:10").'
        )
    measured = trace(explanation.rule, explanation.stream, knobs=explanation.knobs)
    setting = Setting(explanation.rule, "", explanation.knobs)
    return measured, courses.predicted(setting, explanation.stream, measured.sizes["step"])


def step(
    rule: Any, x: Any, g: Any, t: Any, state: Any = None, *, loss: Any = None, h: Any = None,
    knobs: Mapping[str, Any] | None = None, **more: Any,
) -> Step:  # fmt: skip
    """Run one step of a rule on floats, NumPy arrays, torch tensors, JAX arrays or lists of them.

    `loss` and `h` are for rules that read them: the loss at x, and a second array as `g`, such as the diagonal of the
    Hessian. See `mhat.engines.stepping.step`.

    >>> import mhat
    >>> mhat.step("sgd", 1.0, 2.0, 1, lr=0.25).x
    0.5
    """
    from mhat.engines import stepping
    from mhat.language.settings import knobs_set
    from mhat.names import find_rule

    rule = find_rule(rule)
    given = {name: value for name, value in (("loss", loss), ("h", h)) if value is not None}
    # A rule may have a knob of such a name.
    more |= {name: given.pop(name) for name in list(given) if name in rule.knobs and name not in rule.tree.inputs}
    arguments = {} if state is None else {"state": state}
    return stepping.step_given(rule, x, g, t, state, given, knobs_set("step", more, knobs, rule.knobs, arguments))


def load(path: str) -> xr.Dataset:
    """Load a trace saved as netCDF or zarr; raises InputFileError."""
    from mhat import traces

    return traces.load(path)


def save(ds: xr.Dataset, path: str, *, force: bool = False) -> None:
    """Save a trace as .nc, .zarr, .csv or .parquet; raises OutputFileError if the file exists, unless `force`."""
    from mhat import traces

    traces.save(ds, path, force=force)


def again(ds: xr.Dataset) -> xr.Dataset:
    """Run a trace again from what it carries: its rule, knobs, start and gradients; raises BadValue if it lacks any."""
    from mhat import traces

    return traces.again(ds)
