"""The public verbs find what is named and hand it on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import landscapes, rules, streams
from mhat.errors import BadValue, InputFileError, UnknownName

TEN = np.full(100, 10.0)


def halve(x, g, *, lr=0.5):  # type: ignore[no-untyped-def]
    return x - lr * g


@pytest.mark.parametrize("rule", ["adam", rules.adam, rules.adam.source.text], ids=["name", "rule", "text"])
@pytest.mark.parametrize(
    "stream",
    ["constant:10", streams.constant(10), TEN, TEN.tolist(), xr.DataArray(TEN, dims="step")],
    ids=["name", "stream", "array", "list", "DataArray"],
)
def test_the_story_by_every_name(rule: Any, stream: Any) -> None:
    rule = mhat.rule(rule) if isinstance(rule, str) and "\n" in rule else rule
    ds = mhat.trace(rule, stream, eps=1e-3)
    assert float(ds.ratio.sel(step=100)) == 0.9999000099990011


def test_a_function_is_a_rule() -> None:
    assert mhat.trace(halve, [1.0, 2.0]).x.values.tolist() == [-0.5, -1.5]
    assert mhat.step(halve, 1.0, 2.0, 1).x == 0.0


def test_a_file_holds_rules_and_gradients(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("def mine(x, g):\n    return x - g\n")
    Path("g.csv").write_text("1\n2\n3\n")
    assert mhat.trace("mine.py:mine", "g.csv").x.values.tolist() == [-1.0, -3.0, -6.0]


def test_steps_reach_the_stream() -> None:
    assert mhat.trace("sgd", "constant:10", steps=250).sizes["step"] == 250
    assert mhat.trace("sgd", streams.ramp, steps=7).sizes["step"] == 7
    assert mhat.trace("sgd", landscapes.beale, steps=7).attrs["landscape"] == "beale"


def test_unknown_names() -> None:
    with pytest.raises(UnknownName) as error:
        mhat.trace("adom", "constant:10")
    assert str(error.value) == "there is no rule `adom`\nDid you mean `adam`? `mhat rules` lists them."
    with pytest.raises(UnknownName) as error:
        mhat.trace("adam", "constnt:10")
    assert str(error.value).startswith("there is no stream `constnt`\nDid you mean `constant`?")
    with pytest.raises(BadValue) as error:
        mhat.trace(rules, "constant:10")
    assert str(error.value) == "mhat.rules is a module\nName the rule in it: mhat.rules.NAME."


def test_traces_go_to_disk_and_back(tmp_path: Path) -> None:
    ds = mhat.trace("adam", streams.normal(seed=1, size=2), lr=[0.1, 0.2])
    mhat.save(ds, str(tmp_path / "a.nc"))
    loaded = mhat.load(str(tmp_path / "a.nc"))
    xr.testing.assert_identical(loaded, ds)
    xr.testing.assert_identical(mhat.again(loaded), ds)
    with pytest.raises(InputFileError):
        mhat.load(str(tmp_path / "b.nc"))


def test_step_hands_its_state_on() -> None:
    x, state = np.zeros(2), None
    ds = mhat.trace("adam", [[1.0, -2.0], [3.0, 0.5]], lr=0.1)
    for t, g in enumerate(ds.g.values, start=1):
        x, state, variables = mhat.step("adam", x, g, t, state, lr=0.1)
        np.testing.assert_array_equal(x, ds.x.sel(step=t))
        np.testing.assert_array_equal(variables["ratio"], ds.ratio.sel(step=t))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_step_gives_arrays_for_arrays_without_dimensions_too(dtype: str) -> None:
    chosen = mhat.rules.named("adam")
    xs, gs = [np.ones((), dtype), np.ones(3, dtype)], [np.full((), 0.5, dtype), np.full(3, 0.5, dtype)]
    state = None
    for t in (1, 2, 3):
        made = mhat.step(chosen, xs, gs, t, state)
        xs, state = made.x, made.state
        assert [(type(x), x.dtype, x.shape) for x in xs] == [
            (np.ndarray, np.dtype(dtype), shape) for shape in ((), (3,))
        ]
        assert isinstance(state[0]["m"], np.ndarray)
        assert isinstance(made.variables[0]["m_hat"], np.ndarray)
        assert xs[0] == xs[1][0]
    alone = mhat.step(chosen, np.ones((), dtype), np.ones((), dtype), 1)
    assert isinstance(alone.x, np.ndarray)


def test_step_takes_literals_beyond_float32() -> None:
    huge = mhat.rule("def huge(x, g):\n    return x - minimum(g, 1e300)")
    assert mhat.step(huge, np.zeros(2, np.float32), np.ones(2, np.float32), 1).x.tolist() == [-1.0, -1.0]


def test_arguments_that_are_swapped_are_told_so() -> None:
    for stream, kind in (("constant:10", "stream"), ("rosenbrock", "landscape")):
        for rule in ("adam", rules.adam):
            with pytest.raises(BadValue) as error:
                mhat.trace(stream, rule)
            assert str(error.value) == (
                f'`{stream}` is a {kind} and `adam` a rule\nName the rule first: trace("adam", "{stream}").'
            )
