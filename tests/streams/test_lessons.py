"""What a stream teaches is true: every sentence about a number or a comparison is computed."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable

import numpy as np
import pytest

import mhat
from mhat import streams
from mhat.streams import Stream
from tests.choices import CLASSICS

BOUND, TRUE_BOUND = 0.1 / math.sqrt(0.001), 0.1 / math.sqrt(0.001 * (1 - 0.9**2 / 0.999))


def taught(member: Callable[..., Stream]) -> str:
    doc = " ".join((inspect.getdoc(member) or "").split())
    return doc[doc.index("Teaches") : doc.index(" Shape")]


def ratio(stream: Stream, **knobs: float) -> np.ndarray:
    return np.asarray(mhat.trace("adam", stream, **knobs).ratio)


def end(rule: str, stream: Stream, **knobs: float) -> float:
    return float(mhat.trace(rule, stream, keep="x", **knobs).x[-1])


def rms(values: np.ndarray) -> float:
    return math.sqrt(float(np.mean(values**2)))


def test_every_stream_is_taught_of_here() -> None:
    tested = {name for name in globals() if name.startswith("test_")}
    assert [name for name in streams.names() if f"test_{name}" not in tested] == []


def test_constant() -> None:
    assert "at 1e-8 it is half of lr" in taught(streams.constant)
    for value in (1e-3, 1.0, 1e3, -5.0):
        np.testing.assert_allclose(abs(ratio(streams.constant(value))), 1, rtol=2e-5)
    np.testing.assert_allclose(ratio(streams.constant(1e-8)), 0.5, rtol=1e-6)
    wrong = mhat.rule(
        "def f(x, g, t, m=0, v=0, *, lr=1e-3):\n    m = 0.9 * m + 0.1 * g\n    v = 0.999 * v + 0.001 * g**2\n"
        "    m = m / (1 - 0.9**t)\n    v = v / (1 - 0.999**t)\n    ratio = m / (sqrt(v) + 1e-8)\n"
        "    return x - lr * ratio"
    )
    assert float(abs(mhat.trace(wrong, streams.constant()).ratio - 1)[1]) > 0.4


def test_zeros() -> None:
    assert "weight decay, and nothing else" in taught(streams.zeros)
    for name in CLASSICS:
        decay = {"weight_decay": 0.0} if "weight_decay" in mhat.rules.named(name).knobs else {}
        assert end(name, streams.zeros(), start=1.0, **decay) == 1.0, name
    assert end("adamw", streams.zeros(), start=1.0) < 1.0
    assert (ratio(streams.zeros()) == 0).all() and np.isnan(ratio(streams.zeros(), eps=0.0)).all()


def test_ramp() -> None:
    assert "the ratio rises above 1" in taught(streams.ramp)
    assert (ratio(streams.ramp())[10:] > 1).all()
    ds = mhat.trace("adam", streams.ramp())
    # Averages lag behind the gradient, that of the squares further.
    assert (np.sqrt(ds.v_hat) < ds.m_hat)[10:].all() and (ds.m_hat < ds.g)[1:].all()
    assert ratio(streams.ramp())[0] == 0 and np.isnan(ratio(streams.ramp(), eps=0.0)[0])


def test_exponential() -> None:
    text = taught(streams.exponential)
    assert "here 1.11," in text and streams.exponential().recipe == "exponential"
    assert float(streams.exponential(steps=2).values[1]) == pytest.approx(0.999 / 0.9, rel=1e-15)
    assert (
        "3.1623 lr, at step 210" in text and "step 3,000 are 7.09 lr long" in text and "true bound, 7.2703 lr" in text
    )
    assert (round(BOUND, 4), round(TRUE_BOUND, 4)) == (3.1623, 7.2703)
    steps = ratio(streams.exponential(steps=3000))
    assert int(np.argmax(steps > BOUND)) + 1 == 210
    assert round(float(steps[-1]), 2) == 7.09 and float(steps.max()) < TRUE_BOUND
    for other in (1.1, 1.12, 1.2):
        assert float(ratio(streams.exponential(other, steps=3000)).max()) < float(steps[-1])
    assert "at 0.9 the fiftieth step is 0.083 lr long" in text
    assert round(float(ratio(streams.exponential(0.9))[50]), 3) == 0.083


def test_alternating() -> None:
    assert "Adam hardly moves where SGD jumps to and fro" in taught(streams.alternating)
    ds = mhat.trace("adam", streams.alternating(2.0))
    assert float(abs(ds.ratio)[50:].max()) < 0.07 and float(ds.v_hat[-1]) == pytest.approx(4.0)
    assert mhat.trace("sgd", streams.alternating(steps=4), lr=0.5).x.values.tolist() == [-0.5, 0, -0.5, 0]


def test_sine() -> None:
    assert "slow swings (period over 2 pi / (1 - beta1), 63 steps)" in taught(streams.sine)
    assert math.ceil(2 * math.pi / (1 - 0.9)) == 63

    def through(period: int) -> tuple[float, int]:
        """Give how much of a swing comes through, and how many steps late."""
        ds = mhat.trace("adam", streams.sine(period, steps=20 * period))
        m, g = (np.asarray(each)[-2 * period :] for each in (ds.m, ds.g))
        late = int(np.argmax([float(np.dot(m, np.roll(g, lag))) for lag in range(period)]))
        return float(np.abs(m).max() / np.abs(g).max()), late

    assert through(63)[0] > math.sqrt(0.5) and through(630)[0] > 0.99
    for period in (6, 20):
        share, late = through(period)
        assert share < 1 / 3 and late >= period / 8


def test_cycle() -> None:
    assert "RMSProp with rho=0.1, and Adam with beta1=0 and beta2=0.1" in taught(streams.cycle)
    stream = streams.cycle(3, -1, -1, steps=3000)
    assert float(stream.values.mean()) > 0 and end("sgd", stream) < 0
    assert end("rmsprop", stream, rho=0.1) > 0.5 and end("adam", stream, beta1=0.0, beta2=0.1) > 0.5
    assert end("rmsprop", stream) < -0.4 and end("adam", stream) < -0.4


@pytest.mark.parametrize("every", [10, 100])
def test_sparse(every: int) -> None:
    assert "one in k moves by about sqrt(k) lr in all" in taught(streams.sparse)
    stream = streams.sparse(every, steps=200 * every)
    assert end("adam", stream, lr=1.0) / 200 == pytest.approx(-math.sqrt(every), rel=0.03)
    assert end("sgd", stream, lr=1.0) / 200 == -1.0
    assert abs(float(ratio(stream)[every])) > 0.1 and float(stream.values[every]) == 0.0


def test_spike() -> None:
    text = taught(streams.spike)
    assert "shrinks to 0.76 lr, fifty steps later to 0.10 lr" in text
    steps = ratio(streams.spike(steps=1100))
    assert [round(float(steps[at - 1]), 2) for at in (49, 50, 100)] == [1.0, 0.76, 0.1]
    assert "a thousand, 1 / (1 - beta2), after it is 0.39 lr still" in text and round(float(steps[1049]), 2) == 0.39
    assert (steps[49:] < 0.8).all()
    assert "(at=3000) the spike itself is a step of 3.2 lr" in text
    late = ratio(streams.spike(at=3000, steps=3100))
    assert round(float(late[2999]), 1) == 3.2 and late[3060:].max() < 0.4
    ds = mhat.trace("adam", streams.spike(math.nan))
    assert np.isfinite(ds.x[:49]).all() and np.isnan(ds.m[49:]).all() and np.isnan(ds.v[49:]).all()


def test_shift() -> None:
    text = taught(streams.shift)
    assert "ln 2 / (1 - beta1) steps; at beta1 = 0.9 the seventh of the new gradients turns it" in text
    for beta1, rough in ((0.9, 0.1), (0.99, 0.05)):
        ds = mhat.trace("adam", streams.shift(at=1000, steps=1200), beta1=beta1)
        held = int(np.argmax(np.asarray(ds.m)[999:] <= 0)) + 1
        assert held == pytest.approx(math.log(2) / (1 - beta1), rel=rough)
        assert int(np.argmin(np.asarray(ds.x))) == 999 + held - 2
    default = np.asarray(mhat.trace("adam", streams.shift()).m)[49:]
    assert (default[:6] > 0).all() and default[6] < 0


def test_lottery() -> None:
    assert "Adam lets it rise unless beta2 is close to 1" in taught(streams.lottery)

    def mean_end(**knobs: float) -> float:
        return float(np.mean([end("adam", streams.lottery(seed=seed, steps=5000), **knobs) for seed in range(4)]))

    assert mean_end(beta2=0.1) > 0.1 and mean_end(beta2=0.9) > 0.1
    assert mean_end(beta2=0.999) < -0.1
    assert float(np.mean([streams.lottery(seed=seed, steps=5000).values.mean() for seed in range(4)])) > 0


def test_normal() -> None:
    text = taught(streams.normal)
    assert "sqrt((1 - beta1) / (1 + beta1)) lr long in the RMS, 0.23 lr at beta1 = 0.9" in text
    assert round(math.sqrt(0.1 / 1.9), 2) == 0.23
    lengths = [rms(ratio(streams.normal(mean, seed=1, steps=8000))[2000:]) for mean in (0.0, 0.1, 0.3, 1.0, 3.0)]
    assert lengths[0] == pytest.approx(0.23, rel=0.06)
    # A mean beside the noise steers the length, up to lr.
    assert lengths == sorted(lengths) and lengths[-1] > 0.9


def test_heavy_tailed() -> None:
    text = taught(streams.heavy_tailed)
    assert "the largest outweighs a hundred others together" in text and "no step of Adam is longer than 3 lr" in text
    for seed in range(10):
        stream = streams.heavy_tailed(seed=seed, steps=1000)
        sizes = np.sort(np.abs(stream.values))
        assert sizes[-1] > sizes[:100].sum()
        assert np.abs(ratio(stream)).max() < 3.0
        assert np.abs(np.diff(mhat.trace("sgd", stream, lr=1.0).x)).max() > 10

    def spread(freedom: float) -> float:
        """Give how far estimates of the variance from 100,000 gradients are apart."""
        found = [float((streams.heavy_tailed(freedom, seed=s, steps=100_000).values ** 2).mean()) for s in range(8)]
        return max(found) / min(found)

    assert spread(2.0) > 4 and spread(1.0) > 4 and spread(10.0) < 1.2


def test_drift() -> None:
    assert "a longer memory finds the signal, and is late when it changes" in taught(streams.drift)
    ds = mhat.trace("adam", streams.drift(steps=5000), beta1=[0.0, 0.9, 0.99, 0.999])
    right = (ds.m[3000:] > 0).mean("step").values.tolist()
    assert right == sorted(right) and right[0] < 0.6 and right[-1] > 0.95
    ds = mhat.trace("adam", streams.shift(at=1000, steps=3000), beta1=[0.9, 0.99, 0.999])
    late = (ds.m[999:] > 0).sum("step").values.tolist()
    assert late == sorted(late) and late[0] < 10 < 100 < late[-1]


def test_correlated() -> None:
    text = taught(streams.correlated)
    assert "the same variance as `normal`, but Adam walks much further" in text

    def of(memory: float, reach: Callable[[Stream], float]) -> float:
        return rms(np.array([reach(streams.correlated(memory, seed=seed, steps=3000)) for seed in range(20)]))

    alone, with_memory, undoing = (of(memory, lambda stream: end("adam", stream)) for memory in (0.0, 0.9, -0.9))
    assert with_memory > 3 * alone and undoing < alone / 3
    for memory in (0.9, -0.9):
        assert of(memory, lambda stream: float(stream.values.std())) == pytest.approx(1.0, rel=0.1)
    # Momentum averages away only what is independent.
    assert rms(ratio(streams.correlated(0.9, steps=3000))) > 2.5 * rms(ratio(streams.normal(steps=3000)))


def test_scaled() -> None:
    text = taught(streams.scaled)
    assert "the curves of SGD fan out, those of Adam lie on each other" in text and "a factor of 1e-4" in text
    sgd, adam = (np.asarray(mhat.trace(rule, streams.scaled()).x[-1]) for rule in ("sgd", "adam"))
    np.testing.assert_allclose(sgd / sgd[0], [1, 10, 100])
    np.testing.assert_allclose(adam / adam[0], 1, rtol=1e-6)
    small = np.asarray(mhat.trace("adam", streams.scaled(1e-4, size=4)).x[-1])
    assert small[1] / small[0] > 0.99 and small[2] / small[0] < 0.5 and small[3] / small[0] < 1e-3
