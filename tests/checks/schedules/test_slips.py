"""What goes wrong with schedulers, each in code as people write it, and the sentence that is said of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.errors import BadValue, SubjectError, UnknownName

PEAK, WARMUP, STEPS = 1e-3, 10, 100
MEANT = "warmup_cosine:1e-3,warmup=10,steps=100,first=0"
FALL = STEPS - WARMUP


def half(share: float) -> float:
    return PEAK * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def right(step: int) -> float:
    return PEAK * step / WARMUP if step < WARMUP else half((step - WARMUP) / FALL)


def late(step: int) -> float:
    return right(max(step - 1, 0))


def early(step: int) -> float:
    return right(step + 1)


def from_the_start(step: int) -> float:
    return PEAK * step / WARMUP if step < WARMUP else half(step / STEPS)


def beside(step: int) -> float:
    return PEAK * step / WARMUP if step < WARMUP else half((step - WARMUP) / STEPS)


def twice(step: int) -> float:
    return PEAK * right(step)


def without_warmup(step: int) -> float:
    return half(step / FALL)


def rising_again(step: int) -> float:
    share = (step - WARMUP) / FALL
    return PEAK * step / WARMUP if step < WARMUP else PEAK * 0.5 * (1 + math.cos(math.pi * share))


def unclipped(step: int) -> float:
    return PEAK * (1 - step / STEPS)


def an_epoch(step: int) -> float:
    return right(step // 20)


def tenfold(step: int) -> float:
    return mhat.schedules.cosine(0.1, steps=100)(step + 1)


def no_restart(step: int) -> float:
    return 0.1 * 0.5 * (1 + math.cos(math.pi * min(step / 50, 1.0)))


def odd(step: int) -> float:
    return abs(math.sin(step * step)) + 0.1


def becomes_nan(step: int) -> float:
    return math.nan if step == 40 else right(step)


def compounding() -> Iterator[float]:
    lr, step = 1.0, 0
    while True:
        yield lr
        step += 1
        lr *= max(0.0, 1 - step / 100)


AGAINST: list[tuple[Callable[..., Any], str, int, tuple[str, ...]]] = [
    (late, MEANT, 2, ("every rate comes 1 step late",)),
    (late, "warmup_cosine:1e-3,warmup=10,steps=100", 1,
     ("every rate comes 2 steps late",)),
    (right, "warmup_cosine:1e-3,warmup=10,steps=100", 1,
     ("every rate comes 1 step late: the first step is counted as 0, and should be as 1",)),
    (early, MEANT, 1, ("every rate comes 1 step early: the first step is counted as 1, and should be as 0",)),
    (from_the_start, MEANT, 11,
     ("the way down is counted from the first step, and not from the end of the warm-up: it begins with 0.0009755 at "
      "step 11, below the peak",)),
    (beside, MEANT, 12, ("steps is 110, and should be 100: the way down takes all of them, beside the warm-up",)),
    (twice, MEANT, 2, ("every rate is 0.001 times what it should be: the learning rate is in it twice, as a factor and "
                       "as the rate",)),
    (without_warmup, MEANT, 1, ("there is no warm-up: it begins at the peak",)),
    (rising_again, MEANT, 102, ("it does not stop at its end, which is step 101: it rises again",)),
    (unclipped, "linear:1e-3,steps=100", 102,
     ("it does not stop at its end, which is step 101: it becomes negative",
      "the rate is negative: -1e-5 at step 102")),
    (an_epoch, MEANT, 2, ("it goes on only every 20 steps, and should at each: it is stepped once an epoch",)),
    (tenfold, "cosine:0.1,steps=1000", 2,
     ("it goes 10 times too fast: it may count steps where epochs are meant, or epochs where steps are",
      "steps is 100, and should be 1000")),
    (no_restart, "cosine_restarts:0.1,period=50", 51, ("the restart at step 51 is lost: the rate stays at 0",)),
    (odd, MEANT, 1, ()),
    (becomes_nan, MEANT, 41, ("the rate of step 41 is nan",)),
]  # fmt: skip


@pytest.mark.parametrize("function, against, step, slips", AGAINST, ids=lambda each: getattr(each, "__name__", None))
def test_what_is_meant_and_what_is_the_matter(
    function: Callable[..., Any], against: str, step: int, slips: tuple[str, ...]
) -> None:
    verdict = mhat.check_schedule(function, against)
    assert (verdict.conforms, verdict.step, verdict.slips) == (False, step, slips)
    text = " ".join(str(verdict).split())
    assert text.startswith(f"{function.__name__} deviates from {against} from step {step} on")
    assert f"at step {step} the rate is" in text
    assert ("no slip that mhat knows explains it" in text) is (not slips)


def test_what_is_meant_and_right() -> None:
    verdict = mhat.check_schedule(right, MEANT)
    assert (verdict.conforms, verdict.slips, verdict.step) == (True, (), None)
    assert repr(verdict) == f"<ScheduleVerdict: right conforms: {MEANT}>"
    assert "conforms to" in verdict._repr_html_()


ALONE: list[tuple[Callable[..., Any], bool, str | None, str | None, tuple[str, ...]]] = [
    (right, True, MEANT, None, ()),
    (late, False, None, None, ()),
    (rising_again, True, MEANT,
     "behind its end, which is step 101, it rises again, as torch's CosineAnnealingLR does", ()),
    (an_epoch, True, MEANT, "it changes only every 20 steps: it goes on once an epoch of 20 steps", ()),
    (unclipped, False, None, None,
     ("it does not stop at its end, which is step 101: from step 102 on the rate is negative; linear:1e-3,steps=100 is "
      "meant", "the rate is negative: -1e-5 at step 102")),
    (from_the_start, False, None, None,
     ("the way down is counted from the first step, and not from the end of the warm-up: it begins with 0.0009755 at "
      f"step 11, below the peak; {MEANT} is meant",)),
    (compounding, False, None, None,
     ("it compounds: every rate is the last one times a factor that was meant for the first; linear:0.99,steps=99 is "
      "meant",)),
    (odd, False, None, None, ()),
    (becomes_nan, False, None, None, ("the rate of step 41 is nan",)),
]  # fmt: skip


@pytest.mark.parametrize(
    "function, conforms, found, dialect, slips", ALONE, ids=lambda one: getattr(one, "__name__", None)
)
def test_what_it_is_where_nobody_says_what_is_meant(
    function: Callable[..., Any], conforms: bool, found: str | None, dialect: str | None, slips: tuple[str, ...]
) -> None:
    verdict = mhat.check_schedule(function)
    assert (verdict.conforms, verdict.dialect, verdict.slips) == (conforms, dialect, slips)
    assert (None if verdict.schedule is None else verdict.schedule.recipe) == found


WARNED = {
    (right, 100): (
        "the rate of the first step is 0: it moves nothing (the step is counted as 0; counted as 1 it would)",
    ),
    (early, 100): (),
    (early, 60): ("the end is not reached: the last of 60 steps has 0.0004132, and 0 would come at step 100",),
    (early, 110): ("the rate is 0 from step 100 on: the last 11 of 110 steps move nothing",),
    (early, 8): ("it still grows at the last of 8 steps: if this is a warm-up, it never reaches its peak",),
}  # fmt: skip


@pytest.mark.parametrize("function, steps", WARNED)
def test_what_a_training_may_not_want(function: Callable[..., Any], steps: int) -> None:
    verdict = mhat.check_schedule(function, steps=steps)
    assert verdict.conforms and verdict.warnings == WARNED[function, steps]


def test_rates_that_were_written_down(tmp_path: Any) -> None:
    values = [right(step) for step in range(120)]
    verdict = mhat.check_schedule(values)
    assert verdict.schedule is not None and verdict.schedule.recipe == MEANT
    path = tmp_path / "rates.csv"
    path.write_text("lr\n" + "\n".join(map(repr, values)))
    assert mhat.check_schedule(str(path)).schedule == verdict.schedule
    assert mhat.check_schedule(path, MEANT).conforms
    assert mhat.check_schedule(np.array(values, dtype=np.float32), "cosine:1e-3").conforms is False


def test_schedules_of_the_library_are_themselves() -> None:
    assert mhat.check_schedule(MEANT, MEANT).conforms
    assert mhat.check_schedule(mhat.schedules.wsd(1e-3)).schedule == mhat.schedules.wsd(1e-3)


REFUSED: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (right, {"against": "cosin:1"}, UnknownName,
     "there is no schedule `cosin`\nDid you mean `cosine`? `mhat schedules` lists them."),
    (right, {"against": 3}, BadValue, "3 is no schedule of the library\n`mhat schedules` lists them."),
    (right, {"steps": 2}, BadValue, "2 steps tell nothing of a schedule\nGive 3 at least."),
    ([1.0, 0.5], {}, BadValue, "the rates of the rates have the shape (2,)\nGive one number a step, 3 at least."),
    (["fast", 1.0], {}, BadValue, "['fast', 1.0] are no rates\nGive one number a step."),
    ([[1.0, 0.5]], {}, BadValue, "the rates of the rates have the shape (1, 2)\nGive one number a step, 3 at least."),
    ([1.0, 0.5, 0.2], {"first": 1}, BadValue, "rates that were written down take no `first`\nLeave it out."),
    (None, {}, BadValue,
     "no scheduler is named\nName one: mine.py:my_schedule, torch.optim.lr_scheduler:StepLR."),
    (lambda step, total: step / total, {}, SubjectError,
     "`<lambda>` needs `total` beside the step number\nGive a value for each: -k total=..."),
    (7, {}, SubjectError,
     "`int` is of type int, and no scheduler that mhat can drive\n"
     "Give a function of the step number: def rate(step): ... return lr."),
    (lambda step: math.nan, {}, SubjectError,
     "`<lambda>` gave no rate that is a number\nLook at what it returns at the first step."),
]  # fmt: skip


@pytest.mark.parametrize("named, more, kind, message", REFUSED)
def test_what_cannot_be_asked_is_refused(named: Any, more: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        mhat.check_schedule(named, **more)
    assert str(caught.value) == message


def test_a_schedule_is_no_optimizer() -> None:
    with pytest.raises(BadValue) as caught:
        mhat.check(mhat.schedules.cosine(0.1))
    assert str(caught.value) == ("cosine is a scheduler: steps in, rates out\nCheck it as one: mhat.check_schedule.")
