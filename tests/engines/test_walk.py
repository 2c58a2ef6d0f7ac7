"""A walk, a step at a time, against the trace of the same gradients: random rules, every shape, the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mhat import rules as library
from mhat.engines.walk import Walk, program_of
from mhat.language import Level, Rule, of_tree, rule
from mhat.traces import recorded, trace
from tests.choices import often
from tests.strategies import rules

SHAPES = [(1,), (2,), (5,), (2, 3), (3, 3), (2, 1, 2)]


def walked(chosen: Rule, gradients: Any, start: Any, dtype: str = "float64", **knobs: float) -> Any:
    """Walk over gradients, keep every variable, and make a trace of it."""
    walk = Walk(program_of(chosen, dtype, start.ndim), start, knobs)
    kept: dict[str, list[Any]] = {}
    for g in gradients:
        g = np.asarray(g, dtype=dtype)
        x = walk.step(g)
        for name, value in {"g": g, "x": x, **walk.variables()}.items():
            kept.setdefault(name, []).append(value)
    arrays = {name: walk.stacked(name, values) for name, values in kept.items()}
    return recorded(chosen, gradients, arrays, start=start, dtype=dtype, knobs=knobs)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    tree=rules(),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(["float64", "float32"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_rules_walk_as_they_are_traced(tree: Any, shape: tuple[int, ...], dtype: str, seed: int) -> None:
    chosen = of_tree(tree)
    if chosen.level == Level.MATRIX and len(shape) != 2:
        shape = (2, 3)
    random = np.random.default_rng(seed)
    gradients, start = random.normal(size=(4, *shape)), random.normal(size=shape)
    gradients[random.uniform(size=gradients.shape) < 0.1] = random.choice([0.0, np.inf, np.nan, 1e300])
    with np.errstate(all="ignore"):
        expected = trace(chosen, gradients, start=start, dtype=dtype)
        assert walked(chosen, gradients, start, dtype).identical(expected)


@pytest.mark.parametrize("name", often())
def test_the_library_walks_as_it_is_traced(name: str) -> None:
    random = np.random.default_rng(3)
    gradients, start = random.normal(size=(50, 4)), random.normal(size=4)
    chosen = library.named(name)
    assert walked(chosen, gradients, start, lr=0.02).identical(trace(chosen, gradients, start=start, lr=0.02))


def test_a_projection_holds_from_step_to_step() -> None:
    chosen = library.sgd
    walk = Walk(program_of(chosen, "float64", 1), np.zeros(2), {"lr": 1.0}, lambda x: np.clip(x, -1.0, 1.0))
    assert walk.step(np.array([5.0, 0.5])).tolist() == [-1.0, -0.5]
    assert walk.step(np.array([-0.25, 5.0])).tolist() == [-0.75, -1.0]
    assert walk.t == 2


def test_knobs_may_change_and_a_start_sees_the_first() -> None:
    chosen = rule('def slowed(x, g, s="lr", *, lr=1): return x - s * lr * g')
    walk = Walk(program_of(chosen, "float64", 1), np.zeros(1), {})
    assert walk.step(np.ones(1), {"lr": 0.5}).tolist() == [-0.25]
    assert walk.step(np.ones(1), {"lr": 2.0}).tolist() == [-1.25]


def test_the_point_is_x_until_a_rule_says_otherwise() -> None:
    chosen = rule("def half(x, g):\n    x_eval = x / 2\n    return x - g")
    walk = Walk(program_of(chosen, "float64", 1), np.array([4.0]), {})
    assert walk.point is walk.x
    walk.step(np.array([1.0]))
    assert (walk.x.tolist(), walk.point.tolist()) == ([3.0], [2.0])
    plain = Walk(program_of(library.sgd, "float64", 1), np.array([4.0]), {})
    plain.step(np.array([1.0]))
    assert plain.point is plain.x
