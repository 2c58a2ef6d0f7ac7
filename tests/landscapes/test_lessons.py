"""What a landscape teaches is true: every sentence about a number or a comparison is computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import mhat
from mhat import landscapes
from mhat.landscapes import Landscape


def path(rule: str, on: Landscape, steps: int, **knobs: Any) -> NDArray[np.float64]:
    return np.asarray(mhat.trace(rule, on, steps=steps, keep="x", **knobs).x)


def heights(rule: str, on: Landscape, steps: int, **knobs: Any) -> NDArray[np.float64]:
    """Give how far above the lowest point every step is."""
    return np.asarray(on.value(path(rule, on, steps, **knobs)) - on.minimum_value)


def arrival(rule: str, on: Landscape, steps: int, height: float, **knobs: Any) -> int:
    """Give the first step below a height."""
    reached = heights(rule, on, steps, **knobs) < height
    assert reached.any(), "it does not arrive"
    return int(np.argmax(reached)) + 1


def falling(first: float, steps: int) -> xr.DataArray:
    return xr.DataArray(first / np.sqrt(np.arange(1, steps + 1)), dims="step")


def test_every_landscape_is_taught_of_here() -> None:
    tested = {name for name in globals() if name.startswith("test_")}
    assert [name for name in landscapes.names() if f"test_{name}" not in tested] == []


def test_quadratic() -> None:
    lesson = landscapes.quadratic().lesson
    assert "the learning rate of SGD at 2 / condition, the flattest sets its speed" in lesson
    for condition in (10.0, 100.0):
        on = landscapes.quadratic(condition)
        assert heights("sgd", on, 2000, lr=1.99 / condition)[-1] < 0.1
        assert heights("sgd", on, 2000, lr=2.01 / condition)[-1] > 1e3
        lr = 1.9 / condition
        np.testing.assert_allclose(path("sgd", on, 40, lr=lr)[:, 0], (1 - lr) ** np.arange(1, 41), rtol=1e-12)
    assert "the condition number nearly disappears" in lesson
    adam = [arrival("adam", landscapes.quadratic(c), 400, 1e-4, lr=0.01) for c in (10.0, 1000.0)]
    sgd = [arrival("sgd", landscapes.quadratic(c), 6000, 1e-4, lr=1 / c) for c in (10.0, 1000.0)]
    assert adam[1] < 1.3 * adam[0] and sgd[1] > 90 * sgd[0]


def test_ravine() -> None:
    lesson = landscapes.ravine().lesson
    assert "Turned by 45 degrees, both coordinates have the same curvature" in lesson
    across, along = (landscapes.ravine().gradient([[1.0, 0.0], [0.0, 1.0]])[i, i] for i in (0, 1))
    assert across == pytest.approx(along)
    assert "Adam with lr=0.01 needs more than ten times the steps of an angle of 0" in lesson
    straight, turned = (arrival("adam", landscapes.ravine(angle=a), 3000, 1e-4, lr=0.01) for a in (0.0, 45.0))
    assert turned > 10 * straight
    assert "with the same lr it needs fewer at 45 degrees than at 0" in lesson
    straight, turned = (arrival("sgd", landscapes.ravine(angle=a), 600, 1e-4, lr=0.01) for a in (0.0, 45.0))
    assert turned < straight


def test_booth() -> None:
    on = landscapes.booth()
    assert "the bottom is 8 away in y, so it needs at least about 8 / lr steps" in on.lesson
    assert on.minimum[0][1] - on.start[1] == 8
    for lr in (0.1, 1.0):
        assert arrival("adam", on, 600, 0.01, lr=lr) >= 8 / lr
    assert "at lr=0.1 it is at the height 0.01 in 26 steps, Adam in 520" in on.lesson
    assert [arrival(rule, on, 600, 0.01, lr=0.1) for rule in ("sgd", "adam")] == [26, 520]


def test_absolute() -> None:
    on = landscapes.absolute()
    assert "hops to and fro by that length, and is half of it away or more at every other step" in on.lesson
    for lr in (0.02, 0.03, 0.07):
        last = path("sgd", on, 600, lr=lr)[-200:]
        np.testing.assert_allclose(np.abs(np.diff(last, axis=0)), lr, rtol=1e-9)
        assert (np.maximum(np.abs(last[1:]), np.abs(last[:-1])) > 0.4999 * lr).all()
        # "the average of the path is never more than half a hop away"
        assert (np.abs(last.mean(axis=0)) < 0.5001 * lr).all()
    assert "A falling learning rate comes to rest" in on.lesson and "never more than half a hop away" in on.lesson
    fall = np.abs(path("sgd", on, 3000, lr=falling(0.1, 3000)))
    assert fall[-2:].max() < 0.002 < 0.1 * fall[25:27].max()


def test_noisy() -> None:
    on = landscapes.noisy()
    assert "a constant learning rate does not arrive but hovers, the higher the rate the higher" in on.lesson
    for rule in ("sgd", "adam"):
        levels = [float(heights(rule, on, 6000, lr=lr)[3000:].mean()) for lr in (0.01, 0.03, 0.1)]
        assert levels == sorted(levels) and levels[0] > 1e-3
    assert "A falling rate and the average of the path come to rest" in on.lesson
    hovering = float(heights("sgd", on, 6000, lr=0.1)[3000:].mean())
    assert float(heights("sgd", on, 6000, lr=falling(0.1, 6000))[3000:].mean()) < hovering / 30
    assert float(on.value(path("sgd", on, 6000, lr=0.1)[3000:].mean(axis=0))) < hovering / 30
    assert "momentum at a tenth of the rate hovers lower" in on.lesson
    assert float(heights("momentum", on, 6000, lr=0.01)[3000:].mean()) < 0.8 * hovering


def test_rosenbrock() -> None:
    on = landscapes.rosenbrock()
    assert "The valley is found at once and then followed for long" in on.lesson
    way = path("adam", on, 1900, lr=0.02)
    off = np.abs(way[:, 1] - way[:, 0] ** 2)
    assert off[20:].max() < 0.05 and np.linalg.norm(way[20] - on.minimum[0]) > 2
    assert "its walls are steep, its floor is flat" in on.lesson
    low, high = np.linalg.eigvalsh([[2 + 1200 - 400, -400], [-400, 200]])
    assert high > 1000 * low
    assert "Momentum gathers speed along the floor, and at lr=0.001 is ten times as fast as SGD" in on.lesson
    assert arrival("sgd", on, 8000, 1e-3, lr=0.001) >= 10 * arrival("momentum", on, 1000, 1e-3, lr=0.001)
    assert "at the height 1e-4 after 331 steps with beta2=0.9, after 1839 with 0.999" in on.lesson
    assert [arrival("adam", on, 2000, 1e-4, lr=0.02, beta2=beta2) for beta2 in (0.9, 0.999)] == [331, 1839]


def test_beale() -> None:
    on = landscapes.beale()
    assert "the gradient is over 200,000 long in the corners and below 100 at the start" in on.lesson
    corners = [[x, y] for x in on.window[0] for y in on.window[1]]
    assert np.linalg.norm(on.gradient(corners), axis=-1).min() > 2e5
    assert np.linalg.norm(on.gradient(on.start)) < 100
    assert "survives the cliffs, 1e-5, is slow on the plain: 3,000 steps do not bring it down to 8" in on.lesson
    cliff = (4.0, 4.0)
    assert np.isfinite(path("sgd", on, 300, start=cliff, lr=1e-5)).all()
    assert not np.isfinite(path("sgd", on, 300, start=cliff, lr=1e-4)).all()
    assert heights("sgd", on, 3000, lr=1e-5).min() > 8 and heights("adam", on, 3000, lr=0.01)[-1] < 1e-4
    assert "Adam walks both at the same pace" in on.lesson
    for start in (cliff, on.start):
        steps = np.diff(np.vstack([start, path("adam", on, 5, start=start, lr=0.01)]), axis=0)
        np.testing.assert_allclose(np.abs(steps), 0.01, rtol=0.05)


def test_factors() -> None:
    on = landscapes.factors()
    assert "The lowest points form a curve, sharp far out and flat in the middle" in on.lesson
    for x in (3.0, 2.0, 1.0):
        y, width = 1 / x, 1e-4
        assert float(on.value([x, y])) < 1e-30
        across = np.array([y, x]) / math.hypot(x, y)
        curvature = float(on.value(np.array([x, y]) + width * across)) / (0.5 * width**2)
        assert curvature == pytest.approx(x * x + y * y, rel=1e-3)
    assert "SGD with a small learning rate stays where it first arrives; above lr = 2 / (x^2 + y^2)" in on.lesson
    small = path("sgd", on, 3000, lr=0.01)[-1]
    arrived = float((small**2).sum())
    assert np.linalg.norm(small - on.start) < 0.3 and 2 / arrived == pytest.approx(0.217, rel=0.01)
    np.testing.assert_allclose(path("sgd", on, 3000, lr=0.1)[-1], small, atol=0.01)
    for lr in (0.22, 0.25, 0.3):
        slid = float((path("sgd", on, 5000, lr=lr)[-1] ** 2).sum())
        assert slid < 2 / lr < arrived


def test_plateau() -> None:
    on = landscapes.plateau()
    assert "At the start the gradient is 2e-5 long" in on.lesson
    assert f"{np.linalg.norm(on.gradient(on.start)):.0e}" == "2e-05"
    assert "at lr=0.1 it moves by 0.02 in 10,000 steps" in on.lesson
    moved = path("sgd", on, 10_000, lr=0.1)[-1] - on.start
    assert round(float(np.linalg.norm(moved)), 2) == 0.02
    assert "Adam takes steps of lr and more" in on.lesson
    ratios = np.asarray(mhat.trace("adam", on, steps=50, lr=0.01).ratio)
    assert ratios.min() > 0.99 and ratios.max() > 1.5
    assert arrival("adam", on, 400, 1e-3, lr=0.01) < 300
    assert "started at (6, 5), Adam stands still too" in on.lesson
    assert np.abs(path("adam", on, 10_000, lr=0.01, start=(6.0, 5.0))[-1] - (6.0, 5.0)).max() < 0.01


def test_saddle() -> None:
    on = landscapes.saddle()
    assert "the way out starts with a gradient of 1e-3" in on.lesson
    assert abs(float(on.gradient(on.start)[1])) == pytest.approx(1e-3, rel=1e-3)
    assert "SGD slides down to the pass and lingers" in on.lesson
    slow = path("sgd", on, 1000, lr=0.01)
    assert np.abs(slow[350:400]).max() < 0.06
    assert "Adam takes steps of equal length on both axes, and leaves at once" in on.lesson
    quick = path("adam", on, 400, lr=0.01)
    np.testing.assert_allclose(np.abs(np.diff(np.vstack([on.start, quick]), axis=0))[0], 0.01, rtol=1e-4)
    assert quick[60, 1] > 0.6 and slow[60, 1] < 0.01
    assert arrival("adam", on, 400, 1e-3, lr=0.01) < arrival("sgd", on, 1000, 1e-3, lr=0.01) / 2


def test_himmelblau() -> None:
    on = landscapes.himmelblau()
    assert "Four valleys of the same depth" in on.lesson and len(on.minimum) == 4
    assert "SGD ends in the one at (3.58, -1.85), Adam in the one at (3, 2)" in on.lesson
    for lr in (1e-3, 1e-2):
        np.testing.assert_allclose(path("sgd", on, 3000, lr=lr)[-1], (3.58, -1.85), atol=0.01)
        np.testing.assert_allclose(path("adam", on, 8000, lr=lr)[-1], (3, 2), atol=0.01)


def test_styblinski_tang() -> None:
    on = landscapes.styblinski_tang()
    assert "SGD ends in the poor minimum at 2.75" in on.lesson and "to cross the hill to -2.90" in on.lesson
    for lr in (1e-3, 1e-2, 2e-2):
        np.testing.assert_allclose(path("sgd", on, 2000, lr=lr)[-1], 2.75, atol=0.005)
    np.testing.assert_allclose(path("momentum", on, 2000, lr=0.02)[-1], -2.90, atol=0.005)
    assert "Adam does not: its steps do not grow with the slope" in on.lesson
    for lr in (1e-2, 0.1, 0.5):
        ds = mhat.trace("adam", on, steps=2000, lr=lr)
        np.testing.assert_allclose(ds.x[-1], 2.75, atol=0.005)
        assert float(abs(ds.ratio).max()) <= 1
    assert float(on.value([2.746802770990837] * 2)) > on.minimum_value + 20


def test_rastrigin() -> None:
    on = landscapes.rastrigin()
    assert "SGD, momentum, RMSProp and Adam with lr=0.001 all end in the dent beside their start, at 2.98" in on.lesson
    assert "none from 0.0001 to 1 brings one of them to the bottom" in on.lesson
    for rule in ("sgd", "momentum", "rmsprop", "adam"):
        assert np.round(path(rule, on, 2000, lr=0.001)[-1], 2).tolist() == [2.98, 2.98]
        for lr in (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0):
            assert np.abs(path(rule, on, 2000, lr=lr)[-1]).min() > 0.5


def test_reddi() -> None:
    on = landscapes.reddi()
    assert "The slopes add up to a way down to -1" in on.lesson and on.minimum == ((-1.0,),)
    assert "Adam with beta1=0 and beta2=0.1 goes to +1, the worst point" in on.lesson
    assert on.lr is not None
    rate = xr.DataArray(on.lr(np.arange(1, 3001)), dims="step")
    assert path("adam", on, 3000, lr=rate, beta1=0.0, beta2=0.1)[-1, 0] > 0.98
    assert "AMSGrad, which never forgets it, goes to -1" in on.lesson
    assert path("amsgrad", on, 3000, lr=rate, beta1=0.0, beta2=0.1)[-1, 0] < -0.98


def test_lottery() -> None:
    on = landscapes.lottery()
    assert "Adam goes down with beta2=0.999, and with 0.9 up to 1; ADOPT goes down with 0.9 too" in on.lesson
    assert on.lr is not None and on.minimum == ((-1.0,),)
    rate = xr.DataArray(on.lr(np.arange(1, 10_001)), dims="step")

    def end(rule: str, beta2: float) -> float:
        return float(path(rule, on, 10_000, lr=rate, beta2=beta2)[-1000:].mean())

    assert end("adam", 0.999) < -0.4 and end("adam", 0.9) > 0.85 and end("adopt", 0.9) < -0.4


def test_logistic() -> None:
    lesson = landscapes.logistic().lesson
    assert "Features of different scale make a ravine out of an easy problem. Adam undoes the scale" in lesson
    sgd = [arrival("sgd", landscapes.logistic(scale=s), 2000, 1e-4, lr=1 / s**2) for s in (1.0, 5.0)]
    adam = [arrival("adam", landscapes.logistic(scale=s), 200, 1e-4, lr=0.05) for s in (1.0, 5.0, 20.0)]
    assert sgd[1] > 10 * sgd[0] and max(adam) < 1.2 * min(adam)
    assert "with small batches (`batch=4`) it shows how noise turns arriving into hovering" in lesson
    arriving, hovering = (heights("adam", landscapes.logistic(batch), 3000, lr=0.05)[2000:] for batch in (None, 4))
    assert arriving.max() < 1e-12 and hovering.mean() > 1e-5
