"""Arrays against floats: rules of the library and random rules, bit for bit where the operations are exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import array_api_compat.torch as array_torch
import jax
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mhat import rules as library
from mhat.dtypes import DTYPES
from mhat.engines.arrays import Arrays
from mhat.engines.floats import to_float32
from mhat.engines.small import arrays_of
from mhat.engines.tensors import values_of
from mhat.language import Rule, of_tree, rule
from tests.choices import BIT_FOR_BIT, often
from tests.engines.bounds import Bounds
from tests.engines.columns import doubles, same_bits
from tests.engines.driving import Record, as_array, drive, drive_floats
from tests.strategies import rules

SHAPES: list[tuple[int, ...]] = [(), (1,), (5,), (3, 4)]
# 65519.9 is the largest that stays finite in float16, 3.39e38 in bfloat16; 6e-8 and 1e-40 are near their smallest.
WILD = [
    0.0, -0.0, np.inf, -np.inf, np.nan, 1e300, -1e-300, 5e-324, 1.0, -2.0, 1e-20, 3e38, 3.39e38, 65519.9, 6e-8, 1e-40,
]  # fmt: skip
OVER_ALL = [
    "def f(x, g, k, n, m=0, *, lr=0.1):\n"
    "    size = norm(g, over='all')\n"
    "    m = 0.9 * m + g / (size + 1e-8) + mean(x) - mean(m, over='all') * k / n\n"
    "    return x - lr * m * sum(g * x)",
    "def f(x, g, t, s=0, *, lr=0.1):\n"
    "    s = s + sum(g**2, over='all')\n"
    "    return x - lr * g / sqrt(s) * mean(t, over='all') - sum(s)",
]
ELEMENTWISE = {"max_examples": 60, "deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


def stream(shape: tuple[int, ...], steps: int = 8, seed: int = 0, wild: bool = False) -> np.ndarray:
    random = np.random.default_rng([seed, *shape])
    gradients = random.standard_normal((steps, *shape)) * 10.0 ** random.integers(-3, 3, (steps, *shape))
    gradients = np.where(random.random(gradients.shape) < 0.1, 0.0, gradients)
    if not wild:
        return gradients
    return np.where(random.random(gradients.shape) < 0.5, random.choice(WILD, gradients.shape), gradients)


def drive_numpy(rule: Rule, streams: Sequence[np.ndarray], dtype: str = "float64", **more: Any) -> list[list[Record]]:
    dimensions = more.pop("tensor_dimensions", None)
    several = 1 if more.get("several") else 0
    arithmetic = arrays_of(dtype, tensor_dimensions=dimensions, several_dimensions=several)

    def tensor(array: np.ndarray) -> np.ndarray:
        return np.asarray(arithmetic.store(np.asarray(array, dtype=DTYPES[dtype].computed)))

    with np.errstate(all="ignore"):
        return drive(rule, arithmetic, tensor, streams, **more)


def check_same(expected: list[list[Record]], found: list[list[Record]], dtype: str, *streams: np.ndarray) -> None:
    for t, (records, others) in enumerate(zip(expected, found, strict=True)):
        for record, other, gradients in zip(records, others, streams, strict=True):
            assert record.keys() == other.keys()
            for name in record:
                held = DTYPES[dtype].computed
                assert np.asarray(other[name]).dtype == held, (name, other[name])
                shape = np.broadcast_shapes(gradients.shape[1:], np.shape(other[name]))
                a, b = as_array(record[name], shape, held), as_array(other[name], shape, held)
                assert same_bits(a, b).all(), f"step {t + 1}, {name}: {a} {b}"


@pytest.mark.parametrize("name", BIT_FOR_BIT)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_rule_has_the_same_bits_on_floats_and_numpy(name: str, dtype: str) -> None:
    chosen = library.named(name)
    for shape in SHAPES:
        for wild in (False, True):
            gradients = stream(shape, wild=wild)
            start = [np.ones(shape)]
            expected = drive_floats(chosen, [gradients], dtype, starts=start)
            check_same(expected, drive_numpy(chosen, [gradients], dtype, starts=start), dtype, gradients)


@settings(**ELEMENTWISE)
@given(
    tree=rules(exact_only=True),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(list(DTYPES)),
    wild=st.booleans(),
)
def test_random_rules_have_the_same_bits_on_floats_and_numpy(
    tree: Any, shape: tuple[int, ...], dtype: str, wild: bool
) -> None:
    gradients = stream(shape, steps=3, wild=wild)
    expected = drive_floats(of_tree(tree), [gradients], dtype)
    check_same(expected, drive_numpy(of_tree(tree), [gradients], dtype), dtype, gradients)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("text", [*OVER_ALL, "lamb", "adam"])
def test_peers_have_the_same_bits(text: str, dtype: str) -> None:
    chosen = library.named(text) if text.isidentifier() else rule(text)
    streams = [stream(shape) for shape in SHAPES]
    starts = [np.full(shape, 0.5) for shape in SHAPES]
    expected = drive_floats(chosen, streams, dtype, starts=starts)
    check_same(expected, drive_numpy(chosen, streams, dtype, starts=starts), dtype, *streams)


@pytest.mark.parametrize("text", [*OVER_ALL, "lamb", "adam"])
def test_tensors_on_a_leading_axis_are_peers(text: str) -> None:
    chosen = library.named(text) if text.isidentifier() else rule(text)
    gradients = stream((3, 4))
    peers = [np.ascontiguousarray(gradients[:, i]) for i in range(3)]
    expected = drive_floats(chosen, peers)
    found = drive_numpy(chosen, [gradients], several=3, tensor_dimensions=1)
    for records, (other,) in zip(expected, found, strict=True):
        for name in other:
            rows = as_array(other[name], (3, 4))
            for i, record in enumerate(records):
                assert same_bits(as_array(record[name], (4,)), rows[i]).all(), name


@pytest.mark.parametrize("name", often())
def test_a_sweep_of_a_knob_equals_each_knob_alone(name: str) -> None:
    chosen, gradients = library.named(name), stream((5,))
    start = [np.ones(5)]
    for knob, default in chosen.knobs.items():
        values = np.array([default or 0.1, default / 2, default * 0.9])
        swept = drive_numpy(chosen, [gradients], starts=start, knobs={knob: values[:, None]}, tensor_dimensions=1)
        for i, value in enumerate(values):
            alone = drive_numpy(chosen, [gradients], starts=start, knobs={knob: float(value)}, tensor_dimensions=1)
            for (record,), (other,) in zip(swept, alone, strict=True):
                for variable in record:
                    row = np.broadcast_to(record[variable], (3, 5))[i]
                    assert same_bits(row, np.broadcast_to(other[variable], (5,))).all(), (knob, variable)


@pytest.mark.parametrize("text", OVER_ALL)
def test_a_sweep_over_peers_equals_each_knob_alone(text: str) -> None:
    chosen, streams = rule(text), [stream((5,)), stream((3,))]
    rates = np.array([0.1, 0.2, 0.5])
    swept = drive_numpy(chosen, streams, knobs={"lr": rates[:, None]}, tensor_dimensions=1)
    for i, rate in enumerate(rates.tolist()):
        alone = drive_floats(chosen, streams, knobs={"lr": rate})
        for records, others in zip(swept, alone, strict=True):
            for record, other, gradients in zip(records, others, streams, strict=True):
                row = np.broadcast_to(record["x"], (3, gradients.shape[1]))[i]
                assert same_bits(row, as_array(other["x"], gradients.shape[1:])).all()


@settings(**ELEMENTWISE)
@given(tree=rules(exact_only=True), shape=st.sampled_from(SHAPES))
def test_a_sweep_of_all_knobs_of_a_random_rule_equals_each_alone(tree: Any, shape: tuple[int, ...]) -> None:
    chosen, gradients = of_tree(tree), stream(shape, steps=3)
    axes = (1,) * len(shape)
    knobs = {name: np.array([value, 0.3, -value / 3]) for name, value in chosen.knobs.items()}
    batched = {name: values.reshape(3, *axes) for name, values in knobs.items()}
    swept = drive_numpy(chosen, [gradients], knobs=batched, tensor_dimensions=len(shape))
    for i in range(3):
        chosen_knobs = {name: float(values[i]) for name, values in knobs.items()}
        alone = drive_floats(chosen, [gradients], knobs=chosen_knobs)
        for (record,), (other,) in zip(swept, alone, strict=True):
            for name in record:
                row = np.broadcast_to(record[name], (3, *shape))[i]
                assert same_bits(row, as_array(other[name], shape)).all(), name


# One ulp in place of half an ulp an operation: torch takes roots with MKL, whose float64 roots are off by an ulp once
# in eighty and whose float32 roots once in six; XLA divides by a scalar by multiplying with its inverse.
FRAMEWORK_ULPS = 1.0


def check_within_bounds(chosen: Rule, gradients: np.ndarray, start: np.ndarray, arithmetic: Any, tensor: Any) -> None:
    bounds = Bounds(ulps=FRAMEWORK_ULPS)
    expected = drive(chosen, bounds, bounds.tensor, [gradients], [start])
    with doubles():
        found = drive(chosen, arithmetic, tensor, [gradients], [start])
    for (record,), (other,) in zip(expected, found, strict=True):
        for variable in record:
            intervals = values_of(record[variable])
            values = np.broadcast_to(np.asarray(other[variable]).ravel(), len(intervals))
            for interval, value in zip(intervals, values.tolist(), strict=True):
                assert value in interval, f"{variable}: {value} {interval}"


@pytest.mark.parametrize("name", often())
def test_torch_lies_within_bounds(name: str) -> None:
    arithmetic = Arrays(array_torch, torch.float64, tensor_dimensions=None)
    check_within_bounds(library.named(name), stream((3, 4)), np.ones((3, 4)), arithmetic, torch.asarray)


@pytest.mark.parametrize("name", often())
def test_jax_lies_within_bounds(name: str) -> None:
    with doubles():
        arithmetic = Arrays(jax.numpy, "float64", tensor_dimensions=None)
    check_within_bounds(library.named(name), stream((3, 4), steps=4), np.ones((3, 4)), arithmetic, jax.numpy.asarray)


@settings(**{**ELEMENTWISE, "max_examples": 40})
@given(tree=rules(exact_only=True), wild=st.booleans())
def test_random_rules_lie_within_bounds_on_torch(tree: Any, wild: bool) -> None:
    arithmetic = Arrays(array_torch, torch.float64, tensor_dimensions=None)
    gradients = stream((5,), steps=2, wild=wild)
    check_within_bounds(of_tree(tree), gradients, np.zeros(5), arithmetic, torch.asarray)


def test_float32_rounds_infinities_like_c() -> None:
    assert to_float32(1e39) == np.inf
    assert to_float32(1e-46) == 0.0
