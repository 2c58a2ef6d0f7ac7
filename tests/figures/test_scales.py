"""Scales: which one is chosen, and that no number of a double makes matplotlib stumble."""

import numpy as np
import pytest

from mhat.figures import scales
from mhat.figures.canvas import Picture
from mhat.figures.looks import look_of

STEPS = np.arange(1.0, 101.0)
NOISE = np.random.default_rng(0).normal(size=400)

KINDS = {
    "constant": (np.full(100, 10.0), "linear"),
    "growth in proportion": (STEPS * 1e-3, "linear"),
    "noise around zero": (NOISE, "linear"),
    "collapse": (10.0**-STEPS, "log"),
    "collapse at the very end": (np.where(STEPS < 98, 1.0, 1e-70), "log"),
    "collapse with both signs": (NOISE[:100] * 10.0**-STEPS, "magnitude"),
    "a few decades with both signs": (NOISE[:100] * 10.0 ** -(STEPS / 25), "symlog"),
    "zeros": (np.zeros(5), "linear"),
    "nothing finite": (np.array([np.nan, np.inf]), "linear"),
    "nothing": (np.array([]), "linear"),
    "huge": (np.full(3, 1.7e308), "log"),
    "denormal": (np.full(3, 5e-324), "linear"),
}


@pytest.mark.parametrize("case", KINDS)
def test_the_kind_fits_the_values(case: str) -> None:
    line, kind = KINDS[case]
    assert scales.fitting([line]).kind == kind


def test_lines_of_very_different_size_share_a_logarithmic_axis() -> None:
    assert scales.fitting([STEPS, STEPS * 1e-5]).kind == "log"


def test_a_place_near_zero_is_not_small_but_one_that_diverges_is_large() -> None:
    settling, diverging = 0.8**STEPS, 1.5**STEPS
    assert scales.fitting([settling], places=True).kind == "linear"
    assert scales.fitting([settling]).kind == "log"
    assert scales.fitting([diverging], places=True).kind == "log"


def test_what_is_constant_up_to_rounding_is_drawn_with_zero_in_view() -> None:
    scale = scales.fitting([1 + 1e-15 * STEPS])
    assert scale.low < 0 < 1 < scale.high


def test_the_axis_holds_what_must_be_seen() -> None:
    scale = scales.fitting([np.full(3, 0.5)], [1.0])
    assert scale.low < 0.5 and scale.high > 1.0


def test_shown_values_leave_out_what_the_axis_cannot_hold() -> None:
    log = scales.Scale("log", 1e-5, 1.0)
    assert np.isnan(log.shown(np.array([0.0, -1.0, np.inf, np.nan]))).all()
    assert scales.Scale("magnitude", 1e-5, 1.0).shown(np.array([-0.5])) == [0.5]


@pytest.mark.parametrize(
    "values",
    [
        [1e308, -1e308, 1.7e308], [1e200, -1, 1e-200], [5e-324, 1.0, 1e-310], [-1e-5, -10, -1e5], [1e-300] * 3,
        [1e150, -1e-150] * 3, [1 - 1e-15, 1.0], [-2.0, -2.0], [5e-324, -1e-320], [0.0, 1e300, 2e300],
    ],
)  # fmt: skip
def test_every_double_can_be_drawn(values: list[float]) -> None:
    line = np.array(values)
    scale = scales.fitting([line])
    look = look_of()
    with look.in_force():
        figure = Picture(look, 3, 2)
        axes = figure.add_subplot()
        scales.apply(scale, axes)
        axes.plot(scale.shown(line))
        figure.canvas.draw()
    low, high = axes.get_ylim()
    assert np.isfinite([low, high]).all() and low < high


def test_one_is_a_tick_wherever_it_is_in_view() -> None:
    figure = Picture(look_of(), 3, 2)
    axes = figure.add_subplot()
    scales.apply(scales.fitting([10.0 ** (-0.7 * STEPS), np.ones(1)]), axes)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert "1" in labels and "$10^{-60}$" in labels


def test_one_dip_does_not_set_the_axis_and_is_known() -> None:
    line = np.where(STEPS == 57, 1e-26, 10.0 ** -(STEPS / 25))
    scale = scales.fitting([line])
    assert scale.kind == "log" and 1e-6 < scale.low < line[-1]
    assert np.flatnonzero(scale.below(line)).tolist() == [56]


def test_a_dip_in_the_last_step_is_a_dip_and_a_collapse_is_none() -> None:
    dip, collapse = (np.where(first <= STEPS, 1e-40, 1.0 + STEPS) for first in (100, 99))
    assert scales.fitting([dip]).kind == "linear"
    assert scales.fitting([collapse]).low < 1e-40


def test_a_line_that_flips_does_not_fill_its_panel() -> None:
    """Between 1e-30 and 1 at every step it was a solid block over thirty decades."""
    flipping = np.where(STEPS % 2, 1.0, 1e-30)
    assert scales.fitting([flipping]).kind == "linear"
    beside = scales.fitting([flipping, 10.0 ** -(STEPS / 25)])
    assert beside.kind == "log" and beside.low > 1e-6
    below = beside.below(flipping)
    assert below.sum() == 50 and np.isnan(beside.shown(flipping)[below]).all(), "dots where it is, gaps where not"
    assert not np.isnan(beside.shown(np.where(STEPS == 57, 1e-26, 1.0))).any(), "a dip that is alone is a line"


def test_few_values_are_all_held() -> None:
    assert scales.fitting([np.array([1.0, 1e-26, 1.0])]).low < 1e-26


def test_of_rivals_one_that_diverges_does_not_set_the_axis() -> None:
    calm, wild = 1.0 + 0.01 * STEPS, 10.0 ** (2 * STEPS)
    together, alone = scales.fitting([calm, wild], rivals=True), scales.fitting([calm])
    assert together.kind == alone.kind == "linear" and alone.high < together.high < 3
    assert together.above(wild).any() and not together.above(calm).any()
    assert scales.fitting([calm, wild]).high > 1e200, "variables of one run are all held"
    assert scales.fitting([wild, 10 * wild], rivals=True).high > 1e200, "where all diverge, all are held"


def test_rivals_of_different_size_are_all_held() -> None:
    fan = [STEPS * lr for lr in np.geomspace(1e-8, 1, 9)]
    scale = scales.fitting(fan, rivals=True)
    assert not any(scale.above(line).any() for line in fan)


@pytest.mark.parametrize("kind", ["linear", "log", "symlog", "magnitude"])
def test_a_widened_axis_is_an_axis(kind: scales.Kind) -> None:
    for low, high in ((1e-3, 1e307), (1e-3, 1.0)):
        wide = scales.Scale(kind, low, high).widened()
        assert wide.low <= low and high < wide.high < np.inf
