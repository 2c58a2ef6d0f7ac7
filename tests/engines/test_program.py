"""The walk that all engines share: what is per-step is computed in double, and entered once."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as array_torch
import numpy as np
import pytest
import torch

from mhat.engines.arrays import Arrays
from mhat.engines.floats import Floats, to_float32
from mhat.engines.program import Arithmetic
from mhat.engines.tensors import Tensor
from mhat.language import rule
from tests.engines.driving import drive

FLOAT32: dict[str, tuple[Arithmetic, Any]] = {
    "floats": (Floats("float32"), lambda a: to_float32(float(a))),
    "numpy": (Arrays(np, np.float32, tensor_dimensions=0), np.float32),
    "torch": (
        Arrays(array_torch, torch.float32, tensor_dimensions=0),
        lambda a: torch.asarray(float(a), dtype=torch.float32),
    ),
}


def last(engine: str, text: str, steps: int = 3, g: float = 1.0) -> dict[str, float]:
    arithmetic, tensor = FLOAT32[engine]
    (record,) = drive(rule(text), arithmetic, tensor, [np.full(steps, g)])[-1]
    return {name: float(value) for name, value in record.items()}


@pytest.mark.parametrize("engine", FLOAT32)
def test_per_step_parts_are_computed_in_double_in_float32(engine: str) -> None:
    found = last(engine, "def f(x, g, t, *, beta=0.9):\n    u = g * (1 - beta**t)\n    return x - u")
    in_single = np.float32(1) - np.float32(0.9) ** 3
    assert found["u"] == float(np.float32(1 - 0.9**3)) != float(in_single)


@pytest.mark.parametrize("engine", FLOAT32)
def test_a_variable_of_knobs_and_t_alone_is_a_double_until_it_meets_a_tensor(engine: str) -> None:
    text = "def f(x, g, t, *, beta=0.9):\n    c = beta**t\n    d = 1 - c\n    return x - d * g"
    assert -last(engine, text, steps=1)["x"] == float(np.float32(1 - 0.9)) != float(np.float32(1) - np.float32(0.9))


@pytest.mark.parametrize("engine", FLOAT32)
def test_a_per_step_state_is_a_double_from_its_start_on(engine: str) -> None:
    text = "def f(x, g, p='lr', *, lr=0.1):\n    p = p * 0.9\n    d = p - 0.09\n    return x - d * g"
    assert -last(engine, text, steps=1)["x"] == float(np.float32(0.1 * 0.9 - 0.09))


@pytest.mark.parametrize("engine", FLOAT32)
def test_a_state_of_tensors_takes_a_per_step_value_in_the_tensors_precision(engine: str) -> None:
    text = "def f(x, g, m=0, *, lr=0.1):\n    u = (m - 0.1) * g\n    m = m + g\n    m = lr\n    return x - u"
    assert last(engine, text, steps=2)["u"] == 0.0


@pytest.mark.parametrize("engine", FLOAT32)
def test_literals_enter_rounded_once(engine: str) -> None:
    found = last(engine, "def f(x, g):\n    u = g * 0.1\n    return x - u", g=3.0)
    assert found["u"] == float(np.float32(3.0) * np.float32(0.1))


@pytest.mark.parametrize("engine", FLOAT32)
def test_a_literal_power_is_a_product_from_left_to_right(engine: str) -> None:
    found = last(engine, "def f(x, g):\n    u = g**3\n    w = g**5\n    return x - u - w", g=1.1)
    g = np.float32(1.1)
    assert found["u"] == float(g * g * g)
    assert found["w"] == float(np.float32(float(g) ** 5))


@pytest.mark.parametrize("engine", FLOAT32)
def test_what_a_rule_makes_of_its_inputs_holds_for_the_step_only(engine: str) -> None:
    found = last(engine, "def f(x, g):\n    g = g + x\n    x = 2\n    return x - g", steps=3)
    # x after each step: 2 - (1 + 0), 2 - (1 + 1), 2 - (1 + 0).
    assert found == {"g_used": 1.0, "x_used": 2.0, "x": 1.0}


ON_KNOBS = [
    "1 - lr**t", "1 if 0.01 < lr else 2", "0.35 % lr", "minimum(0.2, lr) // 0.03", "cbrt(lr) and 0.7", "atan2(1, lr)",
    "0.3 or lr", "0.3 ** lr", "sign(lr) / 3",
]  # fmt: skip


@pytest.mark.parametrize("expression", ON_KNOBS)
def test_a_knob_may_be_a_framework_s_own_scalar(expression: str) -> None:
    text = f"def f(x, g, t, *, lr=0.1):\n    c = {expression}\n    return x - c * g"
    arithmetic, tensor = FLOAT32["torch"]
    knob = torch.tensor(0.1, dtype=torch.float64)
    (record,) = drive(rule(text), arithmetic, tensor, [np.ones(2)], knobs={"lr": knob})[-1]
    assert float(record["c"]) == pytest.approx(last("torch", text, steps=2)["c"], rel=1e-15)
    assert record["x"].dtype == torch.float32


@pytest.mark.parametrize("engine", FLOAT32)
def test_the_start_of_a_state_may_look_at_all_tensors(engine: str) -> None:
    arithmetic, tensor = FLOAT32[engine]
    text = "def f(x, g, s=\"sum(g, over='all')\"):\n    s = s + g\n    return x - s"
    first, second = drive(rule(text), arithmetic, tensor, [np.array([2.0]), np.array([3.0])])[0]
    assert (float(first["x"]), float(second["x"])) == (-7.0, -8.0)


TENSORS: dict[str, tuple[Arithmetic, Any]] = {
    "floats": (Floats(), lambda a: Tensor(tuple(a.tolist()), a.shape)),
    "numpy": (Arrays(np, "float64", tensor_dimensions=None), lambda a: a),
    "batches": (Arrays(np, "float64", tensor_dimensions=1), lambda a: np.stack([a, a])),
    "torch": (Arrays(array_torch, torch.float64, tensor_dimensions=None), torch.asarray),
}


@pytest.mark.parametrize("engine", TENSORS)
def test_reductions_count_coordinates_of_a_state_that_is_one_number_too(engine: str) -> None:
    text = (
        "def f(x, g, m=2, v='g'):\n    u = sum(m)\n    w = sum(v)\n    m = m / 2 + 0 * g\n    v = 3\n"
        "    return x - u - w"
    )
    records = [step[0] for step in drive(rule(text), *TENSORS[engine], [np.ones((3, 4))])]
    assert [np.ravel(record["u"])[0] for record in records] == [8.0, 4.0, 2.0]
    assert [np.ravel(record["w"])[0] for record in records] == [4.0, 12.0, 12.0]


def test_a_state_that_reads_a_state_of_tensors_is_no_per_step_state() -> None:
    """What the line before has set may be a number of the step: the state it is read from is one of tensors."""
    text = (
        "def f(x, g, t, p='x', q=0, r=0, *, lr=0.1):\n    r = r + t\n    p = lr * r\n    q = p + lr\n"
        "    return x - g * q"
    )
    assert rule(text).dependence.per_step_states == {"r"}
