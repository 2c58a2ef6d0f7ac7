"""Further rules of the library against the real Keras, in float64 and over shapes. It knows no check."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.language import Rule
from tests.engines.columns import doubles
from tests.frameworks.sides import TOLERANCE, Array, apart, gradients_and_start, in_dialect, walked

# How Keras asks torch for an array, NumPy warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")

VECTOR, MATRIX = ("vector",), ("matrix", "tall")
BOTH = ("vector", "matrix")
# Keras keeps the learning rate in float32, so these are such numbers.
RATE = 2.0**-6
SLOW = {"lr": RATE}


@pytest.fixture(scope="module")
def keras() -> Iterator[Any]:
    """Import keras as the bridge does, what its own imports warn of is not ours; its numbers are float64."""
    from mhat.errors import MissingExtra
    from mhat.subjects.keras import imported

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = imported()
        except MissingExtra:
            pytest.skip("keras is not installed")
    before = found.backend.floatx()
    found.backend.set_floatx("float64")
    with doubles() if found.backend.backend() == "jax" else nullcontext():
        yield found
    found.backend.set_floatx(before)


def by_keras(optimizer: Any, gradients: Array, start: Array) -> Array:
    """Drive a Keras optimizer by given gradients; the parameters after each step."""
    import keras  # type: ignore[import-untyped]

    variable = keras.Variable(start, dtype="float64")
    record = []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, dtype="float64")], [variable])
        record.append(np.array(keras.ops.convert_to_numpy(variable)))
    return np.array(record)


FTRL = in_dialect(rules.ftrl, "accumulator from 0.1", "the squared penalty counted twice")
LAMB = in_dialect(rules.lamb, "decay before the step, outside of the trust ratio")
FACTORED = in_dialect(rules.adafactor, "eps added to each square")
FLAT = in_dialect(rules.adafactor_vector, "eps added to each square")
MUON = rules.muon_moonlight
# (rule, knobs, Keras's class, its options, shapes)
SAME: dict[str, tuple[Rule, dict[str, float], str, dict[str, Any], tuple[str, ...]]] = {
    "ftrl": (FTRL, {"beta": 0.0, **SLOW}, "Ftrl", {}, BOTH),
    "ftrl, others": (
        FTRL, {"beta": 0.5, "l1": 0.3, "l2": 0.2, **SLOW}, "Ftrl",
        {"beta": 0.5, "l1_regularization_strength": 0.3, "l2_regularization_strength": 0.2}, BOTH,
    ),
    "lamb": (LAMB, {"weight_decay": 0.0, **SLOW}, "Lamb", {"epsilon": 1e-6}, BOTH),
    "lamb, others": (
        LAMB, {"weight_decay": 0.5, "beta2": 0.9, "eps": 0.25, **SLOW}, "Lamb",
        {"weight_decay": 0.5, "beta_2": 0.9, "epsilon": 0.25}, BOTH,
    ),
    "adafactor": (FACTORED, SLOW, "Adafactor", {}, MATRIX),
    "adafactor, others": (
        FACTORED, {"decay": 0.5, "eps1": 0.25, "eps2": 0.5, "d": 0.5, **SLOW}, "Adafactor",
        {"beta_2_decay": -0.5, "epsilon_1": 0.25, "epsilon_2": 0.5, "clip_threshold": 0.5}, MATRIX,
    ),
    "adafactor_vector": (FLAT, SLOW, "Adafactor", {}, VECTOR),
    "adafactor_vector, others": (
        FLAT, {"decay": 0.5, "eps1": 0.25, "eps2": 0.5, "d": 0.5, **SLOW}, "Adafactor",
        {"beta_2_decay": -0.5, "epsilon_1": 0.25, "epsilon_2": 0.5, "clip_threshold": 0.5}, VECTOR,
    ),
    "muon": (MUON, {"weight_decay": 0.004, **SLOW}, "Muon", {}, MATRIX),
    "muon, others": (
        MUON, {"weight_decay": 0.25, "momentum": 0.5, "rms": 0.5, **SLOW}, "Muon",
        {"weight_decay": 0.25, "momentum": 0.5, "rms_rate": 0.5}, MATRIX,
    ),
    "lion": (rules.lion, SLOW, "Lion", {}, BOTH),
    "lion, others": (
        rules.lion, {"beta1": 0.5, "beta2": 0.75, "weight_decay": 0.25, **SLOW}, "Lion",
        {"beta_1": 0.5, "beta_2": 0.75, "weight_decay": 0.25}, BOTH,
    ),
}  # fmt: skip
CASES = [(name, shape) for name, (*_, shapes) in SAME.items() for shape in shapes]


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_same_formula(keras: Any, name: str, shape: str) -> None:
    rule, knobs, theirs, options, _ = SAME[name]
    gradients, start = gradients_and_start(shape)
    optimizer = getattr(keras.optimizers, theirs)(learning_rate=RATE, **options)
    # Muon's shape factor and the shares of Adafactor are float32.
    near = 1e-7 if theirs in ("Muon", "Adafactor") else TOLERANCE
    assert apart(walked(rule, gradients, start, **knobs), by_keras(optimizer, gradients, start)) < near
