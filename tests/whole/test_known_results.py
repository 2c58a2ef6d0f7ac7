"""Published results that a laptop reproduces in a moment: closed forms, counter-examples, bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import landscapes, streams


def over_steps(values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, dims="step")


def online(rule: str, landscape: landscapes.Landscape, steps: int, **knobs: float) -> float:
    """Run a published online problem with its own schedule; give where x ends."""
    assert landscape.lr is not None
    lr = over_steps(landscape.lr(np.arange(1, steps + 1)))
    return float(mhat.trace(rule, landscape, steps=steps, lr=lr, keep="x", **knobs).x[-1, 0])


def test_reddi_theorem_1() -> None:
    """Adam goes to the worst point, AMSGrad to the best (arXiv:1904.09237)."""
    knobs = {"beta1": 0.0, "beta2": 0.1}
    assert online("adam", landscapes.reddi(), 3000, **knobs) == pytest.approx(1.0, abs=1e-4)
    assert online("amsgrad", landscapes.reddi(), 3000, **knobs) == pytest.approx(-1.0, abs=0.02)


def test_adopt_converges_for_any_beta2_where_adam_does_not() -> None:
    """The lottery of arXiv:2411.02853 without chance, one gradient of 10 among nine of -1, with its falling rate."""
    steps, periodic = 6000, landscapes.reddi(10, -1, 10)
    lr = over_steps(0.05 / np.sqrt(1 + 0.01 * np.arange(1, steps + 1)))

    def ends(rule: str, *beta2: float) -> np.ndarray:
        ds = mhat.trace(rule, periodic, steps=steps, lr=lr, beta2=list(beta2), keep="x")
        return np.asarray(ds.x[-1, :, 0].values)

    assert ends("adam", 0.5, 0.999) == pytest.approx([1.0, -1.0], abs=0.01)
    assert (ends("adopt", 0.1, 0.5, 0.9, 0.999) < -0.99).all()


# K: the largest step, the smallest later one, when it comes after the spike, and what is lost, in learning rates.
SPIKES = {10: (1.81, 0.955, 72, None), 100: (3.21, 0.306, 73, 1305), 10_000: (None, 0.0033, None, None)}


@pytest.mark.parametrize("size", SPIKES)
def test_a_spike_after_ones_is_a_long_step_and_then_short_ones(size: int) -> None:
    longest, shortest, when, lost = SPIKES[size]
    ratio = mhat.trace("adam", streams.spike(size, at=3001, steps=6000), keep="ratio").ratio.values[3000:]
    assert ratio.min() == pytest.approx(shortest, abs=5e-4)
    if longest is not None:
        assert ratio.max() == pytest.approx(longest, abs=5e-3)
        assert int(ratio.argmin()) == when
    if lost is not None:
        assert (1 - ratio).sum() == pytest.approx(lost, abs=1)


def test_a_rare_gradient_moves_by_its_root() -> None:
    """One gradient in k moves by about sqrt(k) lr an event, lr / sqrt(k) a step, as long as v remembers it."""
    every, steps = [2, 10, 100, 1000], 8000
    rare = np.stack([streams.sparse(k, steps=2 * steps).values for k in every], axis=1)
    ratio = mhat.trace("adam", rare, keep="ratio").ratio.values[steps:]
    assert ratio.mean(axis=0) == pytest.approx([0.7071, 0.3161, 0.0980, 0.0253], abs=5e-4)
    assert ratio.mean(axis=0)[:3] == pytest.approx(1 / np.sqrt(every[:3]), rel=0.03)


def test_white_noise_walks_at_its_own_pace() -> None:
    """The RMS step under noise alone is lr sqrt((1 - beta1) / (1 + beta1))."""
    ratio = mhat.trace("adam", streams.normal(seed=1, size=50, steps=6000), keep="ratio").ratio[3000:]
    found = float(np.sqrt((ratio**2).mean()))
    assert math.sqrt(0.1 / 1.9) == pytest.approx(0.2294, abs=5e-5)
    assert found == pytest.approx(0.2294, abs=0.004)


def bound(beta1: float, beta2: float) -> float:
    return (1 - beta1) / math.sqrt((1 - beta2) * (1 - beta1**2 / beta2))


def test_growing_gradients_pass_the_bound_of_the_paper_and_stay_below_the_true_one() -> None:
    ratio = mhat.trace("adam", streams.exponential(0.999 / 0.9, steps=3000), eps=0.0, keep="ratio").ratio
    # Squares overflow beyond 1e154, at step 3,400 or so.
    assert bound(0.9, 0.999) == pytest.approx(7.2703, abs=5e-5)
    assert float(ratio.max()) > 0.1 / math.sqrt(0.001) == pytest.approx(3.1623, abs=5e-5)
    assert float(ratio.max()) < bound(0.9, 0.999)
    for t, known in ((1, 1.0), (10, 1.0431), (100, 2.2434), (1000, 5.78)):
        assert float(ratio.sel(step=t)) == pytest.approx(known, abs=5e-3 if t == 1000 else 5e-5)


@pytest.mark.parametrize(
    ("beta1", "beta2", "known"), [(0.9, 0.95, 1.165), (0.9, 0.98, 1.698), (0.9, 0.99, 2.345), (0.9, 0.9, 1.0)]
)
def test_the_true_bound_for_other_betas(beta1: float, beta2: float, known: float) -> None:
    assert bound(beta1, beta2) == pytest.approx(known, abs=5e-4)
    stream = streams.exponential(beta2 / beta1, steps=3000)
    ratio = mhat.trace("adam", stream, eps=0.0, beta1=beta1, beta2=beta2, keep="ratio").ratio
    assert 0.999 * known < float(ratio.max()) < known * 1.001


@pytest.mark.parametrize("beta2", [0.999, 0.99, 0.95])
def test_radam_trusts_from_step_six_on(beta2: float) -> None:
    ds = mhat.trace("radam", [1.0] * 1000, beta2=beta2)
    assert ds.attrs["rule"] == "radam"
    assert float(ds.rho_inf[0]) == pytest.approx(2 / (1 - beta2) - 1)
    if beta2 == 0.999:
        assert [int((ds.rho_t.values > least).argmax()) + 1 for least in (4, 5)] == [5, 6]
        for t, known in ((5, 0.0173), (6, 0.0258), (100, 0.2153), (1000, 0.6453)):
            assert float(ds.r_t.sel(step=t)) == pytest.approx(known, abs=5e-5)


def test_the_last_bits_of_the_story() -> None:
    ds = mhat.trace("adam", streams.constant(10, steps=100), eps=1e-3)
    assert float(ds.ratio[-1]) == 0.9999000099990011
