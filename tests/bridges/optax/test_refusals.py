"""What cannot be, and the words for it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import mhat
from mhat import rules
from mhat.bridges.optax import factory, transformation
from mhat.errors import BadValue, LanguageError, MhatError, UnknownName

VECTOR = {"layer": {"b": jnp.zeros(3)}}
MADE: list[tuple[Any, dict[str, Any], type[MhatError], str]] = [
    ("adam", {"learning_rat": 1}, UnknownName, "there is no knob of adam `learning_rat`"),
    ("adam", {"learning_rate": 1}, UnknownName, "Did you mean `lr`?"),
    ("adma", {}, UnknownName, "adam"),
    ("adam", {"lr": "1e-3"}, BadValue, "lr='1e-3' is no number\nGive lr a number, or a schedule"),
    ("adam", {"lr": "cosine:peak=1,steps"}, MhatError, "steps"),
    ("adam", {"lr": mhat.schedules.meant(lambda t: 1 / t)}, BadValue,
     "and JAX cannot trace it\nGive a function of the count, which begins at 0"),
    ("adam", {"lr": True}, BadValue, "lr=True is no number"),
    ("adam", {"lr": jnp.ones(3)}, BadValue, "lr=Array([1., 1., 1.], dtype=float32) is no number"),
    ("adam", {"lr": float("nan")}, BadValue, "lr=nan is out of its range"),
    ("adam", {"beta1": 1.5}, BadValue, "beta1=1.5 is out of its range"),
    ("adam", {"lr": 10**400}, BadValue, "lr is a number that no float can hold"),
    ("def f(x, g): return x - y", {}, LanguageError, "y"),
    ({}, {}, BadValue, "there is no rule"),
    ({rules.muon: mhat.matrices, rules.adamw: mhat.rest}, {"lr": 1.0}, BadValue,
     'Give it by rule: knobs={"muon": {"lr": ...}}'),
    ({rules.muon: mhat.matrices}, {"knobs": {"adamw": {}}}, BadValue, "`adamw` is no rule of this transformation"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "knobs", "error", "text"), MADE, ids=[f"{i}" for i in range(len(MADE))])
def test_what_no_transformation_is_made_of(rule: Any, knobs: dict[str, Any], error: Any, text: str) -> None:
    with pytest.raises(error) as raised:
        transformation(rule, **knobs)
    assert text in str(raised.value)


def refused(call: Any) -> str:
    with pytest.raises(BadValue) as raised:
        call()
    return str(raised.value)


def test_a_matrix_rule_on_a_vector_names_it_and_the_choice() -> None:
    text = refused(lambda: transformation("muon").init(VECTOR))
    assert "muon is a rule per matrix, and params['layer']['b'] has the shape (3,)" in text
    assert "transformation({mhat.rules.muon: mhat.matrices, mhat.rules.adamw: mhat.rest})" in text
    chosen = transformation({mhat.rules.muon: mhat.matrices, mhat.rules.adamw: mhat.rest})
    assert chosen.init(VECTOR)["adamw"].states["m"]["layer"]["b"].shape == (3,)


def test_what_update_is_not_given() -> None:
    adamw, momentum = transformation("adamw"), transformation("momentum")
    state = adamw.init(VECTOR)
    text = refused(lambda: adamw.update(VECTOR, state))
    assert "adamw reads `x`, and update was given no parameters\nGive them: update(gradients, state, params)." in text
    assert "the state is not one of momentum" in refused(lambda: momentum.update(VECTOR, state, VECTOR))
    text = refused(lambda: adamw.update(VECTOR, state, {"layer": jnp.zeros(3)}))
    assert "the parameters are not built as the gradients" in text
    text = refused(lambda: adamw.update(VECTOR, state, {"layer": {"b": jnp.zeros(4)}}))
    assert "a gradient has the shape (3,), and its parameter (4,)" in text
    polyak = transformation("def polyak(x, g, loss): return x - loss * g")
    text = refused(lambda: polyak.update(VECTOR, polyak.init(VECTOR)))
    assert "polyak reads `loss`" in text and "update(gradients, state, params, loss=...) or value=..." in text
    text = refused(lambda: polyak.update(VECTOR, polyak.init(VECTOR), loss=jnp.ones(2)))
    assert "loss has the shape (2,)" in text


def test_a_schedule_that_gives_no_number() -> None:
    tx = transformation("adam", lr=lambda count: jnp.ones(2))
    assert "the schedule of lr gives" in refused(lambda: tx.update(VECTOR, tx.init(VECTOR)))


def test_complex_numbers_and_how_they_are_stepped() -> None:
    params = jnp.asarray([1 + 2j])
    text = refused(lambda: transformation("adam").init(params))
    assert "params[] is complex64" in text and "optax.contrib.split_real_and_imaginary" in text
    tx = optax.contrib.split_real_and_imaginary(transformation("sgd", lr=1.0))
    assert tx.update(params, tx.init(params), params)[0].tolist() == [-1 - 2j]


def test_dtypes_that_a_rule_over_all_does_not_join() -> None:
    with jax.enable_x64(True):
        params = [jnp.zeros(2, "float32"), jnp.zeros(2, "float64")]
        text = refused(lambda: transformation("prodigy").init(params))
    assert "prodigy looks at all tensors at once, and they are of float32 and float64" in text


def test_inject_hyperparams_takes_a_factory() -> None:
    injected = optax.inject_hyperparams(transformation)("adam", lr=0.1)
    assert "inject_hyperparams(factory(mhat.rules.adam))(lr=...)" in refused(lambda: injected.init(VECTOR))
    with pytest.raises(TypeError, match="unexpected keyword argument 'lrate'"):
        optax.inject_hyperparams(factory("adam"))(lrate=1)


def test_nan_is_seen_and_goes_no_further_than_its_coordinate() -> None:
    tx = transformation("adam")
    gradients = jnp.asarray([jnp.nan, 1.0])
    updates, state = tx.update(gradients, tx.init(gradients), gradients)
    assert np.isnan(updates).tolist() == [True, False]
    assert np.isnan(state.states["m"]).tolist() == [True, False]
