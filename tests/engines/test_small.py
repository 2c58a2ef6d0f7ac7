"""float16 and bfloat16: rounded as ml_dtypes and NumPy round, entered as float32, and one step on small arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import array_api_compat.torch as array_torch
import jax
import ml_dtypes
import numpy as np
import pytest
import torch

import mhat
from mhat import rules as library
from mhat.engines.floats import NEAREST, Floats, Tensor
from mhat.engines.program import Program, first_environment
from mhat.engines.small import SmallArrays
from mhat.engines.tensors import values_of
from mhat.errors import BadValue
from tests.choices import often
from tests.engines.bounds import FORMATS, Bounds, Interval, Rounded
from tests.engines.columns import same_bits
from tests.engines.driving import drive
from tests.engines.test_agreement import stream

TYPES: dict[str, Any] = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@pytest.mark.parametrize("dtype", TYPES)
def test_every_number_and_every_tie_is_rounded_to_the_nearest(dtype: str) -> None:
    with np.errstate(all="ignore"):
        small = np.arange(2**16, dtype=np.uint16).view(TYPES[dtype]).astype(np.float32)
        small = small[np.isfinite(small)]
        ties = (small[:-1].astype(float) + small[1:].astype(float)) / 2
        beside = [np.nextafter(ties.astype(np.float32), np.float32(end)).astype(float) for end in (-np.inf, np.inf)]
        ends = np.array([np.nan, np.inf, -np.inf, 65519.99, 65520.0, -65520.0, 3.3961e38, 3.4e38, 1e39, -1e300, 5e-324])
        for values in (small.astype(float), ties, *beside, ends):
            found = np.array([NEAREST[dtype](value) for value in values.tolist()])
            expected = values.astype(np.float32).astype(TYPES[dtype]).astype(float)
            wrong = ~same_bits(found, expected)
            assert not wrong.any(), (values[wrong][:5], found[wrong][:5], expected[wrong][:5])


def test_what_overflows_is_infinite() -> None:
    assert NEAREST["float16"](65519.0) == 65504.0
    assert NEAREST["float16"](65520.0) == np.inf == -NEAREST["float16"](-1e300)


def test_literals_and_knobs_stay_float32() -> None:
    """In bfloat16 0.999 would be 1: the decay would never end."""
    text = "def f(x, g, v=0, *, beta=0.999):\n    v = beta * v + (1 - beta) * g\n    w = 0.999 * g\n    return x - v"
    ds = mhat.trace(mhat.rule(text), [256.0, 0.0], dtype="bfloat16")
    first = ml_dtypes.bfloat16(np.float32(1 - 0.999) * np.float32(256))
    assert float(ds.v[0]) == float(first)
    assert float(ds.v[1]) == float(ml_dtypes.bfloat16(np.float32(0.999) * np.float32(first)))
    assert float(ds.w[0]) == float(ml_dtypes.bfloat16(np.float32(0.999) * np.float32(256)))


STORED = "def f(x, g, m='lr', *, lr=0.999):\n    u = m * g\n    m = m + g\n    m = lr\n    c = lr + 0\n    return lr"


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("gradients", [[1.0, 1.0], [[1.0] * 5] * 2], ids=["floats", "arrays"])
def test_what_is_carried_is_of_the_type_and_a_per_step_variable_is_float32(dtype: str, gradients: Any) -> None:
    ds = mhat.trace(mhat.rule(STORED), gradients, dtype=dtype)
    for name in ("m", "u", "x"):
        assert (ds[name] == float(TYPES[dtype](0.999))).all(), name
    assert (ds["c"] == float(np.float32(0.999))).all()


def in_numpy(name: str) -> Callable[[np.ndarray], Any]:
    return lambda array: array.astype(np.float32).astype(TYPES[name])


def in_torch(name: str) -> Callable[[np.ndarray], Any]:
    return lambda array: torch.asarray(array.astype(np.float32)).to(getattr(torch, name))


def in_jax(name: str) -> Callable[[np.ndarray], Any]:
    return lambda array: jax.numpy.asarray(array.astype(np.float32)).astype(getattr(jax.numpy, name))


def steps_of(name: str, make: Callable[[np.ndarray], Any], gradients: np.ndarray) -> list[Any]:
    x, state, made = make(np.ones(gradients.shape[1:])), None, []
    for t, g in enumerate(gradients, start=1):
        taken = mhat.step(name, x, make(g), t, state)
        assert taken.x.dtype == x.dtype and taken.x.shape == x.shape
        carried = [v for k, v in taken.state.items() if k not in library.named(name).dependence.per_step_states]
        assert all(value.dtype == x.dtype for value in carried)
        x, state = taken.x, taken.state
        made.append(taken)
    return made


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", often())
def test_steps_on_numpy_arrays_are_the_trace(name: str, dtype: str) -> None:
    gradients = stream((3, 4), steps=4)
    ds = mhat.trace(name, gradients, dtype=dtype, start=1.0)
    for t, taken in enumerate(steps_of(name, in_numpy(dtype), gradients), start=1):
        assert same_bits(taken.x.astype(np.float32), ds.x.sel(step=t).values).all()
        for variable, value in taken.variables.items():
            held = np.asarray(value).astype(np.float32).reshape(ds[variable].shape[1:])
            assert same_bits(held, ds[variable].sel(step=t).values).all(), variable


class SmallBounds(Bounds):
    """Bounds of a small type on a framework whose float32 operations are off by an ulp, then rounded to the type."""

    def __init__(self, dtype: str) -> None:
        super().__init__("float32", ulps=1.0)
        self.dtype = dtype
        self.sums = Rounded(dtype, ulps=0.51)

    def store(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return Tensor(tuple(map(self.store, value.values)), value.shape)
        largest, rounded = FORMATS[self.dtype].largest, NEAREST[self.dtype]
        return Interval(min(rounded(value.low), largest), max(rounded(value.high), -largest), value.nan)

    def operation(self, op: str) -> Callable[..., Any]:
        inner = super().operation(op)
        return lambda *arguments: self.store(inner(*arguments))

    def reduction(self, op: str, over: str | None) -> Callable[[Sequence[Any]], Interval]:
        function = getattr(self.sums, op)
        return lambda tensors: self.store(function([v for tensor in tensors for v in values_of(tensor)]))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", often())
def test_torch_lies_within_bounds(name: str, dtype: str) -> None:
    """The bound: float32 operations off by an ulp at most, and then one rounding to the type."""
    chosen, bounds = library.named(name), SmallBounds(dtype)
    gradients = stream((3, 4), steps=5).astype(np.float32).astype(TYPES[dtype]).astype(float)
    expected = drive(chosen, bounds, bounds.tensor, [gradients], [np.ones((3, 4))])
    for (record,), taken in zip(expected, steps_of(name, in_torch(dtype), gradients), strict=True):
        for variable, value in {**taken.variables, "x": taken.x}.items():
            intervals = values_of(record[variable])
            numbers = np.broadcast_to(
                torch.as_tensor(value).to(torch.float64).numpy().ravel()[: len(intervals)], len(intervals)
            )
            for interval, number in zip(intervals, numbers.tolist(), strict=True):
                assert number in interval, f"{variable}: {number} {interval}"


@pytest.mark.parametrize("dtype", TYPES)
def test_jax_keeps_the_dtype_too(dtype: str) -> None:
    gradients = np.array([[1.0, -2.0, 0.5], [2.0, 0.25, -1.0]])
    ours = steps_of("adam", in_numpy(dtype), gradients)
    for taken, other in zip(ours, steps_of("adam", in_jax(dtype), gradients), strict=True):
        np.testing.assert_allclose(taken.x.astype(float), np.asarray(other.x).astype(float), rtol=2.0**-7)


def test_several_tensors_and_dtypes_that_are_refused() -> None:
    arrays = [np.ones(2, dtype=np.float16), np.ones((2, 2), dtype=np.float16)]
    taken: Any = mhat.step("lamb", arrays, arrays, 1)
    assert [x.dtype for x in taken.x] == [np.float16, np.float16]
    with pytest.raises(BadValue) as error:
        mhat.step("adam", np.ones(2, dtype=ml_dtypes.float8_e4m3fn), np.ones(2, dtype=ml_dtypes.float8_e4m3fn), 1)
    assert str(error.value) == "x has the dtype float8_e4m3fn\nGive floating-point numbers."


def test_a_matrix_operation_is_rounded_as_a_whole() -> None:
    chosen = mhat.rule("def f(x, g):\n    u = g @ transpose(g)\n    return x - u @ g")
    gradients = stream((2, 3), steps=1)
    floats = Floats("bfloat16")
    program = Program(chosen, floats)
    zero, g = (floats.store(Tensor(tuple(a.ravel().tolist()), (2, 3))) for a in (np.zeros((2, 3)), gradients[0]))
    environment = first_environment(chosen, zero, g, {}, 1.0, 1.0, 1.0)
    (expected,) = program.step([environment])
    found = mhat.trace(chosen, gradients, dtype="bfloat16")
    np.testing.assert_allclose(found.x.values.ravel(), expected.values, rtol=2.0**-7, atol=1e-6)
    np.testing.assert_array_equal(found.u, found.u.values.astype(ml_dtypes.bfloat16).astype(np.float32))


def test_the_arithmetic_holds_float32_of_its_own_namespace() -> None:
    arithmetic = SmallArrays(array_torch, torch.bfloat16, tensor_dimensions=None)
    assert arithmetic.enter(0.999).dtype == torch.float32
    assert arithmetic.narrowed(arithmetic.enter(0.999)).dtype == torch.bfloat16
