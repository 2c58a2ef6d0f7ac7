"""Every schedule: what it begins, peaks and ends with, its formula, its recipe, and what is refused."""

from __future__ import annotations

import inspect
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mhat
from mhat import schedules
from mhat.errors import BadValue, MhatError, UnknownName
from mhat.modifiers import scheduled

PLAIN = "def plain(x, g, *, lr=0.01): return x - lr * g"
STEPS = 130
# Each family with defaults, and in other settings: other ends, counts, powers, factors.
SETTINGS = [
    "constant:0.1", "linear:1e-3,steps=50", "linear:1e-3,1e-4,steps=80,first=1", "cosine:1e-3,steps=100",
    "cosine:1e-3,1e-5,steps=60", "polynomial:1e-2,1e-4,power=0.5,steps=90", "exponential:0.1,0.96,every=10",
    "exponential:0.1,0.9,first=2", "inverse_time:0.1,0.01", "step:0.1,0.5,every=30", "step:0.1,0.5,every=30,first=1",
    "milestones:0.1,30,60,80", "warmup_constant:1e-3,warmup=10,start=1e-4", "warmup_linear:5e-5,warmup=10,steps=100",
    "warmup_linear:5e-5,warmup=0,steps=100", "warmup_cosine:1e-3,warmup=10,steps=100,end=1e-5,start=1e-6,first=0",
    "wsd:1e-3,warmup=10,decay=20,steps=100,power=0.5", "wsd:1e-3,warmup=0,decay=20,steps=100,first=0",
    "inverse_root:1e-3,warmup=20", "inverse_root:1e-3,warmup=20,first=0", "noam:512,warmup=40",
    "one_cycle:0.1,rise=30,steps=100", "one_cycle:0.1,rise=0,steps=100", "cosine_restarts:1e-3,1e-5,period=10,growth=2",
    "cosine_restarts:1e-3,period=20,growth=2,shrink=0.9", "cosine_restarts:1e-3,period=20,shrink=0.5,first=1",
    "cyclic:1e-4,1e-3,rise=20,fall=10",
]  # fmt: skip
rates = st.floats(1e-5, 10.0)
counts = st.integers(1, 40)


def test_every_family_is_among_the_settings() -> None:
    assert {spec.partition(":")[0] for spec in SETTINGS} == set(schedules.names()) == set(schedules.summaries())


@pytest.mark.parametrize("spec", SETTINGS)
def test_the_formula_is_the_schedule(spec: str) -> None:
    one = schedules.named(spec)
    rule = scheduled(mhat.rule(PLAIN), lr=one)
    assert tuple(rule.knobs) == (), "the formula stands in place of the knob"
    course = mhat.trace(rule, [0.0] * STEPS).lr_t.values
    np.testing.assert_allclose(np.broadcast_to(course, STEPS), one.values(STEPS), rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("spec", SETTINGS)
def test_its_recipe_makes_it_again(spec: str) -> None:
    one = schedules.named(spec)
    again = schedules.named(one.recipe)
    assert again == one and hash(again) == hash(one) and repr(one) == f"Schedule({one.recipe!r})"
    assert again.values(STEPS).tobytes() == one.values(STEPS).tobytes()
    assert pickle.loads(pickle.dumps(one)).values(STEPS).tobytes() == one.values(STEPS).tobytes()
    assert [one(t) for t in (1, 7, STEPS)] == [one.values(STEPS)[t - 1] for t in (1, 7, STEPS)]


@pytest.mark.parametrize("spec", [each for each in SETTINGS if not each.startswith("constant")])
def test_counted_from_one_more_it_is_a_step_ahead(spec: str) -> None:
    one = schedules.named(spec)
    bare = spec.replace(f",first={one.first}", "")
    ahead = schedules.named(f"{bare},first={one.first + 1}")
    np.testing.assert_array_equal(ahead.values(STEPS), one.values(STEPS + 1)[1:])


@given(peak=rates, warmup=counts, more=counts, end=st.floats(0.0, 1e-6))
@settings(max_examples=40, deadline=None)
def test_a_warm_up_reaches_its_peak_and_its_end(peak: float, warmup: int, more: int, end: float) -> None:
    steps = warmup + more
    for family in (schedules.warmup_linear, schedules.warmup_cosine):
        one = family(peak, warmup=warmup, steps=steps, end=end)
        values = one.values(steps + 5)
        assert values[0] == pytest.approx(peak / warmup), "the first step is not lost"
        assert values[warmup - 1] == peak == values.max(), "step `warmup` is at the peak"
        np.testing.assert_allclose(values[steps - 1 :], end, rtol=1e-12, atol=1e-16 * peak)
        assert (np.diff(values[warmup - 1 :]) <= 1e-15 * peak).all() and (np.diff(values[:warmup]) > 0).all()


@given(start=rates, end=st.floats(0.0, 1e-6), steps=st.integers(2, 60), power=st.floats(0.3, 4.0))
@settings(max_examples=40, deadline=None)
def test_a_way_down_begins_at_its_start_and_ends_behind_its_steps(
    start: float, end: float, steps: int, power: float
) -> None:
    ways = [schedules.linear(start, end, steps=steps), schedules.cosine(start, end, steps=steps),
            schedules.polynomial(start, end, power=power, steps=steps)]  # fmt: skip
    for one in ways:
        values = one.values(steps + 3)
        assert values[0] == pytest.approx(start, rel=1e-12)
        np.testing.assert_allclose(values[steps:], end, rtol=1e-12, atol=1e-16 * start)
        assert (np.diff(values) <= 1e-15 * start).all() and values[steps - 1] > end


@given(period=st.integers(1, 20), growth=st.integers(1, 4), shrink=st.floats(0.2, 1.0))
@settings(max_examples=40, deadline=None)
def test_restarts_come_where_the_periods_end(period: int, growth: int, shrink: float) -> None:
    one = schedules.cosine_restarts(1.0, period=period, growth=growth, shrink=shrink)
    begins = 0
    for times in range(4):
        assert one(begins + 1) == pytest.approx(shrink**times, rel=1e-9), (begins, times)
        begins += period * growth**times


@given(peak=rates, warmup=counts, stable=st.integers(0, 30), decay=counts)
@settings(max_examples=30, deadline=None)
def test_wsd_stays_between_its_warm_up_and_its_decay(peak: float, warmup: int, stable: int, decay: int) -> None:
    steps = warmup + stable + decay
    values = schedules.wsd(peak, warmup=warmup, decay=decay, steps=steps).values(steps)
    assert (values[warmup - 1 : warmup + stable] == peak).all()
    assert values[-1] == 0 and values[steps - decay - 1] == peak
    np.testing.assert_allclose(np.diff(values[warmup + stable - 1 :]), -peak / decay, rtol=1e-9)


def test_noam_is_the_papers() -> None:
    t = np.arange(1, 10_000, 37.0)
    paper = 512**-0.5 * np.minimum(t**-0.5, t * 4000**-1.5)
    np.testing.assert_allclose(schedules.noam(512, warmup=4000).at(t), paper, rtol=1e-14)


def test_a_function_of_the_step_stands_for_a_schedule() -> None:
    one = schedules.meant(lambda t: 1 / t)
    assert one is not None and one.values(4).tolist() == [1.0, 0.5, 1 / 3, 0.25]
    assert (one.recipe, one.sentence) == ("", "follows the function <lambda>")
    assert one != schedules.meant(lambda t: 1 / t), "of what has no recipe nobody knows whether it is the same"
    assert schedules.meant(0.1) is None and schedules.meant("fast") is None and schedules.meant([1.0]) is None
    assert schedules.meant(schedules.cosine) == schedules.cosine()
    with pytest.raises(BadValue) as caught:
        schedules.meant(lambda t: "fast").values(3)  # type: ignore[union-attr]
    assert str(caught.value) == (
        "<lambda>(1) gave 'fast', which is no number\n"
        "A schedule takes the number of a step, from 1, and gives a number."
    )


REFUSED = {
    "linea:1": (UnknownName, "there is no schedule `linea`\nDid you mean `linear`? `mhat schedules` lists them."),
    "linear:1,stepz=3": (UnknownName, "there is no argument of linear `stepz`\nDid you mean `steps`?"),
    "": (BadValue, "`` names no schedule\nWrite a name and its arguments: cosine:1e-3,steps=100."),
    "milestones": (BadValue,
        "`milestones` has no start\nGive it first, then the counts: milestones:0.1,30,60,80."),
    "milestones:0.1": (BadValue,
        "in `milestones:0.1`: milestones at no step\nGive counts that grow: 0.1,30,60,80."),
    "milestones:0.1,60,30": (BadValue,
        "in `milestones:0.1,60,30`: milestones at 60, 30\nGive counts that grow: 0.1,30,60,80."),
    "cosine:inf": (BadValue, "in `cosine:inf`: `start` is inf\nGive a finite number: start=1e-3."),
    "cosine:1,steps=0": (BadValue,
        "in `cosine:1,steps=0`: `steps` is 0\nGive a finite number above zero: steps=10."),
    "warmup_cosine:1,warmup=100,steps=100": (BadValue,
        "in `warmup_cosine:1,warmup=100,steps=100`: a warm-up of 100 steps leaves nothing of 100\n"
        "Give more steps, or take warmup_constant."),
    "wsd:1,warmup=50,decay=60,steps=100": (BadValue,
        "in `wsd:1,warmup=50,decay=60,steps=100`: a warm-up of 50 and a decay of 60 steps have no room in 100\n"
        "Give steps=110 or more."),
    "one_cycle:1,rise=9,steps=9": (BadValue,
        "in `one_cycle:1,rise=9,steps=9`: a rise of 9 steps leaves nothing of 9\nGive more steps."),
}  # fmt: skip


@pytest.mark.parametrize("spec", REFUSED)
def test_what_cannot_be_is_refused(spec: str) -> None:
    kind, message = REFUSED[spec]
    with pytest.raises(kind) as caught:
        schedules.named(spec)
    assert str(caught.value) == message


@pytest.mark.parametrize("t", [0, -1, math.inf, math.nan, True, "one"])
def test_there_is_no_step_before_the_first(t: Any) -> None:
    with pytest.raises(MhatError) as caught:
        schedules.linear()(t)
    assert str(caught.value) == (
        f"a schedule has no step {t!r}\n"
        "Steps are counted from 1; of a count that begins at 0 it is schedule(count + 1)."
    )


def test_every_family_says_what_it_is() -> None:
    for name, said in schedules.summaries().items():
        doc = inspect.getdoc(getattr(schedules, name)) or ""
        assert said and ">>>" in doc, name


def test_a_modifier_refuses_what_has_no_formula() -> None:
    with pytest.raises(BadValue) as caught:
        scheduled(mhat.rule(PLAIN), lr=schedules.meant(lambda t: 1 / t))
    assert str(caught.value) == (
        "the schedule of lr has no formula\n"
        'Write one, scheduled(rule, lr="lr / sqrt(t)"), or take one of mhat.schedules.'
    )
