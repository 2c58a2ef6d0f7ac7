"""Schedules drawn: a line each over the steps, the second of two dashed, its words above and below."""

import numpy as np
import pytest

from mhat import figures, schedules
from mhat.errors import BadValue
from tests.figures.looks import drawn


def test_each_schedule_is_a_line_over_the_steps() -> None:
    one, other = schedules.cosine(0.1, steps=50), schedules.linear(0.1, steps=50)
    figure = drawn(figures.rate_curves({"one": one.values(60), "$other": other.values(40)}, "Two", "They fall."))
    first, second = figure.axes[0].get_lines()
    assert first.get_xdata().tolist() == list(range(1, 61)) and second.get_xdata()[-1] == 40
    np.testing.assert_array_equal(first.get_ydata(), one.values(60))
    assert (first.get_linestyle(), second.get_linestyle()) == ("-", "--")
    assert figure.axes[0].get_xlabel() == "step"
    assert {text.get_text() for text in figure.texts if text.get_gid() == "title"} == {"Two"}


def test_there_must_be_one() -> None:
    with pytest.raises(BadValue) as caught:
        figures.rate_curves({})
    assert str(caught.value) == "there is no schedule to draw\nGive one at least: cosine:1e-3,steps=100."
