"""The picture of a trace over its steps: panels, legends, families, gaps; read from the objects, not the pixels."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.mathtext import MathTextParser

from mhat import figures, rules, streams
from mhat.errors import UnknownName
from mhat.figures.curves import quantiles, thinned
from mhat.figures.looks import DISTINCT
from mhat.language import rule
from mhat.traces import trace
from tests.choices import often
from tests.figures.looks import bands, drawn, headings, legend, lines, remarks, said, strips

ADAM_HEADINGS = ["Gradient and first moments", "Roots of second moments", "Ratio", "Parameter $x_{t}$"]
# Rules whose panels are of other kinds than Adam's: these are drawn to the last pixel, of the others all is checked
# but what all have in common.
UNLIKE = ("adabound", "adadelta", "lamb", "radam")
NOISE = np.random.default_rng(0).normal(size=(40, 1000))


def broken() -> np.ndarray[Any, Any]:
    values = NOISE[:, 0].copy()
    values[10], values[20:22] = np.inf, np.nan
    return values


def test_adam_under_a_constant_gradient() -> None:
    figure = drawn(figures.plot(trace(rules.adam, streams.constant(10, steps=100), eps=1e-3)), layout=True)
    assert headings(figure) == ADAM_HEADINGS
    assert said(figure, "title") == r"adam on constant:10, 100 steps, $\epsilon$ = 0.001"
    assert said(figure, "caption") == "Kingma & Ba 2015, Adam, Algorithm 1, arXiv:1412.6980"
    first, second, ratio, x = figure.axes
    assert set(legend(first)) == {"$g_{t}$", "$m_{t}$", r"$\hat{m}_{t}$"}
    assert legend(second) == [r"$\sqrt{\hat{v}_{t}}$", "$\\sqrt{v_{t}}$"]
    assert lines(second, "v_hat")[0] == pytest.approx(10.0)
    assert lines(ratio, "ratio")[0][-1] == pytest.approx(0.9999000099990011, rel=1e-15)
    assert ratio.get_ylim()[0] <= 0 < 1 <= ratio.get_ylim()[1]
    assert [axes.get_ylabel() for axes in figure.axes] == ["unit of $g$", "unit of $g$", "no unit", "unit of $x$"]
    assert x.get_xlabel() == "step $t$"


@pytest.mark.parametrize("name", often(rules.names()))
def test_every_rule_of_the_library_is_drawn_without_a_warning(name: str) -> None:
    shape = (6, 3, 2) if rules.named(name).level == "per matrix" else (6,)
    figure = figures.plot(trace(rules.named(name), NOISE.ravel()[: int(np.prod(shape))].reshape(shape)))
    if name in UNLIKE:
        drawn(figure, layout=True)
    assert headings(figure)[0].startswith("Gradient") and headings(figure)[-1].startswith("Parameter")
    parser = MathTextParser("path")
    for axes in figure.axes:
        for text in legend(axes):
            assert text.startswith("$")
            parser.parse(text)


def test_a_collapse_is_seen_on_a_logarithmic_axis() -> None:
    stored_back = rule("""
def stored_back(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-3):
    m = (beta1 * m + (1 - beta1) * g) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * g**2) / (1 - beta2**t)
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio
""")
    (axes,) = figures.plot(trace(stored_back, streams.constant(10, steps=100)), "ratio").axes
    assert axes.get_yscale() == "log"
    assert lines(axes, "ratio")[0][-1] == pytest.approx(3.404888e-70, rel=1e-6)


def test_a_sweep_is_a_family_in_ordered_colours() -> None:
    ds = trace(rules.adam, streams.normal(seed=42, steps=50), beta2=[0.9, 0.99, 0.999])
    figure = figures.plot(ds)
    assert strips(figure) == [["0.9", "0.99", "0.999"]]
    assert r"$\beta_{2}$ =" in [text.get_text() for text in figure.texts]
    first, second, *_ = figure.axes
    assert len(lines(first, "m")) == 1, "what does not depend on the sweep is one line"
    assert len(lines(second, "v")) == len(lines(second, "v_hat")) == 3
    shades = [line.get_color() for line in second.lines if line.get_label() == "_v"]
    styles = {line.get_label(): line.get_linestyle() for line in second.lines}
    assert len(set(shades)) == 3 and styles["_v"] != styles["_v_hat"]


def test_a_long_sweep_has_a_colour_bar_and_is_thinned_out() -> None:
    ds = trace(rules.sgd, streams.constant(steps=5), lr=np.geomspace(1e-4, 1, 100).tolist())
    figure = drawn(figures.plot(ds), layout=True)
    assert len(lines(figure.axes[1], "x")) == 40
    told = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
    assert figure.axes[-1].get_title() == "lr" and (told[0], told[-1], len(told)) == ("0.0001", "1", 5)
    assert said(figure, "caption").startswith("40 of 100 values of lr are shown.")


def test_a_second_sweep_makes_columns() -> None:
    ds = trace(rules.adam, streams.ramp(steps=9), beta2=[0.9, 0.99], beta1=[0.0, 0.5, 0.9])
    figure = figures.plot(ds, final=False)
    assert len(figure.axes) == 4 * 3
    assert [title.splitlines()[0] for title in headings(figure)[:3]] == [
        rf"$\beta_{{1}}$ = {value}" for value in ("0", "0.5", "0.9")
    ]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_many_sweeps_say_what_is_left_out() -> None:
    ds = trace(rules.adam, streams.ramp(steps=3), lr=[1.0, 2.0], beta1=[0.0, 0.5, 0.9], beta2=[0.1, 0.2, 0.3])
    assert "4 of 9 columns are shown." in said(figures.plot(ds, "x"), "caption")


def test_few_coordinates_are_a_line_each_and_many_a_band() -> None:
    few = figures.plot(trace(rules.adam, NOISE[:, :4]))
    assert strips(few) == [["0", "1", "2", "3"]] and len(lines(few.axes[0], "g")) == 4
    many = drawn(figures.plot(trace(rules.adam, NOISE), ["g", "v"]))
    assert strips(many) == [["median", "middle 50 %", "middle 90 %"]]
    assert "1,000 coordinates:" in [text.get_text() for text in many.texts]
    assert bands(many.axes[0]) == ["band 90 %", "band 50 %"]
    assert lines(many.axes[0], "g")[0] == pytest.approx(np.median(NOISE, axis=1))


def test_a_sweep_over_many_coordinates_has_a_band_each() -> None:
    figure = figures.plot(trace(rules.adam, NOISE[:, :50], lr=[0.1, 0.2]), "x")
    assert strips(figure) == [["0.1", "0.2"], ["median", "middle 50 %"]]
    assert bands(figure.axes[0]) == ["band 50 %"] * 2


def test_one_number_a_tensor_stands_beside_its_coordinates() -> None:
    figure = figures.plot(trace(rules.lamb, NOISE[:, :3], start=1.0))
    steps = figure.axes[headings(figure).index("Steps")]
    assert len(lines(steps, "trust")) == 1 and len(lines(steps, "ratio")) == 3


def test_a_sweep_of_one_value_is_named_in_the_title() -> None:
    assert "lr = 0.5" in said(figures.plot(trace(rules.sgd, [1.0, 2.0], lr=[0.5])), "title")


def test_schedules_and_dtype_are_named_in_the_title() -> None:
    ds = trace(rules.sgd, [1.0, 2.0], dtype="float32", lr=xr.DataArray([0.1, 0.2], dims="step"))
    assert said(figures.plot(ds), "title") == "sgd on gradients of your own, 2 steps, lr by a schedule, float32"
    small = figures.plot(trace(rules.adam, streams.constant(10), dtype="bfloat16"))
    assert said(small, "title") == "adam on constant:10, 100 steps, bfloat16"


def test_a_rule_of_your_own_is_grouped_by_unit() -> None:
    mine = rule("""
def mine(x, g, t, fast=0, s=0, *, lr=0.01, a=0.9):
    fast = a * fast + (1 - a) * g
    s = a * s + (1 - a) * (g - fast)**2
    heat = 1 - a**t
    odd = fast + t
    rate = lr / (sqrt(s) + 1e-6)
    return x - rate * fast
""")
    figure = figures.plot(trace(mine, streams.normal(steps=20)))
    assert headings(figure) == [
        "Gradient and first moments", r"Root of the second moment $\sqrt{s_{t}}$",
        r"In the unit of $x/g$: $\mathrm{rate}_{t}$", r"Schedule $\mathrm{heat}_{t}$",
        r"Other variable $\mathrm{odd}_{t}$", "Parameter $x_{t}$",
    ]  # fmt: skip


def test_squares_that_are_negative_keep_their_unit() -> None:
    below = rule("def below(x, g): v = -(g**2); return x - g")
    (axes,) = figures.plot(trace(below, [1.0, 2.0]), "v").axes
    assert axes.get_title(loc="left") == "In the unit of $g^{2}$: $v_{t}$" and axes.get_ylabel() == "unit of $g^{2}$"


def test_non_finite_values_are_gaps_marks_and_a_note() -> None:
    figure = drawn(figures.plot(trace(rules.adam, broken()), ["g", "v"]))
    first, second = figure.axes
    assert np.flatnonzero(np.isnan(lines(first, "g")[0])).tolist() == [10, 20, 21]
    for axes in figure.axes:
        (rug,) = (line for line in axes.lines if line.get_gid() == "rug")
        assert np.asarray(rug.get_xdata()).tolist() == [11, 21, 22]
    assert remarks(second) == "30 non-finite values, the first at step 11"


def test_a_value_between_gaps_is_a_dot() -> None:
    values = np.tile([1.0, np.nan], 20)
    (line,) = (each for each in figures.plot(trace(rules.sgd, values), "g").axes[0].lines if each.get_label() == "_g")
    assert line.get_marker() == "o" and line.get_markevery() == list(range(0, 40, 2))


@pytest.mark.parametrize(
    "values",
    [[np.nan] * 4, [0.0] * 4, [3.0], [1e308] * 3, [5e-324] * 3, [1e-310, -1.0, 1e300], [np.inf, -np.inf]],
)
def test_hard_numbers_draw_without_a_warning(values: list[float]) -> None:
    drawn(figures.plot(trace(rules.adam, values), ["g", "x"]), layout=len(values) < 2)


def test_zeros_have_no_place_on_a_logarithmic_axis_and_it_says_so() -> None:
    (axes,) = figures.plot(trace(rules.sgd, 10.0 ** -np.arange(12.0) * ([1.0] * 11 + [0.0])), "g").axes
    assert remarks(axes) == "1 value of exactly 0 not on this axis"


def test_nothing_to_draw_is_said() -> None:
    ds = trace(rules.adam, streams.constant(steps=5), lr=[0.1, 0.2])
    for empty in (ds.isel(step=slice(0)), ds.isel(lr=slice(0))):
        drawn(figures.plot(empty, ["g", "x"]), layout=True)
    assert remarks(figures.plot(ds.isel(step=slice(0)), "x").axes[0]) == "no values"
    assert remarks(figures.plot(ds, []).axes[0]) == "no variable is chosen"


def test_variables_are_chosen_by_name() -> None:
    ds = trace(rules.adam, streams.constant(steps=5))
    assert headings(figures.plot(ds, ["x", "v_hat"])) == [
        r"Root of the second moment $\sqrt{\hat{v}_{t}}$", "Parameter $x_{t}$"
    ]  # fmt: skip
    with pytest.raises(UnknownName) as caught:
        figures.plot(ds, ["x", "m_hut"])
    assert str(caught.value) == "there is no variable of the trace `m_hut`\nDid you mean `m_hat`?"


def test_a_dataset_without_its_rule_is_drawn_too() -> None:
    ds = trace(rules.adam, streams.constant(steps=5))
    ds.attrs.clear()
    assert headings(figures.plot(ds)) == ["Gradient $g_{t}$", "Other variables", "Parameter $x_{t}$"]


def test_lazy_traces_are_drawn() -> None:
    pytest.importorskip("dask")
    gradients = xr.DataArray(NOISE[:, :20], dims=("step", "i")).chunk({"i": 5})
    assert bands(figures.plot(trace(rules.adam, gradients), "x").axes[0])


def test_thousands_of_points_are_thinned_and_no_spike_is_lost() -> None:
    steps, values = np.arange(100_000.0), np.random.default_rng(1).normal(size=100_000)
    values[54_321], values[70_000:70_100] = 1e3, np.nan
    at, kept = thinned(steps, values)
    assert len(kept) <= 5001 and np.nanmax(kept) == 1e3 and at[np.nanargmax(kept)] == 54_321
    assert (np.diff(at) >= 0).all() and np.isnan(kept[(at >= 70_000) & (at < 70_100)]).all()


def test_quantiles_leave_out_what_is_not_finite() -> None:
    rows = np.array([[1.0, 2.0, 3.0, np.nan, np.inf], [np.nan] * 5])
    low, middle = quantiles(rows, (0.0, 0.5))
    assert low[0] == 1.0 and middle[0] == 2.0 and np.isnan(middle[1])


def test_a_colour_means_one_variable_and_inputs_have_none() -> None:
    figure = figures.plot(trace(rules.adam, streams.normal(steps=20)))
    colours = {
        str(line.get_label()): line.get_color()
        for axes in figure.axes
        for line in axes.lines
        if str(line.get_label()) in ("_g", "_m", "_m_hat", "_v", "_v_hat", "_ratio", "_x")
    }
    assert len(set(colours.values())) == len(colours) == 7
    assert not {colours["_g"], colours["_x"]} & set(DISTINCT)


def test_where_colours_tell_a_sweep_apart_variables_have_dashes() -> None:
    figure = figures.plot(trace(rules.adam, streams.normal(steps=20), beta2=[0.9, 0.99]))
    first = figure.axes[0]
    single = [line for line in first.lines if line.get_label() in ("_m", "_m_hat")]
    assert {line.get_color() for line in single} == {single[0].get_color()}
    assert single[0].get_linestyle() != single[1].get_linestyle() and single[0].get_color() not in DISTINCT


def test_a_variable_that_is_alone_is_named_in_the_heading_and_not_twice() -> None:
    figure = figures.plot(trace(rules.adam, streams.normal(steps=20)), ["m_hat", "ratio"])
    assert headings(figure) == [r"First moment $\hat{m}_{t}$", "Ratio"]
    assert [legend(axes) for axes in figure.axes] == [[], []]


def test_no_two_panels_have_one_heading() -> None:
    found = headings(figures.plot(trace(rules.lamb, NOISE[:, :5], start=1.0)))
    assert len(set(found)) == len(found)


def test_no_legend_has_more_than_eight_entries() -> None:
    names = "abcdfhpqrs"
    lines_of = "".join(f"    {n} = 0.9 * {n} + 0.{i}1 * g\n" for i, n in enumerate(names))
    states = ", ".join(f"{n}=0" for n in names)
    many = rule(f"def many(x, g, {states}, *, lr=0.1):\n{lines_of}    return x - lr * {names[-1]}\n")
    figure = figures.plot(trace(many, streams.normal(steps=9)))
    assert headings(figure) == [
        "Gradient and first moments (1 of 2)", "Gradient and first moments (2 of 2)", "Parameter $x_{t}$"
    ]  # fmt: skip
    assert max(len(legend(axes)) for axes in figure.axes) == 8
    swept = trace(rules.sgd, streams.constant(steps=5), lr=np.geomspace(1e-4, 1, 9).tolist())
    assert strips(figures.plot(swept)) == [] and len(strips(figures.plot(swept.isel(lr=slice(8))))[0]) == 8


def test_a_dip_is_said_beside_the_panel() -> None:
    values = np.where(np.arange(200) == 77, 1e-26, 10.0 ** -(np.arange(200) / 40.0))
    (axes,) = drawn(figures.plot(trace(rules.sgd, values), "g")).axes
    assert axes.get_ylim()[0] > 1e-8
    assert remarks(axes) == "1 dip below this axis, to $10^{-26}$ at step 78"


def test_titles_state_true_knobs() -> None:
    ds = trace(rules.adam, streams.constant(10, steps=3), beta2=0.99999, lr=0.123456)
    assert said(figures.plot(ds, "x"), "title") == (
        r"adam on constant:10, 3 steps, lr = 0.123456, $\beta_{2}$ = 0.99999"
    )


def test_a_note_in_a_narrow_figure_leaves_the_heading_its_line() -> None:
    plain = figures.plot(trace(rules.adam, NOISE[:, 0]), "v", style="print")
    noted = figures.plot(trace(rules.adam, broken()), "v", style="print")
    for figure in (plain, noted):
        drawn(figure, layout=True)
    heading, note = noted.axes[0]._left_title, noted.axes[0].texts[0]  # type: ignore[attr-defined]
    assert heading.get_window_extent().y0 >= note.get_window_extent().y1
