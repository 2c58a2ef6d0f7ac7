"""Schedules as values of knobs in a trace: objects, texts, functions, lists of them; saved and run again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import schedules
from mhat.errors import BadValue, UnknownName

WARM = "warmup_cosine:1,warmup=2,steps=5"


@pytest.mark.parametrize("lr", [WARM, schedules.named(WARM), lambda t: schedules.named(WARM)(t)])
def test_a_schedule_is_what_its_values_are(lr: object) -> None:
    ds = mhat.trace("adam", "ramp:3", steps=9, lr=lr)
    expected = mhat.trace("adam", "ramp:3", steps=9, lr=xr.DataArray(schedules.named(WARM).values(9), dims="step"))
    assert ds.x.values.tobytes() == expected.x.values.tobytes()
    assert ds.lr.values.tolist() == expected.lr.values.tolist()


def test_the_trace_says_which_one_it_was(tmp_path: Path) -> None:
    ds = mhat.trace("adam", "constant:10", steps=9, lr=WARM, beta1=[0.8, 0.9])
    assert ds.lr.attrs["schedule"] == WARM
    mhat.save(ds, tmp_path / "a.nc")
    again = mhat.again(mhat.load(tmp_path / "a.nc"))
    assert again.lr.attrs["schedule"] == WARM and again.x.identical(ds.x)


def test_a_list_of_schedules_is_a_sweep(tmp_path: Path) -> None:
    ds = mhat.trace(["sgd", "adam"], "constant:10", steps=4, lr=["linear:1,steps=4", 0.5, lambda t: 1 / t])
    assert ds.x.dims == ("step", "rule", "lr_schedule")
    assert ds.lr_schedule.values.tolist() == ["linear:1,steps=4", "constant:0.5", "the function <lambda>"]
    moved = ds.x.sel(rule="sgd", lr_schedule="linear:1,steps=4").values
    assert moved.tolist() == (-10 * np.cumsum([1, 0.75, 0.5, 0.25])).tolist()
    mhat.save(ds, tmp_path / "b.nc")
    assert mhat.again(mhat.load(tmp_path / "b.nc")).x.identical(ds.x)
    assert mhat.plot(ds).axes


def test_on_a_landscape_and_in_blocks(tmp_path: Path) -> None:
    closed = mhat.trace("sgd", "quadratic", steps=20, lr="cosine:0.1,steps=20")
    assert closed.lr.sizes["step"] == 20 and closed.x.sizes["step"] == 20
    store = mhat.trace("sgd", "constant:1", steps=50, lr="step:0.1,every=20", to=tmp_path / "c.zarr")
    whole = mhat.trace("sgd", "constant:1", steps=50, lr="step:0.1,every=20")
    assert store.x.values.tobytes() == whole.x.values.tobytes()


def test_what_names_none_is_refused() -> None:
    for lr, kind, message in (
        ("linea:1", UnknownName, "there is no schedule `linea`\nDid you mean `linear`? `mhat schedules` lists them."),
        ("fast", BadValue, "lr='fast' is not a number\nGive lr a number, or numbers."),
        ("linear:-1,steps=3", BadValue,
         "lr=-1.0 is out of its range (learning rate: the size of a step)\nChoose lr with 0 <= lr."),
    ):  # fmt: skip
        with pytest.raises(kind) as caught:
            mhat.trace("sgd", "constant:1", lr=lr)
        assert str(caught.value) == message
