"""What sweeps end with: heat maps over two knobs, curves over one, and tables."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

import mhat
from mhat import figures, landscapes, rules, streams
from mhat.errors import BadValue, UnknownName
from mhat.traces import trace
from tests.figures.looks import drawn, headings, lines, remarks, said, strips

LR, BETA1 = [1e-3, 0.01, 0.1], [0.0, 0.9]


@pytest.fixture(scope="module")
def two() -> xr.Dataset:
    return trace(rules.adam, streams.ramp(steps=9), lr=LR, beta1=BETA1)


@pytest.fixture(scope="module")
def on_a_map() -> xr.Dataset:
    return trace(rules.adam, landscapes.rosenbrock(), steps=60, lr=LR, beta1=BETA1)


def cells(figure: Figure, place: int = 0) -> np.ndarray[Any, Any]:
    (mesh,) = (each for each in figure.axes[place].collections if isinstance(each, QuadMesh))
    return np.ma.filled(np.ma.asarray(mesh.get_array(), dtype=float), np.nan)


def test_two_knobs_are_a_heat_map_of_the_last_value(two: xr.Dataset) -> None:
    figure = drawn(figures.plot(two), layout=True)
    assert headings(figure)[0] == "Parameter $x_{t}$ at step 9", "what depends on both"
    assert cells(figure) == pytest.approx(two["x"].isel(step=-1).transpose("lr", "beta1").values)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.001", "0.01", "0.1"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "0.9"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (r"$\beta_{1}$", "lr")
    assert len([text for text in axes.texts if text.get_gid() == "value"]) == 6


def test_several_variables_are_heat_maps_beside_each_other() -> None:
    ds = trace(rules.adam, streams.normal(steps=9), beta2=[0.9, 0.99], beta1=BETA1)
    figure = drawn(figures.plot(ds, ["ratio", "x"]), layout=True)
    assert headings(figure)[:2] == ["Ratio at step 9", "Parameter $x_{t}$ at step 9"]
    assert said(figure, "title") == "adam on normal, 9 steps"


def test_a_landscape_shows_the_height_and_frames_the_lowest(on_a_map: xr.Dataset) -> None:
    figure = drawn(figures.plot(on_a_map))
    assert headings(figure)[0] == "Height above the minimum at step 60"
    (frame,) = (patch for patch in figure.axes[0].patches if patch.get_gid() == "lowest")
    row, column = np.unravel_index(np.argmin(cells(figure)), cells(figure).shape)
    assert frame.get_xy() == (column, row)
    assert "Framed: the lowest." in said(figure, "caption")


def test_what_is_not_finite_is_grey_and_counted() -> None:
    ds = trace(rules.momentum, landscapes.rosenbrock(), steps=60, lr=[1e-4, 1.0], momentum=[0.0, 0.9])
    figure = drawn(figures.plot(ds))
    assert np.isnan(cells(figure)).sum() == 2
    assert "Grey: 2 values not finite." in said(figure, "caption")


def test_many_cells_are_not_written_into() -> None:
    ds = trace(rules.adam, streams.ramp(steps=3), lr=np.geomspace(1e-4, 1, 30).tolist(), beta1=BETA1)
    axes = drawn(figures.plot(ds, "x"), layout=True).axes[0]
    assert not [text for text in axes.texts if text.get_gid() == "value"]
    assert len(axes.get_yticks()) <= 12


def test_several_rules_have_a_heat_map_each_and_one_colour_bar() -> None:
    traces = [trace(rule, landscapes.ravine(), steps=9, lr=LR, beta1=BETA1) for rule in (rules.adam, rules.adamax)]
    figure = drawn(figures.plot(traces), layout=True)
    assert [heading.splitlines()[0] for heading in headings(figure)[:2]] == ["adam", "adamax"]
    assert len(figure.axes) == 3


def test_the_course_is_drawn_when_asked_for(two: xr.Dataset) -> None:
    figure = figures.plot(two, "x", final=False)
    assert strips(figure) == [["0.001", "0.01", "0.1"]] and len(figure.axes) == 2


def test_variables_without_an_end_for_each_pair_are_drawn_over_the_steps(two: xr.Dataset) -> None:
    assert headings(figures.plot(two, "v"))[0].endswith(r"Root of the second moment $\sqrt{v_{t}}$")


def test_the_last_value_over_one_knob() -> None:
    traces = [trace(rule, landscapes.ravine(), steps=60, lr=[1e-3, 0.01, 0.1]) for rule in (rules.adam, rules.sgd)]
    figure = drawn(figures.plot(traces, final=True), layout=True)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log" and axes.get_xlabel() == "lr"
    assert strips(figure) == [["adam", "sgd"]] and len(lines(axes, "adam")[0]) == 3
    assert "1 line leaves this axis" in remarks(axes)


def test_an_end_without_a_sweep_is_refused() -> None:
    with pytest.raises(BadValue) as caught:
        figures.plot(trace(rules.adam, streams.ramp(steps=3)), final=True)
    assert str(caught.value) == (
        "there is no last value for each value of one or two knobs\nSweep one or two knobs, of variables without "
        "coordinates: mhat.trace(rule, stream, lr=[0.01, 0.1])."
    )


def test_the_table_of_last_values(two: xr.Dataset, on_a_map: xr.Dataset) -> None:
    table = figures.final_values(two)
    assert table.index.name == "lr" and table.columns.name == "beta1" and table.shape == (3, 2)
    assert table.loc[0.01, 0.9] == float(two["x"].sel(step=9, lr=0.01, beta1=0.9))
    assert figures.final_values(two, "m").shape == (2, 1), "what depends on one knob"
    heights = figures.final_values(on_a_map)
    end = on_a_map["x"].sel(step=60, lr=0.1, beta1=0.9)
    assert heights.loc[0.1, 0.9] == pytest.approx(float(landscapes.rosenbrock().value(end.values)))


def test_the_table_of_several_rules_and_of_no_sweep() -> None:
    traces = [trace(rule, landscapes.ravine(), steps=9, lr=LR) for rule in (rules.adam, rules.sgd)]
    table = figures.final_values(traces)
    assert table.index.tolist() == ["adam", "sgd"] and table.columns.tolist() == LR
    single = figures.final_values(traces[0].sel(lr=0.01), "ratio")
    assert single.shape == (2, 1) and single.index.name == "i"
    plain = figures.final_values(trace(rules.sgd, [1.0, 2.0]))
    assert plain.index.tolist() == [2] and plain.columns.tolist() == ["x"]


def test_tables_that_cannot_be(two: xr.Dataset) -> None:
    with pytest.raises(UnknownName, match=r"there is no variable of the trace `ratoi`\nDid you mean `ratio`\?"):
        figures.final_values(two, "ratoi")
    with pytest.raises(BadValue, match="the trace has no steps, so nothing is last"):
        figures.final_values(two.isel(step=slice(0)))
    assert headings(mhat.plot(two.isel(step=slice(0)), "x", final=False)), "drawn without values"
