"""`plot`: the picture of one trace or of several, whatever they ran on. It knows no engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mhat.errors import BadValue
from mhat.figures import borrowed, finals, stacks, terrain
from mhat.figures.canvas import Picture, Strip, fitted, frame
from mhat.figures.finals import Final
from mhat.figures.looks import Look, Style, look_of
from mhat.figures.remarks import remark
from mhat.figures.runs import Run, chosen, landscape_in, named_runs, runs_of
from mhat.figures.stacks import Stack
from mhat.figures.wording import paper_of, words_of
from mhat.landscapes import Landscape


def plot(
    what: Any,
    variables: str | Iterable[str] | None = None,
    *,
    ax: Any = None,
    style: Style | None = None,
    size: Any = None,
    dpi: Any = None,
    final: bool | None = None,
) -> Figure:
    """Draw a trace, or several: variables grouped by unit, a sweep as a family, a landscape as contours with the paths.

    `what`: a trace, a list of traces, or a dict of traces by their labels; several have a colour each, as have the
    rules of a trace with the dimension `rule`. `variables`: the names to draw (all; on a landscape of two coordinates
    the paths and the height alone). `ax`: axes of yours to draw into: one for a single panel, or an array of as many as
    there are panels. `style`: "dark", "print", "large", the name of a style of matplotlib, settings, or a list of
    these; settings that you have made yourself hold too. `size`: width and height in inches. `dpi`: dots an inch.
    `final`: whether to draw the last values over the knobs that are swept (if there are two, as a heat map) in place of
    the course.

    The Figure shows itself in a notebook and needs no screen. Raises UnknownName for a variable or style that does not
    exist, BadValue for what is no trace, and for axes that are not as many as the panels.
    """
    runs = runs_of(what)
    names = chosen(runs, variables)
    if ax is not None:
        borrowed.refuse_size(size, dpi)
        ends = _finals(runs, names if variables is not None else None, final)
        return borrowed.draw(runs, names if variables is not None else None, ends, ax, style)
    return fitted(look_of(style, size, dpi), lambda look: _drawn(runs, names, final, look, all_of_it=variables is None))


def _drawn(runs: tuple[Run, ...], names: list[str], final: bool | None, look: Look, *, all_of_it: bool) -> Picture:
    """Draw a figure of our own; `names` are all there are where nobody has chosen any."""
    ends = _finals(runs, None if all_of_it else names, final)
    if ends:
        return _over_the_knobs(runs, ends, look)
    landscape = landscape_in(runs)
    if landscape is not None and all(terrain.can_be_drawn(run.ds, landscape) for run in runs):
        return _on_a_map(runs, [] if all_of_it else names, landscape, look)
    return _over_the_steps(runs, names, landscape, look)


def _finals(runs: tuple[Run, ...], names: list[str] | None, final: bool | None) -> list[Final]:
    """Collect what is drawn over the knobs: nothing if it is the course that is asked for."""
    if final is False:
        return []
    ends = finals.finals_of(runs, names, 2)
    if final is None or ends:
        return ends
    ends = finals.finals_of(runs, names, 1)
    if not ends:
        raise BadValue(
            "there is no last value for each value of one or two knobs",
            "Sweep one or two knobs, of variables without coordinates: mhat.trace(rule, stream, lr=[0.01, 0.1]).",
        )
    return ends


def _over_the_knobs(runs: tuple[Run, ...], ends: list[Final], look: Look) -> Picture:
    notes: list[str] = []
    if len(ends[0].knobs) == 1:
        figure = Picture(look, 8.0, 1.4 + 2.6 * len(ends))
        finals.draw_curves(ends, list(figure.subplots(len(ends), squeeze=False)[:, 0]), runs)
        strips = stacks.run_strips(runs)
    else:
        figure = _heat_maps(ends, look)
        strips = []
        notes = [note for final in ends for note in final.notes]
    traces = [run.ds for run in runs]
    frame(figure, words_of(traces).title, [*notes, paper_of(traces)], strips)
    return figure


def _heat_maps(ends: list[Final], look: Look) -> Picture:
    """Lay heat maps out: of one run its variables beside each other, of several runs a row a variable."""
    columns = max(len(final.runs) for final in ends)
    beside = columns == 1 and len(ends) > 1 and not look.is_narrow(9.5)
    rows = -(-len(ends) // 2) if beside else len(ends)
    wide = 6.4 if columns == 1 and not beside else 9.5 if columns < 3 else 13.0
    figure = Picture(look, wide, 1.1 + (3.4 if columns < 3 else 3.0) * rows)
    grid = figure.subplots(rows, 2 if beside else columns, squeeze=False)
    if not beside:
        finals.draw_maps(figure, ends, [list(row) for row in grid])
    else:
        finals.draw_maps(figure, ends, [[axes] for axes in grid.flat[: len(ends)]])
    for axes in grid.flat:
        if not axes.has_data():
            axes.set_visible(False)
    return figure


def _on_a_map(runs: tuple[Run, ...], names: list[str], landscape: Landscape, look: Look) -> Picture:
    """Draw the map, the height over the steps beside it, and under them the panels of the variables `names`."""
    stack = stacks.stack_of(runs, names)
    paths = terrain.paths_of(runs)
    count, columns = len(stack.panels), len(stack.family.columns)
    narrow = look.is_narrow(11.0)
    upper, lower = (10.2 if narrow else 5.0), 1.7 * count + (0.4 if count else 0.0)
    figure = Picture(look, 11.0, 0.9 + upper + lower)
    outer = figure.add_gridspec(2, 1, height_ratios=[upper, lower]) if count else figure.add_gridspec(1, 1)
    shares = {"height_ratios": [1.9, 1.0]} if narrow else {"width_ratios": [1.0, 1.1]}
    inner = outer[0].subgridspec(2 if narrow else 1, 1 if narrow else 2, **shares)
    chart, profile = (figure.add_subplot(inner[place]) for place in (0, 1))
    notes = [*paths.notes, *terrain.draw_map(chart, landscape, paths.each, terrain.window_of(landscape, paths.each))]
    terrain.draw_profile(profile, landscape, paths.each)
    rows: list[list[Axes]] = []
    if count:
        rows = [list(row) for row in outer[1].subgridspec(count, columns).subplots(sharex=True, squeeze=False)]
        stacks.draw(stack, rows)
    strips = [*terrain.strips(figure, paths, profile), Strip("", terrain.signs(chart))]
    # A sweep and runs have the colours of the paths, which are named above.
    strips += stacks.keys(stack, *stack.panels, members=not stack.family.ordered, runs=False)
    _finish(figure, runs, stack, notes, strips)
    return figure


def _over_the_steps(runs: tuple[Run, ...], names: list[str], landscape: Landscape | None, look: Look) -> Picture:
    stack = stacks.stack_of(runs, names)
    count, columns = max(len(stack.panels), 1), len(stack.family.columns)
    figure = Picture(look, 9.5 if columns == 1 else min(4.0 + 3.2 * columns, 14.0), 1.2 + max(1.7 * count, 2.6))
    grid = figure.subplots(count, columns, sharex=True, squeeze=False)
    rows = [list(row) for row in grid]
    stacks.draw(stack, rows[: len(stack.panels)], stacks.minima(landscape))
    if not stack.panels:
        remark(rows[0][0], "no variable is chosen")
    strips = stacks.strips(figure, stack, [axes for row in rows for axes in row])
    _finish(figure, runs, stack, [], strips)
    return figure


def _finish(figure: Picture, runs: tuple[Run, ...], stack: Stack, notes: list[str], strips: list[Strip]) -> None:
    """Frame a figure with all that is said of its traces."""
    words = words_of([run.ds for run in runs])
    asides = [f"{run.label}: {label}" for run, label in zip(runs, words.labels, strict=True) if label != run.label]
    pale = [run.label for run in runs[named_runs(runs) :]]
    others = [f"In grey: {', '.join(pale)}."] if pale else []
    sentences = ["; ".join(asides), *others, *notes, *stack.family.notes, paper_of([run.ds for run in runs])]
    frame(figure, words.title, sentences, strips)
    figure.align_ylabels()
