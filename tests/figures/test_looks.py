"""Styles, sizes and settings: mhat's own look, over it what the user has set, over that what is asked for."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import mhat
from mhat import figures, landscapes, rules, streams
from mhat.errors import BadValue, InputFileError, UnknownName
from mhat.figures.looks import DARK_PAPER, DISTINCT, is_dark, look_of
from mhat.traces import trace
from tests.figures.looks import drawn, overlaps


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return trace(rules.adam, streams.constant(10, steps=20))


def inks_of(figure: Figure) -> set[str]:
    """The colours of words and lines."""
    words = {to_hex(text.get_color()) for axes in figure.axes for text in (axes.title, axes.xaxis.label)}
    return words | {to_hex(line.get_color()) for axes in figure.axes for line in axes.lines}


def test_dark_is_light_ink_on_dark_paper(ds: xr.Dataset) -> None:
    figure = drawn(figures.plot(ds, style="dark"))
    assert to_hex(figure.get_facecolor()) == to_hex(figure.axes[0].get_facecolor()) == DARK_PAPER
    assert not any(is_dark(colour) for colour in inks_of(figure))


def test_a_landscape_is_dark_too() -> None:
    figure = drawn(figures.plot(trace(rules.adam, landscapes.rosenbrock(), steps=9), style="dark"))
    assert to_hex(figure.axes[0].get_facecolor()) == DARK_PAPER
    ground = figure.axes[0].collections[0].get_facecolor()
    assert np.mean([is_dark(colour) for colour in ground]) == 1.0


def test_print_is_one_column_of_a_paper(ds: xr.Dataset) -> None:
    figure = drawn(figures.plot(ds, style="print"), layout=True)
    assert figure.get_size_inches()[0] == pytest.approx(80 / 25.4)
    assert {text.get_fontsize() for text in figure.axes[0].get_legend().get_texts()} == {7.0}
    chart, profile = figures.plot(trace(rules.adam, landscapes.rosenbrock(), steps=9), style="print").axes
    assert chart.get_subplotspec().rowspan != profile.get_subplotspec().rowspan, "under each other"


def test_large_is_read_at_the_back_of_the_room(ds: xr.Dataset) -> None:
    plain, large = (figures.plot(ds, style=style).axes[0] for style in (None, "large"))
    assert large.xaxis.label.get_fontsize() > 1.4 * plain.xaxis.label.get_fontsize()
    assert large.lines[-1].get_linewidth() > 1.4 * plain.lines[-1].get_linewidth()


def test_styles_of_matplotlib_and_several_at_once(ds: xr.Dataset, tmp_path: Path) -> None:
    assert to_hex(figures.plot(ds, style="ggplot").axes[0].get_facecolor()) == "#e5e5e5"
    both = figures.plot(ds, style=["dark", "large"])
    assert to_hex(both.get_facecolor()) == DARK_PAPER and both.axes[0].yaxis.label.get_fontsize() > 14
    assert figures.plot(ds, style={"font.size": 22.0}).axes[0].xaxis.label.get_fontsize() == 20.0
    (tmp_path / "mine.mplstyle").write_text("axes.facecolor: ffeedd\n", encoding="utf-8")
    assert to_hex(figures.plot(ds, style=str(tmp_path / "mine.mplstyle")).axes[0].get_facecolor()) == "#ffeedd"


def test_white_grids_are_not_drawn_on_black(ds: xr.Dataset) -> None:
    figure = figures.plot(ds, style="dark_background")
    assert is_dark(figure.axes[0].xaxis.get_gridlines()[0].get_color())


@pytest.mark.parametrize(
    ("style", "error", "text"),
    [
        ("drak", UnknownName, "there is no style `drak`\nDid you mean `dark`?"),
        (3, BadValue, "`style` is 3\nName a style: style='dark', 'print', 'large', or one of matplotlib."),
        ({"font.sise": 3}, UnknownName, "there is no setting of matplotlib `font.sise`\nDid you mean `font.size`?"),
        (
            "no.mplstyle", InputFileError,
            "`no.mplstyle` could not be read: No such file or directory\nName a file that exists.",
        ),
    ],
)  # fmt: skip
def test_styles_that_are_none(ds: xr.Dataset, style: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        figures.plot(ds, style=style)
    assert str(caught.value) == text


def test_a_setting_that_matplotlib_refuses(ds: xr.Dataset) -> None:
    with pytest.raises(BadValue, match=r"(?s)`style` has a value that matplotlib refuses: .*Give it another\."):
        figures.plot(ds, style={"font.size": "huge!"})


def test_size_and_dots(ds: xr.Dataset, tmp_path: Path) -> None:
    figure = figures.plot(ds, "ratio", size=(4, 3), dpi=50)
    assert figure.get_size_inches().tolist() == [4.0, 3.0] and figure.dpi == 50
    header = figures.save(figure, tmp_path / "a.png").read_bytes()[16:24]
    assert (int.from_bytes(header[:4]), int.from_bytes(header[4:])) == (200, 150)


@pytest.mark.parametrize("size", [(4,), 4, "big", (0, 3), (4, float("nan")), (400, 3)])
def test_sizes_that_are_none(ds: xr.Dataset, size: Any) -> None:
    with pytest.raises(BadValue) as caught:
        figures.plot(ds, size=size)
    assert str(caught.value) == f"`size` is {size!r}\nGive width and height in inches, 0.5 to 50: size=(8, 5)."


@pytest.mark.parametrize("dpi", [0, "fine", True, 1e6])
def test_dots_that_are_none(ds: xr.Dataset, dpi: Any) -> None:
    with pytest.raises(BadValue) as caught:
        figures.plot(ds, dpi=dpi)
    assert str(caught.value) == f"`dpi` is {dpi!r}\nGive the dots an inch, 10 to 1200: dpi=200."


def test_settings_of_the_user_hold_and_are_left_alone(ds: xr.Dataset, tmp_path: Path) -> None:
    mine: Any = {
        "font.size": 22.0, "axes.facecolor": "#102030", "figure.dpi": 60.0, "figure.figsize": (5.0, 4.0),
        "axes.prop_cycle": mpl.rcsetup.cycler(color=["#ff00ff"]), "text.usetex": True,
    }  # fmt: skip
    with mpl.rc_context(mine):
        before = dict(mpl.rcParams)
        figure = figures.plot(ds, "ratio")
        assert dict(mpl.rcParams) == before
    (axes,) = figure.axes
    assert to_hex(axes.get_facecolor()) == "#102030" and axes.xaxis.label.get_fontsize() == 20.0
    assert figure.get_size_inches().tolist() == [5.0, 4.0] and figure.dpi == 60
    assert [line.get_color() for line in axes.lines if line.get_label() == "_ratio"] == ["#ff00ff"]
    assert not is_dark(axes.xaxis.label.get_color()), "ink that is read on the paper"
    header = figures.save(figure, tmp_path / "later.png").read_bytes()[16:24]
    assert (int.from_bytes(header[:4]), int.from_bytes(header[4:])) == (300, 240)


def test_a_style_asked_for_wins_over_the_settings() -> None:
    with mpl.rc_context({"font.size": 22.0, "lines.linewidth": 9.0}):
        settings = look_of("large").settings
    assert settings["font.size"] == 17.0
    assert look_of().settings["axes.prop_cycle"].by_key()["color"] == list(DISTINCT)


def test_the_words_of_an_svg_are_text(ds: xr.Dataset, tmp_path: Path) -> None:
    text = figures.save(figures.plot(ds, "ratio"), tmp_path / "a.svg").read_text("utf-8")
    assert "adam on constant:10, 20 steps" in text and "<text" in text


FIVE = ["adam", "rmsprop", "sgd", "lion", "adagrad"]


@pytest.fixture(scope="module")
def five() -> list[xr.Dataset]:
    return [mhat.trace(FIVE, on, steps=20) for on in ("spike:at=9", "ravine")]


@pytest.mark.parametrize(
    "look", [{"style": "large"}, {"style": "print"}, {"size": (5, 4)}, {"size": (4, 3)}, {"dpi": 60}]
)
@pytest.mark.parametrize("on", [0, 1])
def test_no_words_lie_on_each_other(five: list[xr.Dataset], look: dict[str, Any], on: int) -> None:
    """Five rules, large or on a small page: legends lay on panels, and panels on each other."""
    assert overlaps(figures.plot(five[on], **look)) == []


def test_on_a_small_page_words_are_small_and_on_a_high_one_as_they_were(five: list[xr.Dataset]) -> None:
    sizes = [figures.plot(five[0], size=size).axes[0].xaxis.label.get_fontsize() for size in ((4, 3), (9, 12))]
    assert sizes[0] < 0.6 * sizes[1] and sizes[1] == 10.0


def test_a_page_that_is_too_small_is_said_and_the_cure_cures(five: list[xr.Dataset]) -> None:
    with pytest.raises(BadValue) as caught:
        figures.plot(five[0], size=(1.5, 1))
    assert str(caught.value) == (
        "6 panels have no room on 1.5 by 1 inches\nMake the figure larger, size=(9, 6), or draw fewer variables."
    )
    assert overlaps(figures.plot(five[0], size=(9, 6))) == []


def test_large_words_make_a_figure_higher(five: list[xr.Dataset]) -> None:
    heights = [figures.plot(five[0], style={"font.size": size}).get_size_inches()[1] for size in (11.0, 24.0)]
    assert heights[1] > 1.2 * heights[0]


@pytest.mark.parametrize("look", [{"style": "dark"}, {"size": (5, 4)}, {"style": "print"}])
def test_a_note_never_lies_on_a_heading(look: dict[str, Any]) -> None:
    """In a sweep that diverges "287 non-finite values; 3 lines leave this axis" lay on the heading."""
    figure = figures.plot(trace(rules.sgd, landscapes.rosenbrock(), steps=100, lr=[0.001, 0.01, 0.1, 1.0]), **look)
    assert overlaps(figure) == []
