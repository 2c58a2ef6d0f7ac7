"""Axes of the user's: filled, and nothing else of their figure touched."""

from typing import Any

import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import mhat
from mhat import landscapes, rules, streams
from mhat.errors import BadValue
from mhat.traces import trace
from tests.figures.looks import drawn, legend, lines


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return trace(rules.adam, streams.constant(10, steps=20))


def mine(*shape: int) -> tuple[Figure, Any]:
    figure = Figure(figsize=(5, 4))
    return figure, figure.subplots(*shape) if shape else figure.subplots()


def test_one_panel_goes_into_an_axes(ds: xr.Dataset) -> None:
    figure, ax = mine()
    assert mhat.plot(ds, variables="ratio", ax=ax) is figure
    assert figure.axes == [ax] and not figure.texts and not figure.legends
    assert figure.get_size_inches().tolist() == [5.0, 4.0] and figure.get_layout_engine() is None
    assert ax.get_title() == "Ratio" and ax.get_xlabel() == "step $t$"
    assert lines(ax, "ratio")[0][0] == pytest.approx(1.0)
    drawn(figure)


def test_what_is_in_the_axes_stays(ds: xr.Dataset) -> None:
    _, ax = mine()
    (line,) = ax.plot([1, 20], [0.5, 0.5], color="red")
    mhat.plot(ds, variables="ratio", ax=ax)
    assert line in ax.lines and line.get_color() == "red"


def test_the_settings_of_the_axes_are_the_users(ds: xr.Dataset) -> None:
    _, ax = mine()
    before = (ax.get_facecolor(), ax.spines["top"].get_visible(), ax.xaxis.label.get_fontsize())
    mhat.plot(ds, variables=["m", "m_hat"], ax=ax)
    assert (ax.get_facecolor(), ax.spines["top"].get_visible(), ax.xaxis.label.get_fontsize()) == before
    assert legend(ax) == [r"$\hat{m}_{t}$", "$m_{t}$"]


def test_dark_axes_get_lines_that_are_seen(ds: xr.Dataset) -> None:
    _, ax = mine()
    ax.set_facecolor("black")
    mhat.plot(ds, variables="ratio", ax=ax)
    assert [line.get_color() for line in ax.lines if line.get_label() == "_ratio"] == ["#56b4e9"]


def test_a_sweep_and_a_comparison_have_their_legend_inside() -> None:
    _, (left, right) = mine(1, 2)
    sweep = trace(rules.adam, streams.normal(steps=9), beta2=[0.9, 0.99, 0.999])
    mhat.plot(sweep, variables="v", ax=left)
    assert legend(left) == [r"$\beta_{2}$ = 0.9", r"$\beta_{2}$ = 0.99", r"$\beta_{2}$ = 0.999"]
    mhat.plot([trace(rule, streams.normal(steps=9)) for rule in (rules.adam, rules.sgd)], variables="x", ax=right)
    assert legend(right) == ["adam", "sgd"]


def test_a_long_sweep_names_the_ends_and_the_middle() -> None:
    _, ax = mine()
    ds = trace(rules.sgd, streams.constant(steps=3), lr=[i / 100 for i in range(1, 22)])
    mhat.plot(ds, variables="x", ax=ax)
    assert legend(ax) == ["lr = 0.01", "lr = 0.11", "lr = 0.21"]


def test_an_array_of_axes_takes_a_panel_each(ds: xr.Dataset) -> None:
    _, axes = mine(4)
    mhat.plot(ds, ax=axes)
    assert [ax.get_title() for ax in axes] == [
        "Gradient and first moments", "Roots of second moments", "Ratio", "Parameter $x_{t}$"
    ]  # fmt: skip
    assert {ax.get_xlabel() for ax in axes} == {"step $t$"}


def test_panels_and_axes_that_do_not_match(ds: xr.Dataset) -> None:
    _, ax = mine()
    with pytest.raises(BadValue) as caught:
        mhat.plot(ds, ax=ax)
    assert str(caught.value) == (
        "there are 4 panels to draw, and `ax` holds 1 axes\n"
        'Choose a variable: mhat.plot(ds, variables="ratio", ax=ax), or give as many axes as panels: '
        "fig, ax = plt.subplots(4, sharex=True)."
    )
    assert not ax.lines
    _, pair = mine(2)
    with pytest.raises(BadValue, match="there is 1 panel to draw, and `ax` holds 2 axes"):
        mhat.plot(ds, variables="ratio", ax=pair)


def test_a_landscape_fills_one_axes_with_the_map_and_two_with_the_height_too() -> None:
    ds = trace(rules.adam, landscapes.rosenbrock(), steps=20)
    _, ax = mine()
    mhat.plot(ds, ax=ax)
    assert lines(ax, "path") and ax.get_aspect() == 1.0 and legend(ax) == ["start", "end", "minimum"]
    _, both = mine(1, 2)
    mhat.plot(ds, ax=both)
    assert both[1].get_title() == "Height above the minimum"
    _, three = mine(3)
    with pytest.raises(BadValue, match="a landscape has two panels, the map and the height, and `ax` holds 3 axes"):
        mhat.plot(ds, ax=three)
    mhat.plot(ds.isel(i=0), variables="x", ax=ax)


def test_heat_maps_and_last_values_go_into_axes_too() -> None:
    ds = trace(rules.adam, landscapes.rosenbrock(), steps=20, lr=[0.01, 0.1], beta1=[0.0, 0.9])
    _, ax = mine()
    mhat.plot(ds, ax=ax)
    assert ax.get_title() == "Height above the minimum at step 20" and ax.get_ylabel() == "lr"
    figure, ax = mine()
    runs = [trace(rule, landscapes.ravine(), steps=20, lr=[0.01, 0.1]) for rule in (rules.adam, rules.sgd)]
    mhat.plot(runs, ax=ax, final=True)
    assert legend(ax) == ["adam", "sgd"] and figure.axes == [ax]
    _, pair = mine(2)
    with pytest.raises(BadValue, match="there is 1 panel to draw, and `ax` holds 2 axes"):
        mhat.plot(ds, ax=pair)


@pytest.mark.parametrize(
    ("ax", "shown"), [(3, "a int"), ([], "empty"), ("ax", "a str"), (Figure(), "a Figure")], ids=str
)  # fmt: skip
def test_what_is_no_axes(ds: xr.Dataset, ax: Any, shown: str) -> None:
    with pytest.raises(BadValue) as caught:
        mhat.plot(ds, variables="x", ax=ax)
    assert str(caught.value) == (
        f"`ax` is {shown}, and no axes of matplotlib\nMake them: fig, ax = plt.subplots(); mhat.plot(ds, ax=ax)."
    )


def test_the_size_of_the_users_figure_is_the_users(ds: xr.Dataset) -> None:
    _, ax = mine()
    with pytest.raises(BadValue) as caught:
        mhat.plot(ds, variables="x", ax=ax, size=(3, 3))
    assert str(caught.value) == (
        "`size` and `dpi` are the figure's, and with `ax` the figure is yours\nSet them on your figure."
    )


def test_axes_of_a_figure_within_a_figure(ds: xr.Dataset) -> None:
    figure = Figure()
    left, _ = figure.subfigures(1, 2)
    ax: Axes = left.subplots()
    assert mhat.plot(ds, variables="x", ax=ax) is figure
    ax.remove()
    with pytest.raises(BadValue, match="`ax` has been removed from its figure"):
        mhat.plot(ds, variables="x", ax=ax)


def test_a_panel_for_each_coordinate_is_said_with_a_cure_that_was_not_typed_already() -> None:
    """The cure was to choose the variable that had been chosen."""
    two = [trace(rules.named(name), landscapes.ravine(), steps=9) for name in ("adam", "sgd")]
    _, ax = mine()
    with pytest.raises(BadValue) as caught:
        mhat.plot(two, ax=ax, variables="x")
    assert str(caught.value) == (
        "there are 2 panels to draw, and `ax` holds 1 axes\n"
        "Leave `variables` out, and the paths are drawn on a map, or give as many axes as panels: "
        "fig, ax = plt.subplots(1, 2, sharex=True)."
    )
    mhat.plot(two, ax=ax)
    mhat.plot(two, ax=mine(1, 2)[1], variables="x")
    swept = trace(rules.adam, streams.constant(10, steps=9), lr=[0.1, 0.2], beta1=[0.1, 0.2])
    with pytest.raises(BadValue, match=r"There is a panel for each value of beta1: choose one, ds\.isel"):
        mhat.plot(swept, ax=mine()[1], variables="x", final=False)
    mhat.plot(swept.isel(beta1=0), ax=mine()[1], variables="x")
