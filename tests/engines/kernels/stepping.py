"""A rule stepped by compiled kernels beside the living definition: parameters and states, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.engines.floats import to_float32
from mhat.engines.kernels import step as steps_of_kernels
from mhat.language import Rule
from tests.engines.columns import same_bits
from tests.engines.driving import Record, as_array, drive_floats
from tests.engines.test_agreement import stream

Drive = Callable[..., list[list[Record]]]
# Empty, one number, odd sizes, and both sides of a thread's grain and of a sum's block.
SHAPES: list[tuple[int, ...]] = [(), (1,), (0,), (5,), (3, 4), (63,), (65,), (2, 0), (1025,)]
FEW: list[tuple[int, ...]] = [(), (1,), (0,), (5,), (3, 4), (65,)]


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    with np.errstate(all="ignore"):
        return values.astype(dtype).astype(np.float64)


def as_user_holds_it(array: np.ndarray, layout: str) -> np.ndarray:
    """Copy an array into memory of another layout."""
    if layout == "Fortran":
        return np.array(array, order="F")
    if layout == "strided":
        home = np.full((*array.shape[:-1], 2 * array.shape[-1]) if array.ndim else (), np.nan, array.dtype)
        made = home[..., ::2] if array.ndim else home
    elif layout == "backwards":
        made = np.empty_like(array)[(slice(None, None, -1),) * array.ndim]
    elif layout == "misaligned":
        made = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    else:
        return np.array(array)
    made[...] = array
    return made


def use_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small work run in as many threads as are asked for, more than there are processors too."""
    monkeypatch.setattr(steps_of_kernels, "threads_for", lambda coordinates, wanted: wanted)


def check_bit_for_bit(
    rule: Rule,
    dtype: str,
    streams: Sequence[np.ndarray],
    *,
    start: float = 1.0,
    layouts: Sequence[str] = ("plain",),
    threads: int = 1,
    fused: bool | None = True,
    drive: Drive = drive_floats,
) -> None:
    """Run streams, one a tensor, on floats (or what drives them) and on kernels.

    `fused`: whether the rule is lowered, None: either.
    """
    streams = [rounded(each, dtype) for each in streams]
    starts = [rounded(np.full(each.shape[1:], start), dtype) for each in streams]
    expected = drive(rule, streams, dtype, starts=starts)
    layout = [layouts[i % len(layouts)] for i in range(len(streams))]
    params = [as_user_holds_it(x.astype(dtype), kind) for x, kind in zip(starts, layout, strict=True)]
    opt = mhat.Optimizer(rule, params, as_written=True, threads=threads)
    if fused is not None:
        assert hasattr(opt._state.groups[0].step, "printed") is fused
    for t, records in enumerate(expected):
        opt.step([as_user_holds_it(each[t].astype(dtype), kind) for each, kind in zip(streams, layout, strict=True)])
        for i, record in enumerate(records):
            shape = streams[i].shape[1:]
            check_same(f"step {t + 1}, tensor {i}: x", params[i], as_array(record["x"], shape, dtype))
            for name, values in opt.state.items():
                found = np.asarray(values[i])
                if found.dtype != dtype:  # a number a step is kept in double
                    assert name in rule.dependence.per_step_states
                    found = np.asarray(to_float32(float(found)), dtype)
                check_same(f"step {t + 1}, tensor {i}: {name}", found, as_array(record[name], found.shape, dtype))


def check_same(what: str, found: np.ndarray, expected: np.ndarray) -> None:
    same = same_bits(np.ascontiguousarray(found), np.ascontiguousarray(expected))
    assert same.all(), f"{what}: {np.asarray(found)[~same][:4]} {expected[~same][:4]}"


def check_rule(rule: Rule, dtype: str, **more: Any) -> None:
    """Hold a rule's kernel against floats: tame and wild gradients, all shapes, several tensors at once."""
    check_bit_for_bit(rule, dtype, [stream(shape, steps=4) for shape in SHAPES], **more)
    layouts = ("Fortran", "strided", "misaligned", "backwards", "plain")
    check_bit_for_bit(
        rule, dtype, [stream(shape, steps=3, wild=True) for shape in FEW], layouts=layouts, threads=3, **more
    )
