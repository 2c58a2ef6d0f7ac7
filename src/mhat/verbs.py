"""The public verbs, thin: they find what is named and hand it to the floor that does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr
    from matplotlib.figure import Figure

    from mhat.checks.comparison import Comparison
    from mhat.checks.verdict import Verdict
    from mhat.conversions import Conversion
    from mhat.engines.stepping import Step
    from mhat.explanations.explanation import Explanation
    from mhat.reading.reading import Reading
    from mhat.writing.passages import Passage


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
    rule: Any, x: Any, g: Any, t: Any, state: Any = None, *, knobs: Mapping[str, Any] | None = None, **more: Any
) -> Step:
    """Run one step of a rule on floats, NumPy arrays, torch tensors, JAX arrays or lists of them.

    See `mhat.engines.stepping.step`.

    >>> import mhat
    >>> mhat.step("sgd", 1.0, 2.0, 1, lr=0.25).x
    0.5
    """
    from mhat.engines import stepping
    from mhat.language.settings import knobs_set
    from mhat.names import find_rule

    rule = find_rule(rule)
    arguments = {} if state is None else {"state": state}
    return stepping.step(rule, x, g, t, state, **knobs_set("step", more, knobs, rule.knobs, arguments))


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


def check(
    subject: Any = None,
    against: Any = None,
    *,
    observe: str | None = None,
    strict: bool = False,
    maximize: bool = False,
    seconds: float = 45.0,
    dtype: str | None = None,
    feed: str | None = None,
    read: str | None = None,
    command: str | None = None,
    recorded: str | Path | None = None,
    tensors: int | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    explain: bool = False,
    convention: str | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Verdict:
    """Check an implementation against a rule: does it conform, and if not, which line is wrong.

    `subject`: a function `run(gradients) -> parameters` (shapes (T,) or (T, n)), a class with a step method, a
    rule, a torch optimizer class, an optax transformation, a Keras optimizer, or a name of one (`"mine.py:my_adam"`,
    `"torch.optim:Adam"`); with `feed` and `read` a script, of which one name is fed and one read. In its place:
    `command`, a command line that speaks JSON lines, driven with `tensors` tensors at once; or `recorded`, the file of
    a run. `against`: the rule it claims to be; None: the one that its name claims (MyAdamW is adamw), else it is
    identified among the library's; the verdict's notes say which. `observe`: what it returns: "x", the "update", or
    a variable of the rule. Knobs given are held; others that the subject takes are varied, and those it hides are
    estimated, unless `strict`. `maximize`: it climbs. `seconds` limits the search for the mistake, `timeout` each run
    of it, `memory` (GB; half of what there is) its process. What is named by text runs in a process of its own, unless
    `in_process`; a thing of yours runs where it is. `explain`: say also what becomes of the mistake (`verdict.why`).
    `convention`: how code is called that was not written for mhat, if what is found out (the notes say) is not meant.
    Keywords that are no knobs of the rule are options of the subject's constructor; a knob with the name of an argument
    stands in `knobs={...}`.

    Raises SubjectError if the subject fails, UnknownName, BadValue, InputFileError.

    >>> import mhat, numpy as np
    >>> def my_sgd(gradients, lr=0.1):
    ...     return -lr * np.cumsum(gradients, axis=0)
    >>> verdict = mhat.check(my_sgd)
    >>> verdict.conforms, verdict.against
    (True, 'sgd')
    """
    from mhat.inquiry import Manner, judge, parties

    (party,) = parties([subject], command=command, recorded=recorded, feed=feed, read=read)
    manner = Manner(
        "check", observe or "x", strict, maximize, seconds, dtype, tensors, timeout, memory, in_process, convention
    )
    verdict = judge(party, against, manner, more, knobs)
    return verdict.explained() if explain else verdict


def read(
    subject: Any,
    *,
    dtype: str | None = None,
    feed: str | None = None,
    read: str | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Reading:
    """Read the pseudo code of what an implementation does: some of its steps are recorded and folded into a rule.

    Takes subjects as `check` does, but no commands and records. Knobs given are held, other keywords are options of its
    constructor. The reading has the `rule` (None where nothing could be folded), `lines` with the places that they
    came from, `complete` (the rule does what the subject does, on all streams of `agreement`) and `notes` (what could
    not be read, and where). Raises SubjectError if the subject does not run, UnknownName, BadValue, InputFileError.

    >>> import mhat, numpy as np
    >>> def slow(gradients, lr=0.1):
    ...     return -lr * np.cumsum(gradients, axis=0)
    >>> mhat.read(slow).complete
    True
    """
    from mhat import inquiry

    (party,) = inquiry.parties([subject], feed=feed, read=read)
    manner = inquiry.Manner("read", dtype=dtype, timeout=timeout, memory=memory, in_process=in_process)
    return inquiry.read(party, manner, more, knobs)


def identify(
    subject: Any = None,
    *,
    observe: str | None = None,
    maximize: bool = False,
    seconds: float = 90.0,
    dtype: str | None = None,
    feed: str | None = None,
    read: str | None = None,
    command: str | None = None,
    recorded: str | Path | None = None,
    tensors: int | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    explain: bool = False,
    convention: str | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Verdict:
    """Find out which rule of the library an implementation is, with which knobs, and which edits.

    The verdict's `against` names the rule. Takes subjects and raises as `check` does. Keywords that are knobs of
    no rule in the library are options of the subject's constructor.
    """
    from mhat import inquiry

    (party,) = inquiry.parties([subject], command=command, recorded=recorded, feed=feed, read=read)
    manner = inquiry.Manner(
        "identify", observe or "x", False, maximize, seconds, dtype, tensors, timeout, memory, in_process, convention
    )
    verdict = inquiry.identify(party, manner, more, knobs)
    return verdict.explained() if explain else verdict


def compare(
    a: Any = None,
    b: Any = None,
    *,
    observe: str | None = None,
    seconds: float = 90.0,
    dtype: str | None = None,
    feed: str | Sequence[str] | None = None,
    read: str | Sequence[str] | None = None,
    command: str | Sequence[str] | None = None,
    recorded: str | Path | Sequence[str | Path] | None = None,
    tensors: int | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
    convention: str | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Comparison:
    """Compare two implementations: where they part, and why, by the rule that each is or is nearest to.

    Takes subjects and keywords and raises as `identify` does; a command or a record stands for one of the two, a list
    of them for both. `feed` and `read` serve every script, or are lists in the order of the scripts. Options go to the
    constructors of both.
    """
    from mhat import inquiry

    pair = inquiry.parties([a, b], command=command, recorded=recorded, feed=feed, read=read, wanted=2)
    manner = inquiry.Manner(
        "compare", observe or "x", False, False, seconds, dtype, tensors, timeout, memory, in_process, convention
    )
    return inquiry.compare(pair, manner, more, knobs)


def explain(
    rule: Any,
    stream: Any = None,
    *,
    why: str | None = None,
    seconds: float = 90.0,
    each: Callable[[Iterable[Passage]], None] | None = None,
    in_full: bool = False,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Explanation:
    """Explain why a rule moves as it moves: claims in words and numbers, each with its evidence.

    `rule`: a rule, a function written as one, or a name; an implementation that is no rule (`"mine.py:my_adam"`) is
    identified first, for `seconds` at most, and the rule that it is found to be is explained. `stream`: a stream or a
    landscape, or its name: then it is about this rule on that. `why`: one of the questions that `mhat explain
    --questions` lists. `each`: a function that sees every section as it is made. `in_full`: all numbers, and in what
    `each` sees all evidence.
    A knob with the name of an argument stands in `knobs={...}`.

    Every claim is proved by symbols or from the tree, refuted by the smallest gradients, tested on streams, or computed
    by runs that anyone can repeat, and says which; `mhat.explanations.evidence.seen_again` repeats its evidence.

    Raises UnknownName, BadValue, InputFileError, LanguageError, SubjectError.

    >>> import mhat
    >>> explanation = mhat.explain("sgd")
    >>> print(explanation.claims[0].sentence)
    x moves against the gradient, by lr = 0.01 times it.
    """
    from mhat import inquiry

    manner = inquiry.Manner("explain", seconds=seconds)
    return inquiry.explain(rule, stream, manner, more, knobs, each, in_full)


def convert(
    rule: str,
    *,
    from_: str | None = None,
    to: str | None = None,
    measure: bool = True,
    timeout: float | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Conversion:
    """Convert an optimizer to another framework: the lines to paste, or what cannot be the same and by how much.

    `rule`: a rule ("adam") or what the framework calls it ("RMSprop", "keras.optimizers.Adam"). `from_` and `to`:
    torch, optax, keras, tensorflow (`tf.compat.v1`), sklearn or numpy (mhat itself). Knobs as the source spells them,
    or as mhat does, as keywords or in `knobs={...}`; what is not told is as the source has it by default. Where
    both are installed the real optimizers are driven side by side, each no longer than `timeout` seconds, unless
    `measure` is False; else what is said is computed from the pseudo code of both.

    Returns a Conversion: `answer` ("exact", "conditional", "different", "absent"), `lines`, `knobs`, `conditions`,
    `measured`, `to_json()`. Raises UnknownName for a rule, framework or knob that there is not, BadValue for numbers
    that cannot be.

    >>> import mhat
    >>> conversion = mhat.convert("rmsprop", from_="torch", to="optax", measure=False)
    >>> conversion.answer
    'exact'
    >>> print(conversion.lines)
    optimizer = optax.rmsprop(learning_rate=0.01, decay=0.99, eps_in_sqrt=False)
    """
    from mhat import conversions
    from mhat.language.settings import knobs_set

    told = knobs_set("convert", more, knobs, (), {})
    limit = {} if timeout is None else {"limit": timeout}
    return conversions.convert(rule, from_, to, told, measure=measure, **limit)
