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
    assert len(lines(figure.axes[0], "path")) == 8
    assert "8 of 15 paths are shown." in said(figure, "caption") and bands(figure.axes[2])


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
