"""Landscapes as maps: paths, marks, window, heights."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mhat import figures, landscapes, rules
from mhat.traces import trace
from tests.figures.looks import bands, drawn, headings, lines, remarks, said, strips


def points(figure: Figure, gid: str) -> list[tuple[float, float]]:
    marks = (line for line in figure.axes[0].lines if line.get_gid() == gid)
    return [(float(np.asarray(m.get_xdata())[0]), float(np.asarray(m.get_ydata())[0])) for m in marks]


def test_rosenbrock_with_path_start_and_minimum() -> None:
    ds = trace(rules.adam, landscapes.rosenbrock(), steps=300, lr=0.05)
    figure = drawn(figures.plot(ds))
    chart, profile = figure.axes
    assert said(figure, "title") == "adam on rosenbrock, 300 steps, lr = 0.05"
    assert points(figure, "start") == [(-1.5, 2.0)] and points(figure, "minimum") == [(1.0, 1.0)]
    assert len(lines(chart, "path")[0]) == 301, "the path begins at the start"
    assert lines(chart, "path")[0][1:].tolist() == ds["x"].isel(i=1).values.tolist()
    assert strips(figure) == [["start", "end", "minimum"]]
    (left, right), (bottom, top) = chart.get_xlim(), chart.get_ylim()
    assert left < -1.5 and right > 1 and bottom < 1 and top > 2
    heights = lines(profile, "")[0]
    assert heights[0] == pytest.approx(float(landscapes.rosenbrock().value([-1.5, 2.0])))
    assert chart.collections, "contours"
    assert "A dot every 50 steps." in said(figure, "caption")


def test_a_sweep_is_a_path_each_in_ordered_colours() -> None:
    ds = trace(rules.adam, landscapes.himmelblau(), steps=20, lr=[0.01, 0.1, 1.0])
    figure = figures.plot(ds)
    assert strips(figure) == [["0.01", "0.1", "1"], ["start", "end", "minimum"]]
    colours = [line.get_color() for line in figure.axes[0].lines if line.get_gid() == "path"]
    assert len(set(colours)) == 3 and len(points(figure, "minimum")) == 4
    assert colours == [line.get_color() for line in figure.axes[1].lines]


def test_panels_are_added_when_asked_for_and_have_the_colours_of_the_paths() -> None:
    ds = trace(rules.adam, landscapes.saddle(), steps=20, lr=[0.01, 0.1])
    figure = drawn(figures.plot(ds, ["ratio", "x"]), layout=True)
    assert headings(figure)[2:4] == ["$i$ = 0\nRatio", "$i$ = 1\n"]
    assert [line.get_color() for line in figure.axes[2].lines if line.get_label() == "_ratio"] == [
        line.get_color() for line in figure.axes[0].lines if line.get_gid() == "path"
    ]
    alone = figures.plot(trace(rules.adam, landscapes.saddle(), steps=20), "x")
    assert strips(alone) == [["start", "end", "minimum"], ["0", "1"]]


def test_two_sweeps_and_many_paths() -> None:
    knobs = {"lr": np.geomspace(1e-3, 0.1, 5).tolist(), "beta1": [0.0, 0.5, 0.9]}
    figure = figures.plot(trace(rules.adam, landscapes.booth(), steps=9, **knobs), "x")
    assert len(lines(figure.axes[0], "path")) == 15 and bands(figure.axes[2])
    assert strips(figure)[:2] == [["0.001", "0.003162", "0.01", "0.03162", "0.1"], ["0", "0.5", "0.9"]]
    more = {**knobs, "beta1": [0.0, 0.3, 0.5, 0.9]}
    figure = figures.plot(trace(rules.adam, landscapes.booth(), steps=9, **more), "x")
    assert len(lines(figure.axes[0], "path")) == 15 and "15 of 20 paths are shown." in said(figure, "caption")


def test_two_sweeps_three_by_three_are_all_drawn() -> None:
    """Eight of nine were, and a legend of eight pairs of numbers said which."""
    figure = figures.plot(
        trace(rules.adam, landscapes.booth(), steps=9, lr=[0.1, 1, 2], beta1=[0, 0.5, 0.9]), final=False
    )
    paths = [line for line in figure.axes[0].lines if line.get_gid() == "path"]
    assert len({(line.get_color(), str(line.get_linestyle()), tuple(line.get_ydata())) for line in paths}) == 9
    assert strips(figure)[:2] == [["0.1", "1", "2"], ["0", "0.5", "0.9"]]
    assert "shown" not in said(figure, "caption")


def test_a_sweep_of_several_rules_names_its_knob() -> None:
    """The legend said "adam, 0.01", and of which knob was nowhere."""
    two = [trace(rules.named(name), landscapes.ravine(), steps=9, lr=[0.1, 0.2]) for name in ("adam", "rmsprop")]
    figure = figures.plot(two)
    assert strips(figure)[:2] == [["adam", "rmsprop"], ["0.1", "0.2"]]
    assert "lr =" in [text.get_text() for text in figure.texts]
    ends = {tuple(np.asarray(line.get_ydata())[-1:]) for line in figure.axes[0].lines if line.get_gid() == "path"}
    assert len(ends) == 4, "every path is one of its own"


@pytest.mark.parametrize("name", landscapes.names())
def test_every_landscape_is_drawn_whether_the_path_settles_or_diverges(name: str) -> None:
    for lr in (1e-3, 100.0) if name in ("beale", "reddi", "rastrigin") else (1e-3,):
        figure = figures.plot(trace(rules.sgd, landscapes.named(name), steps=30, lr=lr))
        assert len(points(figure, "end")) == (landscapes.named(name).dimensions == 2)


def test_a_diverging_path_does_not_take_the_map_with_it() -> None:
    figure = drawn(figures.plot(trace(rules.sgd, landscapes.rosenbrock(), steps=30, lr=1.0)))
    assert figure.axes[0].get_xlim()[1] < 10 and "1 path leaves the map." in said(figure, "caption")
    assert "non-finite" in remarks(figure.axes[1])


def test_one_coordinate_is_drawn_over_the_steps_with_its_minimum() -> None:
    figure = figures.plot(trace(rules.adam, landscapes.reddi(), steps=30, lr=0.1))
    assert headings(figure)[-1] == "Parameter $x_{t}$"
    assert lines(figure.axes[-1], "minimum")[0].tolist() == [-1.0, -1.0]
    assert remarks(figure.axes[-1]) == "dotted: the minimum"


def test_without_x_or_its_landscape_the_variables_are_drawn() -> None:
    ds = trace(rules.adam, landscapes.rosenbrock(), steps=5)
    assert headings(figures.plot(ds.drop_vars("x")))[0] == "Gradient $g_{t}$"
    ds.attrs["landscape"] = "no_such_place"
    assert headings(figures.plot(ds))[-1] == "Parameter $x_{t}$"
    ds.attrs["landscape"] = ""
    assert said(figures.plot(ds), "title").startswith("adam on a landscape of your own")


def test_one_unit_is_as_long_on_both_axes() -> None:
    figure = drawn(figures.plot(trace(rules.adam, landscapes.saddle(), steps=20)), layout=True)
    chart = figure.axes[0]
    box = chart.get_window_extent()
    (left, right), (bottom, top) = chart.get_xlim(), chart.get_ylim()
    assert (right - left) / box.width == pytest.approx((top - bottom) / box.height, rel=1e-6)


def test_rules_have_the_same_window_together_and_apart() -> None:
    traces = {name: trace(rules.named(name), landscapes.rosenbrock(), steps=100, lr=0.01) for name in ("adam", "lion")}
    windows = {
        (figure.axes[0].get_xlim(), figure.axes[0].get_ylim())
        for figure in [figures.plot(traces), *(figures.plot(ds) for ds in traces.values())]
    }
    assert len(windows) == 1


def test_several_rules_are_paths_in_one_figure_with_one_legend() -> None:
    traces = [trace(rules.named(name), landscapes.ravine(), steps=60, lr=0.05) for name in ("adam", "rmsprop", "sgd")]
    figure = drawn(figures.plot(traces))
    assert strips(figure) == [["adam", "rmsprop", "sgd"], ["start", "end", "minimum"]]
    assert said(figure, "title") == "adam, rmsprop and sgd on ravine, 60 steps, lr = 0.05"
    chart, profile = figure.axes
    paths = [line.get_color() for line in chart.lines if line.get_gid() == "path"]
    assert paths == [line.get_color() for line in profile.lines] and len(set(paths)) == 3
    assert "1 path leaves the map." in said(figure, "caption")
    (left, right), _ = chart.get_xlim(), chart.get_ylim()
    assert right - left <= 1.4 * 3.0, "a rule that diverges does not take the map with it"


def test_many_values_of_a_sweep_are_paths_with_a_colour_bar() -> None:
    ds = trace(rules.adam, landscapes.ravine(), steps=9, lr=np.geomspace(1e-3, 0.1, 20).tolist())
    figure = drawn(figures.plot(ds), layout=True)
    assert strips(figure) == [["start", "end", "minimum"]]
    assert figure.axes[-1].get_title() == "lr" and "12 of 20 paths are shown." in said(figure, "caption")


def test_traces_of_different_landscapes_are_drawn_over_the_steps() -> None:
    traces = [trace(rules.adam, landscape, steps=9) for landscape in (landscapes.ravine(), landscapes.booth())]
    figure = figures.plot(traces, "x")
    assert said(figure, "title") == "adam, 9 steps" and strips(figure)[0] == ["ravine", "booth"]


def test_a_trace_that_was_cut_begins_where_it_was_cut() -> None:
    ds = trace(rules.adam, landscapes.rosenbrock(), steps=100, lr=0.05).sel(step=slice(50, None))
    chart, profile = figures.plot(ds).axes
    assert len(lines(chart, "path")[0]) == 51 and points(chart.figure, "start") != [(-1.5, 2.0)]
    assert profile.lines[0].get_xdata()[0] == 50
