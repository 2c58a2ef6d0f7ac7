"""Training with the Keras bridge: the losses of Keras's own, stopped and gone on with, schedules, small numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.bridges.keras import Optimizer, optimizer_class
from mhat.bridges.keras.backends import keras
from tests.bridges.keras.runs import (
    INPUTS,
    JAX,
    WANTED,
    array_of,
    compiled_with,
    drawn,
    fitted,
    model_of,
    read_back,
    taken,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any]:
    """Load the digits where scikit-learn is, else draw pictures of ten kinds."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 10, 400)
    return (rng.normal(size=(10, 64))[kinds] + rng.normal(size=(400, 64))).astype("float32"), kinds


def test_pictures_are_learnt_with_the_losses_of_kerass_own_adam(digits: tuple[Any, Any]) -> None:
    """Step for step, to rounding; without eps, which Keras adds elsewhere."""
    losses = []
    for optimizer in (Optimizer("adam", learning_rate=1e-2, eps=1e-20), keras.optimizers.Adam(1e-2, epsilon=1e-20)):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [keras.Input((64,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(10)]
        )
        model.compile(optimizer=optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        seen: list[float] = []
        every = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, seen=seen: seen.append(logs["loss"])
        )
        model.fit(*digits, batch_size=50, epochs=3, verbose=0, shuffle=False, callbacks=[every])
        losses.append(seen)
    ours, theirs = np.array(losses)
    assert len(ours) == 24 and ours[-1] < 0.5 * ours[0]
    assert np.abs(ours - theirs).max() < 1e-4


@pytest.mark.parametrize("rule", ["nadam"] if JAX else ["adan", "nadam", "schedule_free", "lamb"])
def test_saved_and_loaded_it_goes_on_to_the_last_bit(rule: str, tmp_path: Path) -> None:
    first = compiled_with(Optimizer(rule, learning_rate=1e-2))
    fitted(first)
    first.save(tmp_path / "model.keras")
    second = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(second.optimizer, Optimizer)
    assert fitted(first) == fitted(second)
    for ours, theirs in zip(first.get_weights(), second.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    for ours, theirs in zip(first.optimizer.variables, second.optimizer.variables, strict=True):
        assert np.array_equal(array_of(ours), array_of(theirs))


def test_several_rules_with_schedules_are_saved_too(tmp_path: Path) -> None:
    made = Optimizer(
        {"muon": ["first/kernel"], "adamw": mhat.rest}, clipnorm=1.0,
        knobs={"muon": {"lr": keras.optimizers.schedules.CosineDecay(0.02, 10)}, "adamw": {"lr": 1e-2, "beta1": 0.8}},
    )  # fmt: skip
    first = compiled_with(made)
    fitted(first)
    first.save(tmp_path / "model.keras")
    second = keras.saving.load_model(tmp_path / "model.keras")
    assert second.optimizer.knobs["adamw"]["beta1"] == 0.8
    assert second.optimizer.clipnorm == 1.0
    assert fitted(first) == fitted(second)


@pytest.mark.skipif(JAX, reason="the same on both, and each takes a process")
def test_a_process_that_has_only_imported_the_bridge_loads_a_rule_that_is_nowhere_else(tmp_path: Path) -> None:
    own = mhat.rule("def mine(x, g, m=0, *, lr=0.1):\n    m = 0.5 * m + g\n    return x - lr * m")
    model = compiled_with(Optimizer(own, learning_rate=0.25))
    fitted(model)
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "import mhat.bridges.keras, keras\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "print(model.optimizer.rules['mine'].tree.knob_names, float(model.optimizer.learning_rate))"
    )
    environment = {**os.environ, "KERAS_BACKEND": keras.config.backend()}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.keras")], env=environment, capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "('lr',) 0.25"


def test_a_schedule_of_the_learning_rate_is_followed() -> None:
    starts, gradients = drawn([(3,)], 4, "float32")
    halving = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    (ours,) = taken(Optimizer("sgd", learning_rate=halving), starts, gradients, "float32")
    rates = np.array([0.5, 0.25, 0.125, 0.0625])[:, None]
    assert np.abs(ours - (starts[0] - np.cumsum(rates * gradients[0], axis=0))).max() < 1e-6


def test_a_schedule_may_move_any_knob() -> None:
    falling = keras.optimizers.schedules.PolynomialDecay(1.0, 4, 0.0)
    starts, gradients = drawn([(3,)], 4, "float32")
    optimizer = Optimizer("momentum", learning_rate=1.0, momentum=falling)
    (ours,) = taken(optimizer, starts, gradients, "float32")
    m, x = np.zeros(3), starts[0].astype(float)
    for t, g in enumerate(gradients[0]):
        m = (1.0 - t / 4) * m + g
        x = x - m
        assert np.abs(ours[t] - x).max() < 1e-5
    assert read_back(optimizer).momentum.get_config() == falling.get_config()


def test_callbacks_set_the_learning_rate() -> None:
    model = compiled_with(Optimizer("adam", learning_rate=1e-2))
    fitted(model, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.5**epoch)])
    assert float(model.optimizer.learning_rate) == 0.5
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=0, min_delta=100.0)
    fitted(model, callbacks=[plateau])
    assert float(model.optimizer.lr) == 0.25


@pytest.mark.parametrize("policy", ["mixed_float16"] if JAX else ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy: str) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        losses = [
            fitted(compiled_with(o)) for o in (Optimizer("adam", learning_rate=1e-2), keras.optimizers.Adam(1e-2))
        ]
    finally:
        keras.config.set_dtype_policy(before)
    assert np.abs(np.subtract(losses[0], losses[1])).max() < 2e-3
    assert losses[0][1] < losses[0][0]


def test_accumulated_clipped_and_averaged_at_once() -> None:
    """All that Keras does around a step goes with it: the same losses as Keras's own."""
    options: dict[str, Any] = {"global_clipnorm": 0.5, "use_ema": True, "gradient_accumulation_steps": 2}
    ours = fitted(compiled_with(Optimizer("adam", learning_rate=1e-2, eps=1e-20, **options)), 3)
    theirs = fitted(compiled_with(keras.optimizers.Adam(1e-2, epsilon=1e-20, **options)), 3)
    assert np.abs(np.subtract(ours, theirs)).max() < 1e-4


def test_a_loop_of_the_users_own() -> None:
    model, optimizer = model_of(), Optimizer("lion", learning_rate=1e-2)
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.MeanSquaredError()
    losses = []
    for _ in range(20):
        if JAX:
            import jax

            values = [v.value for v in model.trainable_variables]
            loss, gradients = jax.value_and_grad(
                lambda values: loss_of(WANTED, model.stateless_call(values, [], INPUTS)[0])
            )(values)
        else:
            loss = loss_of(WANTED, model(INPUTS))
            model.zero_grad()
            loss.backward()
            gradients = [v.value.grad for v in model.trainable_variables]
        optimizer.apply(gradients, model.trainable_variables)
        losses.append(float(array_of(loss)))
    assert losses[-1] < 0.8 * losses[0]


def test_a_class_where_a_class_is_asked_for(tmp_path: Path) -> None:
    Adan = optimizer_class("adan", weight_decay=0.125)
    assert Adan.__name__ == "Adan" and issubclass(Adan, keras.optimizers.Optimizer)
    made = Adan(1e-2, clipnorm=1.0)
    assert (made.weight_decay, made.clipnorm, float(made.learning_rate)) == (0.125, 1.0, float(np.float32(1e-2)))
    assert Adan(weight_decay=0.25).weight_decay == 0.25
    model = compiled_with(made)
    fitted(model)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").optimizer.weight_decay == 0.125
