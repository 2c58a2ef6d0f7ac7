"""The story's own numbers, to the last bit: Adam and two wrong Adams under a constant gradient of 10."""

from __future__ import annotations

import numpy as np
import pytest

from mhat import rules as library
from mhat.engines.arrays import Arrays
from mhat.engines.exact import Exact, nearest_double
from mhat.language import Rule, rule
from tests.engines.driving import drive, drive_floats

HEAD = "def f(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-3):\n"
MOMENTS = "    m = beta1 * m + (1 - beta1) * g\n    v = beta2 * v + (1 - beta2) * g**2\n"
STEP = "    ratio = {} / (sqrt({}) + eps)\n    return x - lr * ratio\n"

STORED_BACK = rule(HEAD + MOMENTS + "    m = m / (1 - beta1**t)\n    v = v / (1 - beta2**t)\n" + STEP.format("m", "v"))
FIRST_STEP_ONLY = rule(
    HEAD
    + MOMENTS
    + "    m = m / (1 - beta1**t) if t == 1 else m\n    v = v / (1 - beta2**t) if t == 1 else v\n"
    + STEP.format("m", "v")
)
KNOWN = [
    pytest.param(library.adam, 0.9999000099990011, id="adam"),
    pytest.param(STORED_BACK, 3.404888183404303e-70, id="stored back"),
    pytest.param(FIRST_STEP_ONLY, 0.9999000099990002, id="first step only"),
]
STREAM = np.full(100, 10.0)


@pytest.mark.parametrize(("chosen", "ratio"), KNOWN)
def test_floats(chosen: Rule, ratio: float) -> None:
    ((record,),) = drive_floats(chosen, [STREAM], knobs={"eps": 1e-3})[-1:]
    assert record["ratio"] == ratio


@pytest.mark.parametrize(("chosen", "ratio"), KNOWN)
@pytest.mark.parametrize("shape", [(), (1,), (70,)])
def test_numpy(chosen: Rule, ratio: float, shape: tuple[int, ...]) -> None:
    stream = np.broadcast_to(STREAM.reshape(100, *[1] * len(shape)), (100, *shape))
    arithmetic = Arrays(np, "float64", tensor_dimensions=len(shape))
    ((record,),) = drive(chosen, arithmetic, np.asarray, [stream], knobs={"eps": 1e-3})[-1:]
    assert np.all(record["ratio"] == ratio)
    assert np.shape(record["ratio"]) == shape


@pytest.mark.parametrize(("chosen", "ratio"), KNOWN)
def test_exact_says_what_is_formula_and_what_is_rounding(chosen: Rule, ratio: float) -> None:
    exact = Exact()
    knobs = {"eps": exact.number(1e-3)}
    ((record,),) = drive(chosen, exact, lambda a: exact.tensor([float(a)], ()), [STREAM], knobs=knobs)[-1:]
    assert nearest_double(record["ratio"]) == pytest.approx(ratio, rel=1e-13, abs=0.0)


def test_exact_adam_on_a_constant_gradient_is_the_closed_form() -> None:
    """m_hat is g and sqrt(v_hat) is |g|, but for the rounding of the fiftieth digit."""
    exact = Exact()
    knobs = {"eps": exact.number(1e-3)}
    steps = drive(library.adam, exact, lambda a: exact.tensor([float(a)], ()), [STREAM], knobs=knobs)
    closed = exact.number(10.0) / (exact.number(10.0) + exact.number(1e-3))
    assert all(abs(record["ratio"] / closed - 1) < 1e-45 for (record,) in steps)
