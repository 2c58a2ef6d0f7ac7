"""A run cut into legs, each taking up what the one before left, is the run in one piece, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mhat
from mhat import landscapes
from mhat import rules as library
from mhat.engines import plan
from mhat.engines.work import CARRIED, Work, variables_of
from mhat.language import Rule, of_tree
from tests.choices import BIT_FOR_BIT, often
from tests.engines.columns import same_bits
from tests.engines.test_agreement import OVER_ALL, stream
from tests.strategies import rules

LEGS = (5, 1, 4, 2)
STEPS = sum(LEGS)
# A per-step state that no float32 holds, a state of tensors that takes a per-step value, a reduction as a state.
ODD = [
    "def f(x, g, t, p='lr', *, lr=0.1):\n    p = p * 0.9 + 1 / t\n    return x - p * g",
    "def f(x, g, m='g', *, lr=0.1):\n    u = m * g\n    m = m + g\n    m = lr\n    return x - u",
    "def f(x, g, s=0, r=1, *, lr=0.1):\n    s = s + norm(g) * r\n    return x - lr * g / s",
    "def f(x, g, z='x', c=3, *, lr=0.1):\n    g = g + z\n    z = z - lr * g\n    x = 2 * x\n    return x - z + c",
]


def work(rule: Rule, gradients: Any, **more: Any) -> Work:
    return Work(rule, gradients, STEPS, tuple(variables_of(rule)), **more)


def in_legs(whole: Work, engines: Sequence[str], step_axis: int = 0) -> dict[str, Any]:
    """Run leg by leg, on one engine after another."""
    parts: list[dict[str, Any]] = []
    carried, first = None, 1
    for length, engine in zip(LEGS, cycle(engines), strict=False):
        rows = slice(first - 1, first - 1 + length)
        given = whole.gradients
        leg = replace(
            whole,
            gradients=given if callable(given) else given[(slice(None),) * step_axis + (rows,)],
            schedules={name: schedule[..., rows] for name, schedule in whole.schedules.items()},
            steps=length,
            first=first,
            carried=carried,
            carries=True,
        )
        made = plan.run(leg, engine)
        carried, first = made.pop(CARRIED), first + length
        assert set(carried) == {"x", *whole.rule.tree.state_names}
        parts.append(made)
    return {name: [part[name] for part in parts] for name in parts[0]}


def check_legs(whole: Work, engines: Sequence[str], step_axis: int = 0) -> None:
    expected = plan.run(whole, engines[0])
    assert CARRIED not in expected
    for name, parts in in_legs(whole, engines, step_axis).items():
        # Where the step stands depends on the sweeps that the variable has; it is the axis that the legs share out.
        axis = next(i for i, size in enumerate(parts[0].shape) if size == LEGS[0])
        assert same_bits(np.concatenate(parts, axis=axis), expected[name]).all(), name


ENGINES = [["floats"], ["arrays"], ["floats", "arrays"], ["arrays", "floats"]]


@pytest.mark.parametrize("engines", ENGINES, ids=" ".join)
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("name", often(BIT_FOR_BIT))
def test_every_rule(name: str, dtype: str, engines: list[str]) -> None:
    for shape in ((), (3,)):
        gradients = stream(shape, steps=STEPS)
        check_legs(work(library.named(name), gradients, start=0.5, dtype=dtype, tensor_dimensions=len(shape)), engines)


@pytest.mark.parametrize("engines", ENGINES, ids=" ".join)
@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_odd_states(text: str, dtype: str, engines: list[str]) -> None:
    for shape in ((), (1,), (3,)):
        given = work(mhat.rule(text), stream(shape, steps=STEPS), start=0.5, dtype=dtype, tensor_dimensions=len(shape))
        check_legs(given, engines)


@pytest.mark.parametrize("engines", ENGINES[:3], ids=" ".join)
def test_schedules(engines: list[str]) -> None:
    rates = {"lr": np.linspace(1, 0.1, STEPS), "beta1": np.linspace(0, 0.9, STEPS)}
    check_legs(work(library.adam, stream((), steps=STEPS), schedules=rates), engines)


@pytest.mark.parametrize("text", [*ODD, *OVER_ALL, "adam", "lamb", "radam"])
def test_sweeps_and_several_tensors(text: str) -> None:
    rule = library.named(text) if text.isidentifier() else mhat.rule(text)
    rates = np.array([0.1, 0.2, 0.5])
    swept = work(rule, stream((4, 2), steps=STEPS), knobs={"lr": rates}, start=0.5,
                 several_dimensions=1, tensor_dimensions=1)  # fmt: skip
    check_legs(swept, ["arrays"])
    scheduled = replace(swept, knobs={}, schedules={"lr": np.outer(rates, np.linspace(1, 2, STEPS))})
    check_legs(scheduled, ["arrays"])


def test_starts_of_a_sweep() -> None:
    start = np.array([1.0, 2.0, 3.0])
    rule = mhat.rule("def f(x, g, *, lr=0.1):\n    u = x * g\n    return u - lr")
    check_legs(work(rule, stream((), steps=STEPS), start=start), ["arrays"])


@pytest.mark.parametrize("landscape", [landscapes.rosenbrock(), landscapes.noisy(seed=3), landscapes.reddi()])
def test_landscapes(landscape: Any) -> None:
    given = work(library.adam, landscape.gradient, start=np.array(landscape.start), knobs={"lr": np.array([0.1, 0.9])},
                 tensor_dimensions=1, project=landscape.project)  # fmt: skip
    check_legs(given, ["arrays"])


def test_a_matrix_rule() -> None:
    text = "def f(x, g, q=0):\n    q = 0.9 * q + g @ transpose(g)\n    return x - q @ g - row_mean(g)"
    check_legs(work(mhat.rule(text), stream((2, 3), steps=STEPS), tensor_dimensions=2), ["arrays"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=rules(exact_only=True), shape=st.sampled_from([(), (1,), (3,), (2, 3)]), engines=st.sampled_from(ENGINES))
def test_random_rules(tree: Any, shape: tuple[int, ...], engines: list[str]) -> None:
    check_legs(work(of_tree(tree), stream(shape, steps=STEPS), tensor_dimensions=len(shape)), engines)


def test_what_is_carried_by_a_per_step_state_is_a_double() -> None:
    given = work(mhat.rule(ODD[0]), stream((), steps=STEPS), dtype="float32")
    for engine in ("floats", "arrays"):
        carried = plan.run(replace(given, carries=True), engine)[CARRIED]
        assert float(carried["p"]) != float(np.float32(carried["p"]))


def test_progress_counts_on() -> None:
    for engine in plan.ENGINES:
        seen: list[int] = []
        given = replace(work(library.sgd, np.ones(STEPS)), first=101, carried={"x": 0.0}, report=seen.append)
        plan.run(given, engine)
        assert seen == ([100 + STEPS] if engine == "kernels" else list(range(101, 101 + STEPS)))
