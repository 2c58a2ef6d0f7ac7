"""Whole trainings: scikit-learn's digits beside optax's own Adam, and one that is resumed in the middle."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import mhat
from mhat import rules
from mhat.bridges.optax import RuleState, transformation
from tests.bridges.optax.problems import bits

STEPS = 60
BATCH = 128


def digits() -> tuple[Any, Any]:
    with np.load(Path(mhat.__file__).parent / "trials" / "digits.npz") as file:
        return jnp.asarray(file["images"] / 16.0, "float32"), jnp.asarray(file["labels"], "int32")


def first_weights() -> list[Any]:
    generator = np.random.default_rng(11)
    return [jnp.asarray(generator.normal(size=size) / size[0] ** 0.5, "float32") for size in ((64, 32), (32, 10))]


def trained(tx: Any, steps: range, carried: Any = None) -> tuple[list[float], Any]:
    """Train a small network; the losses, and parameters with the state."""
    images, labels = digits()

    def loss(weights: Any, batch: Any) -> Any:
        logits = jnp.tanh(images[batch] @ weights[0]) @ weights[1]
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels[batch]).mean()

    @jax.jit
    def step(weights: Any, state: Any, batch: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(weights, batch)
        updates, state = tx.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), state, value

    weights, state = carried or (first_weights(), tx.init(first_weights()))
    losses = []
    for i in steps:
        batch = np.random.default_rng(i).integers(0, len(labels), BATCH)
        weights, state, value = step(weights, state, batch)
        losses.append(float(value))
    return losses, (weights, state)


def test_digits_are_learnt_as_by_optax_s_adam() -> None:
    ours, _ = trained(transformation("adam", lr=3e-3), range(STEPS))
    theirs, _ = trained(optax.adam(3e-3), range(STEPS))
    # float32 rounds otherwise in the last bits; a training of this length enlarges that a few times.
    np.testing.assert_allclose(ours, theirs, rtol=2e-5)
    assert ours[0] > 2.0 and ours[-1] < 0.9


def test_characters_are_learnt_as_by_optax_s_adamw() -> None:
    text = Path(rules.__file__).read_text()
    alphabet = sorted(set(text))
    codes = jnp.asarray([alphabet.index(letter) for letter in text])
    before, after = codes[:-1], codes[1:]

    def loss(model: Any, places: Any) -> Any:
        seen = jnp.stack([before[places - i] for i in range(3)])
        hidden = jnp.tanh(model["letters"][seen].reshape(3, len(places), 8).transpose(1, 0, 2).reshape(-1, 24))
        logits = hidden @ model["out"] + model["bias"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, after[places]).mean()

    def losses(tx: Any) -> list[float]:
        chance = np.random.default_rng(5)
        sizes = {"letters": (len(alphabet), 8), "out": (24, len(alphabet)), "bias": (len(alphabet),)}
        model = {name: jnp.asarray(0.2 * chance.normal(size=size), "float32") for name, size in sizes.items()}

        def one(carried: Any, places: Any) -> Any:
            value, gradients = jax.value_and_grad(loss)(carried[0], places)
            updates, state = tx.update(gradients, carried[1], carried[0])
            return (optax.apply_updates(carried[0], updates), state), value

        places = jnp.asarray(chance.integers(2, len(before), size=(STEPS, BATCH)))
        return jax.lax.scan(one, (model, tx.init(model)), places)[1].tolist()

    ours, theirs = losses(transformation("adamw", lr=0.01)), losses(optax.adamw(0.01, weight_decay=0.01))
    np.testing.assert_allclose(ours, theirs, rtol=5e-5)
    assert ours[-1] < 0.8 * ours[0]


def test_a_training_goes_on_from_a_file_to_the_bit() -> None:
    tx = transformation("nadam", lr=optax.warmup_cosine_decay_schedule(1e-4, 3e-3, 10, STEPS))
    losses, whole = trained(tx, range(20))
    before, half = trained(tx, range(10))
    text = pickle.dumps(jax.tree.map(np.asarray, half))
    weights, state = pickle.loads(text)
    assert isinstance(state, RuleState)
    after, resumed = trained(tx, range(10, 20), (weights, state))
    assert before + after == losses and bits(resumed) == bits(whole)
