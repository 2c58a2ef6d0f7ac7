"""The library against the real optax, in float64: where the formula is one, and where it differs and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.language import Rule
from tests.rules.walks import walked

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
contrib = pytest.importorskip("optax.contrib")

GRADIENTS = np.random.default_rng(22).normal(size=(40, 4)) * [1.0, 1e-3, 40.0, 1.0]
GROWING = np.sign(GRADIENTS) * np.sort(np.abs(GRADIENTS), axis=0)
# From zero the parameter is the sum of the steps, and its rounding does not hide them.
ZERO = np.zeros(4)
START = np.array([1.0, -2.0, 0.5, 3.0])
TOLERANCE = 1e-12


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def run(transformation: Any, gradients: Any = GRADIENTS, start: Any = ZERO) -> Any:
    """Drive an optax transformation by given gradients; the parameters after each step."""

    def one(carried: Any, gradient: Any) -> Any:
        x, state = carried
        updates, state = transformation.update(gradient, state, x)
        x = optax.apply_updates(x, updates)
        return (x, state), x

    x = jax.numpy.asarray(start, dtype=jax.numpy.float64)
    stream = jax.numpy.asarray(gradients, dtype=jax.numpy.float64)
    _, record = jax.lax.scan(one, (x, transformation.init(x)), stream)
    assert record.dtype == np.float64
    return np.asarray(record)


def distance(ours: Any, theirs: Any) -> float:
    """Give the largest difference relative to the largest size of each coordinate."""
    return float(np.max(np.max(np.abs(ours - theirs), axis=0) / np.max(np.abs(theirs), axis=0)))


# (rule, knobs, maker of the transformation, its options)
SAME: dict[str, tuple[Rule, dict[str, float], Any, dict[str, Any]]] = {
    "sgd": (rules.sgd, {"lr": 0.1}, optax.sgd, {"learning_rate": 0.1}),
    "momentum": (rules.momentum, {"lr": 0.1}, optax.sgd, {"learning_rate": 0.1, "momentum": 0.9}),
    "nesterov": (
        rules.nesterov, {"lr": 0.1}, optax.sgd, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    "signsgd": (rules.signsgd, {}, optax.sign_sgd, {"learning_rate": 1e-3}),
    "signum": (rules.signum, {}, optax.signum, {"learning_rate": 1e-3}),
    "adagrad, no eps": (
        rules.adagrad, {"eps": 0.0}, optax.adagrad,
        {"learning_rate": 1e-2, "initial_accumulator_value": 0.0, "eps": 0.0},
    ),
    "adadelta": (rules.adadelta, {"eps": 0.1}, optax.adadelta, {"learning_rate": 1.0, "eps": 0.1}),
    "rmsprop": (
        rules.rmsprop, {"eps": 0.3}, optax.rmsprop, {"learning_rate": 1e-3, "eps": 0.3, "eps_in_sqrt": False},
    ),
    "rmsprop, centered": (
        rules.rmsprop_centered, {"eps": 0.3}, optax.rmsprop, {"learning_rate": 1e-3, "eps": 0.3, "centered": True},
    ),
    "adam": (rules.adam, {}, optax.adam, {"learning_rate": 1e-3}),
    "adam, large eps": (rules.adam, {"eps": 0.3}, optax.adam, {"learning_rate": 1e-3, "eps": 0.3}),
    "adamw": (
        rules.adamw, {"weight_decay": 5.0}, optax.adamw, {"learning_rate": 1e-3, "weight_decay": 5.0},
    ),
    "adamax": (rules.adamax, {"eps": 0.3}, optax.adamax, {"learning_rate": 2e-3, "eps": 0.3}),
    "nadam": (
        rules.nadam, {"momentum_decay": 1e9, "eps": 0.3}, optax.nadam, {"learning_rate": 2e-3, "eps": 0.3},
    ),
    "amsgrad, growing gradients": (rules.amsgrad, {"eps": 0.3}, optax.amsgrad, {"learning_rate": 1e-3, "eps": 0.3}),
    "radam": (rules.radam, {"eps": 0.3}, optax.radam, {"learning_rate": 1e-3, "eps": 0.3}),
    "radam of the paper": (
        rules.radam, {"threshold": 4.0}, optax.radam, {"learning_rate": 1e-3, "threshold": 4.0},
    ),
    "adabelief": (
        rules.adabelief, {"eps": 0.01}, optax.adabelief, {"learning_rate": 1e-3, "eps": 0.01, "eps_root": 0.01},
    ),
    "adabelief, defaults": (rules.adabelief, {}, optax.adabelief, {"learning_rate": 1e-3}),
    "lion": (rules.lion, {"weight_decay": 0.5}, optax.lion, {"learning_rate": 1e-4, "weight_decay": 0.5}),
    "lamb": (
        rules.lamb, {"weight_decay": 0.5, "eps": 0.3}, optax.lamb,
        {"learning_rate": 1e-3, "weight_decay": 0.5, "eps": 0.3},
    ),
    "adopt": (rules.adopt, {}, contrib.adopt, {"learning_rate": 1e-3}),
    "adopt, large eps": (
        rules.adopt, {"eps": 0.5, "beta2": 0.9}, contrib.adopt, {"learning_rate": 1e-3, "eps": 0.5, "b2": 0.9},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_same_formula(name: str) -> None:
    rule, knobs, maker, options = SAME[name]
    gradients = GROWING if "growing" in name else GRADIENTS
    start = START if "weight_decay" in rule.knobs else ZERO
    ours = walked(rule, gradients, start, **knobs)["x"]
    assert distance(ours, run(maker(**options), gradients, start)) < TOLERANCE


def test_adagrad_starts_at_a_tenth_and_has_eps_under_the_root() -> None:
    theirs = run(optax.adagrad(1e-2, eps=0.3))
    v = walked(rules.adagrad, GRADIENTS)["v"]
    moves = 1e-2 * GRADIENTS / np.sqrt(0.1 + v + 0.3)
    assert distance(-np.cumsum(moves, axis=0), theirs) < TOLERANCE


def test_rmsprop_has_eps_under_the_root_by_default() -> None:
    theirs = run(optax.rmsprop(1e-3, eps=0.3))
    v = walked(rules.rmsprop, GRADIENTS)["v"]
    assert distance(-np.cumsum(1e-3 * GRADIENTS / np.sqrt(v + 0.3), axis=0), theirs) < TOLERANCE


def test_amsgrad_takes_the_maximum_of_the_corrected_moments() -> None:
    falling = GRADIENTS * (0.9 ** np.arange(len(GRADIENTS)))[:, None]
    theirs = run(optax.amsgrad(1e-3), falling)
    trace = walked(rules.adam, falling)
    largest = np.maximum.accumulate(trace["v_hat"])
    moves = 1e-3 * trace["m_hat"] / (np.sqrt(largest) + 1e-8)
    assert distance(-np.cumsum(moves, axis=0), theirs) < TOLERANCE
    assert distance(walked(rules.amsgrad, falling)["x"], theirs) > 1e-2


def test_yogi_starts_at_a_millionth_and_corrects_the_bias() -> None:
    theirs = run(optax.yogi(1e-2))
    t = np.arange(1.0, len(GRADIENTS) + 1)[:, None]
    v, squares = np.full(4, 1e-6), []
    for square in GRADIENTS**2:
        v = v - 0.001 * np.sign(v - square) * square
        squares.append(v)
    m = walked(rules.yogi, GRADIENTS)["m"] + 1e-6 * 0.9**t
    moves = 1e-2 * m / (1 - 0.9**t) / (np.sqrt(np.array(squares) / (1 - 0.999**t)) + 1e-3)
    assert distance(-np.cumsum(moves, axis=0), theirs) < TOLERANCE
    assert distance(walked(rules.yogi, GRADIENTS)["x"], theirs) > 1e-2


def adan_with_weight(weight: float) -> Any:
    """Walk Adan from our moments, the change of the gradient weighing as given."""
    change = np.diff(GRADIENTS, axis=0, prepend=GRADIENTS[:1])
    trace = walked(rules.adan, GRADIENTS)
    extrapolated = GRADIENTS + weight * change
    v_hat = walked(rules.adam, extrapolated, beta2=0.99)["v_hat"]
    ratio = (trace["m_hat"] + weight * trace["d_hat"]) / (np.sqrt(v_hat) + 1e-8)
    return -np.cumsum(1e-3 * ratio, axis=0)


def test_adan_weighs_the_change_with_the_other_share() -> None:
    """With beta2 as decay rate the paper's weight 1 - beta2 is beta2; optax has 1 - beta2."""
    theirs = run(optax.adan(1e-3, eps_root=0.0))
    assert distance(walked(rules.adan, GRADIENTS)["x"], adan_with_weight(0.92)) < TOLERANCE
    assert distance(walked(rules.adan, GRADIENTS)["x"], theirs) > 1e-2
    assert distance(adan_with_weight(1 - 0.92), theirs) < TOLERANCE


def test_adan_is_one_where_both_weights_are() -> None:
    half = run(optax.adan(1e-3, b2=0.5, eps_root=0.0))
    assert distance(walked(rules.adan, GRADIENTS, beta2=0.5)["x"], half) < TOLERANCE
