"""Several traces in one figure: what each is called, which colour it has, and what is no trace at all."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import mhat
from mhat import figures, landscapes, rules, streams
from mhat.checks.verdict import Verdict
from mhat.errors import BadValue
from mhat.figures.looks import DISTINCT
from mhat.figures.runs import runs_of
from mhat.language import rule
from mhat.traces import trace
from tests.figures.looks import drawn, headings, lines, remarks, said, strips

NOISE = streams.normal(seed=1, steps=40)
RULES = ("adam", "rmsprop", "sgd")


def of(names: tuple[str, ...] = RULES, **knobs: Any) -> list[xr.Dataset]:
    return [trace(rules.named(name), NOISE, **knobs) for name in names]


def colours(figure: Figure, place: int, name: str) -> list[str]:
    return [to_hex(line.get_color()).upper() for line in figure.axes[place].lines if line.get_label() == f"_{name}"]


def test_three_rules_have_a_colour_each_and_one_legend() -> None:
    figure = drawn(figures.plot(of(lr=0.01)), layout=True)
    assert strips(figure) == [["adam", "rmsprop", "sgd"]]
    assert said(figure, "title") == "adam, rmsprop and sgd on normal:seed=1, 40 steps, lr = 0.01"
    assert said(figure, "caption") == "", "no list of references"
    assert colours(figure, -1, "x") == [colour.upper() for colour in DISTINCT[:3]]
    assert colours(figure, headings(figure).index("Ratio"), "ratio") == [colour.upper() for colour in DISTINCT[:2]]


def test_what_all_have_alike_is_drawn_once_and_is_no_ones() -> None:
    figure = figures.plot(of(), "g")
    assert len(lines(figure.axes[0], "g")) == 1
    assert colours(figure, 0, "g")[0] not in DISTINCT


def test_what_all_have_alike_is_counted_once() -> None:
    gradients = [1.0, np.nan, 1.0]
    figure = figures.plot([trace(rules.named(name), gradients) for name in RULES], "g")
    assert remarks(figure.axes[0]) == "1 non-finite value, the first at step 2"


def test_no_two_panels_have_one_heading() -> None:
    found = headings(figures.plot(of(("adam", "nadam", "lamb"))))
    assert len(set(found)) == len(found)


def test_knobs_that_differ_are_the_names() -> None:
    figure = figures.plot([trace(rules.adam, NOISE, lr=lr) for lr in (0.001, 0.123456)])
    assert strips(figure) == [["lr = 0.001", "lr = 0.123456"]]
    assert said(figure, "title") == "adam on normal:seed=1, 40 steps"


def test_streams_steps_and_types_that_differ_are_named() -> None:
    other = trace(rules.adam, streams.ramp(steps=9), dtype="float32")
    figure = figures.plot([*of(("adam",)), other])
    assert strips(figure) == [["normal:seed=1, 40 steps, float64", "ramp, 9 steps, float32"]]
    assert said(figure, "title") == "adam"


def test_labels_of_the_user_stand_and_the_caption_says_what_they_mean() -> None:
    slow, fast = (trace(rules.adam, NOISE, lr=lr) for lr in (0.001, 0.01))
    figure = figures.plot({"slow": slow, "$fast": fast}, "x")
    assert strips(figure) == [["slow", r"\$fast"]]
    assert said(figure, "caption").startswith(r"slow: lr = 0.001; \$fast: lr = 0.01")


def test_a_function_of_the_users_named_as_a_rule_of_the_library() -> None:
    mine = rule("def adam(x, g, t, m=0, *, lr=1e-3): m = 0.9 * m + 0.1 * g; return x - lr * m")
    again = rule("def adam(x, g, t, *, lr=1e-3): return x - lr * sign(g)")
    figure = figures.plot([*of(("adam",)), trace(mine, NOISE)], "x")
    assert strips(figure) == [["adam", "adam (yours)"]]
    figure = figures.plot([trace(mine, NOISE), trace(again, NOISE)], "x")
    assert strips(figure) == [["adam (yours 1)", "adam (yours 2)"]]


def test_equal_traces_are_numbered() -> None:
    assert strips(figures.plot(of(("adam", "adam")), "x")) == [["1", "2"]]


def test_more_than_eight_rules_leave_the_others_pale() -> None:
    names = ("adam", "rmsprop", "sgd", "lion", "nadam", "adagrad", "adamax", "radam", "adamw", "yogi")
    figure = figures.plot(of(names), "x")
    assert sorted(strips(figure)[0]) == sorted([*names[:7], "others"])
    assert said(figure, "title").startswith("10 rules on normal:seed=1")
    assert len(set(colours(figure, 0, "x"))) == 8
    assert "In grey: radam, adamw, yogi." in said(figure, "caption")


def test_a_trace_with_the_dimension_rule_draws_of_each_rule_what_it_has() -> None:
    traces = of()
    together = xr.concat(traces, xr.Variable("rule", list(RULES)), combine_attrs="drop_conflicts", join="outer")
    figure = drawn(figures.plot(together, ["m_hat", "ratio", "x"]))
    assert strips(figure) == [["adam", "rmsprop", "sgd"]]
    assert not any(remarks(axes) for axes in figure.axes), "what a rule lacks is no missing value"
    having = {name: sum(len(lines(axes, name)) for axes in figure.axes) for name in ("m_hat", "ratio", "x")}
    assert having == {"m_hat": 1, "ratio": 2, "x": 3}


def test_one_in_a_list_is_drawn_as_one() -> None:
    (ds,) = of(("adam",))
    assert headings(figures.plot([ds])) == headings(figures.plot(ds))
    assert said(figures.plot([ds]), "title") == said(figures.plot(ds), "title")


def test_a_sweep_in_a_comparison_is_columns() -> None:
    figure = figures.plot(of(("adam", "rmsprop"), lr=[0.1, 0.2]), "x")
    assert headings(figure) == ["lr = 0.1\nParameter $x_{t}$", "lr = 0.2\n"]
    assert strips(figure) == [["adam", "rmsprop"]]


def test_dimensions_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadValue) as caught:
        figures.plot([*of(("adam",), lr=[0.1, 0.2]), *of(("sgd",), lr=[0.1, 0.2, 0.3])])
    assert str(caught.value) == (
        "`lr` has 2 values in one trace and 3 in another\nDraw one value of it: ds.isel(lr=0)."
    )  # fmt: skip


def test_coordinates_in_a_comparison_are_columns_or_bands() -> None:
    values = np.random.default_rng(0).normal(size=(20, 30))
    few = figures.plot([trace(rules.named(name), values[:, :2]) for name in RULES], "x")
    assert len(few.axes) == 2 and len(lines(few.axes[0], "x")) == 3
    many = drawn(figures.plot([trace(rules.named(name), values) for name in RULES], "x"))
    assert strips(many) == [["adam", "rmsprop", "sgd"], ["median", "middle 50 %"]]


def test_a_rule_that_diverges_does_not_take_the_axis_with_it() -> None:
    traces = [trace(rules.named(name), landscapes.ravine(), steps=60, lr=0.05) for name in RULES]
    _, profile = drawn(figures.plot(traces)).axes
    assert profile.get_ylim()[1] < 1e6 and "1 line leaves this axis, up to" in remarks(profile)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (1, "`1` is no trace\nGive what mhat.trace or mhat.check gives, or a list of traces."),
        (None, "there is nothing to draw\nGive what mhat.trace or mhat.check gives, or a list of traces."),
        ([], "there is nothing to draw\nGive what mhat.trace or mhat.check gives, or a list of traces."),
        ("x.nc", '`x.nc` is the name of a file\nLoad it first: mhat.plot(mhat.load("x.nc")).'),
        ("adam", '`adam` is no trace\nRun it first: mhat.plot(mhat.trace("adam", "constant:10")).'),
        (
            rules.adam,
            "adam is a rule that has not run\nRun it first: mhat.plot(mhat.trace(rule, 'constant:10')).",
        ),
        (
            xr.Dataset({"a": ("n", [1.0])}),
            "this Dataset has no dimension `step`, so it is no trace\nGive what mhat.trace gives.",
        ),
        (
            xr.DataArray([1.0], dims="step", name="m_hat"),
            '`m_hat` is a variable without its trace\nGive the whole trace: mhat.plot(ds, variables="m_hat").',
        ),
    ],
)
def test_what_is_no_trace_is_refused_with_the_cure(what: Any, text: str) -> None:
    for given in (what, [what]) if what is not None and not isinstance(what, list) else (what,):
        with pytest.raises(BadValue) as caught:
            mhat.plot(given)
        assert str(caught.value) == text


def test_a_second_trace_in_the_place_of_variables() -> None:
    with pytest.raises(BadValue) as caught:
        figures.plot(*of(("adam", "sgd")))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "there is a second trace where the variables stand\nGive traces in a list: mhat.plot([a, b])."
    )


def test_a_verdict_in_a_list() -> None:
    with pytest.raises(BadValue) as caught:
        figures.plot([Verdict("mine", "adam", "", conforms=True)])
    assert str(caught.value) == "the verdict of mine is no trace\nDraw it by itself: mhat.plot(verdict)."


def test_variables_that_are_none() -> None:
    with pytest.raises(BadValue) as caught:
        figures.plot(of(), 3)  # type: ignore[arg-type]
    assert str(caught.value) == '`variables` is 3\nName one, or several in a list: variables=["m_hat", "x"].'


def test_a_variable_that_is_no_number_at_all_belongs_to_its_rule_still() -> None:
    """It was taken for one that the rule lacks."""
    ds = mhat.trace(["adam", "sgd"], np.full(9, np.nan))
    adam, sgd = runs_of(ds)
    assert "m_hat" in adam.names and "m_hat" not in sgd.names
