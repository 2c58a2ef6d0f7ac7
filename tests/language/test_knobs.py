"""Knobs whose defaults are made of earlier knobs: they follow in every way to run a rule, but where they are set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.optimize import minimize, rosen, rosen_der

import mhat
from mhat.bridges.scipy import method
from mhat.language import rule
from mhat.ops import inf, minimum, sqrt
from mhat.printers.python import module_text, rule_text

FOLLOWS = rule("""
def follows(x, g, v=0, *, lr=0.1, beta2=0.81, beta3="sqrt(beta2)", cap="1 / (1 - beta3)", growth=inf):
    v = beta3 * v + (1 - beta3) * g
    return x - minimum(lr * cap, growth) * v
""")
# The same with every knob a number of its own.
PLAIN = rule(str(FOLLOWS).replace('"sqrt(beta2)"', "0.9").replace('"1 / (1 - beta3)"', "10"))


def test_defaults() -> None:
    assert FOLLOWS.knobs == {"lr": 0.1, "beta2": 0.81, "beta3": 0.9, "cap": 1 / (1 - 0.9), "growth": np.inf}
    assert FOLLOWS.settled({"beta2": 0.25}) == {"beta2": 0.25, "beta3": 0.5, "cap": 2.0}
    assert FOLLOWS.settled({"beta2": 0.25, "beta3": 0.75}) == {"beta2": 0.25, "beta3": 0.75, "cap": 4.0}
    assert FOLLOWS.settled({"lr": 1.0}) == {"lr": 1.0}


def test_printed_and_parsed_again() -> None:
    assert rule(rule_text(FOLLOWS)) == FOLLOWS
    assert 'beta3="sqrt(beta2)", cap="1 / (1 - beta3)", growth=inf' in rule_text(FOLLOWS)
    assert "from mhat.ops import inf, minimum" in module_text(FOLLOWS, "What follows.")
    # An expression without knobs is a number.
    assert rule("def f(x, *, lr='1 / 2'): return x") == rule("def f(x, *, lr=0.5): return x")


@mhat.rule
def written(x, g, *, lr=0.1, beta2=0.81, beta3="sqrt(beta2)", growth=inf):
    return x - minimum(lr * beta3 * sqrt(g), growth)


def test_called_as_python() -> None:
    assert written(0.0, 4.0, beta2=0.25) == pytest.approx(-0.1)
    assert written(0.0, 4.0) == pytest.approx(-0.18)
    assert written(0.0, 4.0, beta3=2.0) == pytest.approx(-0.4)


GIVEN = {"beta2": 0.25}
FULL = {"beta2": 0.25, "beta3": 0.5, "cap": 2.0}
G = np.array([1.0, -2.0, 3.0])


def test_steps_on_floats_and_arrays() -> None:
    expected = mhat.step(PLAIN, 1.0, 2.0, 1, **FULL).x
    assert mhat.step(FOLLOWS, 1.0, 2.0, 1, **GIVEN).x == expected
    assert mhat.step(FOLLOWS, np.ones(3), G, 1, beta2=np.full(3, 0.25)).x[1] == mhat.step(PLAIN, 1.0, -2.0, 1, **FULL).x
    found = mhat.step(FOLLOWS, torch.ones(3, dtype=torch.float64), torch.tensor(G), 1, beta2=torch.tensor(0.25))
    assert found.x[0] == mhat.step(PLAIN, 1.0, 1.0, 1, **FULL).x


def test_traces_sweeps_and_schedules() -> None:
    assert mhat.trace(FOLLOWS, G, **GIVEN).x.equals(mhat.trace(PLAIN, G, **FULL).x)
    swept = mhat.trace(FOLLOWS, G, beta2=[0.25, 0.81])
    assert np.array_equal(swept.x.sel(beta2=0.25), mhat.trace(PLAIN, G, **FULL).x)
    scheduled = mhat.trace(FOLLOWS, G, beta2=xr.DataArray([0.25, 0.25, 0.81], dims="step"))
    assert np.array_equal(scheduled.x[:2], mhat.trace(PLAIN, G, **FULL).x[:2])
    assert not np.array_equal(scheduled.x[2], mhat.trace(PLAIN, G, **FULL).x[2])


def test_an_optimizer_follows_until_it_is_set(tmp_path: Path) -> None:
    opt = mhat.Optimizer(FOLLOWS, np.zeros(2), **GIVEN)
    assert dict(opt.knobs) == {"lr": 0.1, "growth": np.inf, **FULL}
    opt.beta3 = 0.75
    assert (opt.cap, opt.beta2) == (4.0, 0.25)
    opt.beta2 = 0.81
    assert opt.beta3 == 0.75
    opt.step(np.ones(2))
    opt.save(tmp_path / "state.npz")
    other = mhat.Optimizer(FOLLOWS, np.zeros(2))
    other.load(tmp_path / "state.npz")
    assert dict(other.knobs) == dict(opt.knobs)
    other.beta2 = 0.5
    assert other.beta3 == 0.75
    with pytest.raises(mhat.errors.BadValue):
        other.beta2 = 2.0
    assert other.beta2 == 0.5


def test_an_optimizer_that_was_loaded_still_follows() -> None:
    opt = mhat.Optimizer(FOLLOWS, np.zeros(2), **GIVEN)
    opt.step(np.ones(2))
    other = mhat.Optimizer(FOLLOWS, np.zeros(2))
    other.load_state_dict(opt.state_dict())
    other.beta2 = 0.81
    assert other.beta3 == 0.9


def test_minimizing() -> None:
    runs = [minimize(rosen, [0.5, 0.5], jac=rosen_der, method=method(made, lr=1e-4, **knobs), options={"maxiter": 5})
            for made, knobs in ((FOLLOWS, GIVEN), (PLAIN, FULL))]  # fmt: skip
    assert np.array_equal(runs[0].x, runs[1].x)


def test_a_check_holds_what_follows() -> None:
    def mine(gradients, lr=0.1, beta2=0.81):
        x, v, out, beta3 = 0.0, 0.0, [], np.sqrt(beta2)
        for g in gradients:
            v = beta3 * v + (1 - beta3) * g
            x = x - lr / (1 - beta3) * v
            out.append(x)
        return np.array(out)

    assert mhat.check(mine, against=FOLLOWS, beta2=0.25).conforms
