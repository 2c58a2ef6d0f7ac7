"""Knobs in arrays, as schedules, as numbers: which number is meant."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import mhat
from mhat import rules, schedules
from mhat.bridges.optax import transformation
from mhat.bridges.optax.settings import at_count, decimal
from tests.bridges.optax.problems import GRADIENTS, PARAMS, bits, run

TYPED = [0.9, 0.999, 0.9999, 1e-3, 3e-4, 1e-8, 1e-12, 1.0, 123456.0, -0.25, 0.1, 5e-5, 2.5e-20]


def test_a_float32_is_the_decimal_that_was_typed() -> None:
    made = [float(np.asarray(decimal(jnp.float32(value)))) for value in TYPED]
    assert made == TYPED
    assert float(np.asarray(decimal(jnp.bfloat16(0.001)))) == 0.001


@pytest.mark.parametrize("value", [0.0, math.inf, -math.inf, math.nan])
def test_what_has_no_decimal_stays(value: float) -> None:
    np.testing.assert_equal(float(np.asarray(decimal(jnp.float32(value)))), value)


def test_any_float32_comes_back_from_its_decimal() -> None:
    drawn = np.random.default_rng(4).integers(0, 2**31 - 2**23, size=300, dtype=np.uint32).view(np.float32)
    drawn = drawn[(drawn > 1e-37) & np.isfinite(drawn)]
    made = np.asarray(jax.vmap(decimal)(jnp.asarray(drawn)))
    assert made.dtype == np.float64
    np.testing.assert_array_equal(made.astype(np.float32), drawn)
    # As NumPy prints it, but for what doubles have no power of ten of.
    usual = (drawn > 1e-13) & (drawn < 1e15)
    printed = np.array([float(str(value)) for value in drawn])
    assert usual.sum() > 20
    np.testing.assert_array_equal(made[usual], printed[usual])


def test_a_derivative_goes_through_as_if_nothing_were_done() -> None:
    def near(value: jax.Array) -> jax.Array:
        with jax.enable_x64(True):
            return (decimal(value) * 3.0).astype(jnp.float32)

    assert jax.grad(near)(jnp.float32(0.7)) == 3.0


def test_any_knob_follows_a_schedule_of_the_count() -> None:
    seen = []

    def schedule(count: jax.Array) -> jax.Array:
        seen.append(count.dtype)
        return jnp.where(count < 2, 0.1, 0.01)

    given = {"lr": schedule, "beta1": optax.linear_schedule(0.5, 0.9, 3)}
    params, _ = run(transformation(rules.adam, **given), jit=False)
    state = transformation(rules.adam).init(None)
    assert int(state.count) == 0 and set(map(str, seen)) == {"int32"}
    # The same by hand: a transformation of plain numbers for each step.
    x, own = PARAMS, transformation(rules.adam).init(PARAMS)
    for i, gradient in enumerate(GRADIENTS):
        knobs = {"lr": 0.1 if i < 2 else 0.01, "beta1": float(optax.linear_schedule(0.5, 0.9, 3)(jnp.int32(i)))}
        knobs["beta1"] = float(str(np.float32(knobs["beta1"])))
        updates, own = transformation(rules.adam, **knobs).update(gradient, own, x)
        x = optax.apply_updates(x, updates)
    assert bits(params) == bits(x)


def test_numbers_in_arrays_of_any_kind_are_knobs() -> None:
    def first(lr: Any) -> Any:
        tx = transformation("adam", lr=lr)
        return bits(tx.update(GRADIENTS[0], tx.init(PARAMS))[0])

    plain = first(1)
    for one in (jnp.float32(1.0), np.float32(1.0), np.float64(1.0), jnp.int32(1), np.array(1.0, "float32")):
        assert first(one) == plain


def test_a_knob_made_of_another_follows_it() -> None:
    own = mhat.rule(
        'def f(x, g, m=0, *, lr=0.1, beta1=0.5, beta2="beta1 / 2"):\n    m = beta2 * m + g\n    return x - lr * m'
    )
    followed, _ = run(transformation(own, beta1=0.8))
    told, _ = run(transformation(own, beta1=0.8, beta2=0.4))
    scheduled, _ = run(transformation(own, beta1=lambda count: 0.8))
    assert bits(followed) == bits(told) == bits(scheduled)


@pytest.mark.parametrize("name", schedules.names())
def test_schedules_of_mhat_are_followed_in_double(name: str) -> None:
    schedule = schedules.named("milestones:0.1,30,60" if name == "milestones" else name)
    tx = transformation("sgd", lr=schedule)
    steps = np.arange(0, 121, 7)
    given = jax.vmap(lambda count: at_count(tx.rules["sgd"], {"lr": schedule}, count)["lr"])(jnp.asarray(steps))
    assert given.dtype == np.float64
    np.testing.assert_allclose(np.asarray(given), schedule.at(steps + 1), rtol=1e-14, atol=1e-18)


def test_a_schedule_is_given_as_text_too() -> None:
    by_text, _ = run(transformation("adam", lr="warmup_cosine:1e-2,warmup=2,steps=10"), gradients=GRADIENTS[:3])
    by_name, _ = run(
        transformation("adam", lr=schedules.warmup_cosine(1e-2, warmup=2, steps=10)), gradients=GRADIENTS[:3]
    )
    assert bits(by_text) == bits(by_name) != bits(run(transformation("adam", lr=1e-2), gradients=GRADIENTS[:3])[0])
