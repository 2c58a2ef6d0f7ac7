"""Rules that know more than the gradient, against their formulas in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import mhat
from tests.rules.references.shared import Array, average, corrected, decayed_path

STEPS = 30
RANDOM = np.random.default_rng(4)
GRADIENTS, CURVES = RANDOM.normal(size=(STEPS, 4)), RANDOM.normal(size=(STEPS, 4))
LOSSES = np.abs(RANDOM.normal(size=STEPS)) + 0.1
START = np.array([1.0, -2.0, 0.5, 3.0])


def walked(name: str, given: str, values: Array, **knobs: float) -> Array:
    x, state, record = START, None, []
    for step, (gradient, value) in enumerate(zip(GRADIENTS, values, strict=True), 1):
        told: dict[str, Any] = {given: float(value) if given == "loss" else value}
        x, state, _ = mhat.step(getattr(mhat.rules, name), x, gradient, step, state, **told, **knobs)
        record.append(x)
    return np.array(record)


def test_sophia() -> None:
    v, record = np.zeros(4), []
    for step, curve in enumerate(CURVES, 1):
        v = 0.9 * v + 0.1 * curve if step % 5 == 1 else v
        record.append(v)
    moves = np.clip(average(GRADIENTS, 0.8) / np.maximum(0.3 * np.array(record), 1e-3), -1, 1)
    knobs = {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.2, "gamma": 0.3, "every": 5.0}
    np.testing.assert_allclose(
        walked("sophia", "h", CURVES, **knobs), decayed_path(START, 0.1 * moves, 0.98), rtol=1e-11
    )


def test_adahessian() -> None:
    roots = np.sqrt(corrected(CURVES**2, 0.9)) ** 0.7 + 0.1
    knobs = {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 0.1, "weight_decay": 0.2, "p": 0.7}
    expected = decayed_path(START, 0.1 * corrected(GRADIENTS, 0.8) / roots, 0.98)
    np.testing.assert_allclose(walked("adahessian", "h", CURVES, **knobs), expected, rtol=1e-11)


def test_polyak() -> None:
    squares = np.sum(GRADIENTS**2, axis=1)
    rates = np.minimum(0.4, (LOSSES - 0.05) / (0.7 * squares + 1e-12))
    expected = START - np.cumsum(rates[:, None] * GRADIENTS, axis=0)
    np.testing.assert_allclose(walked("polyak", "loss", LOSSES, lr=0.4, least=0.05, c=0.7), expected, rtol=1e-11)


def test_momo() -> None:
    x, record = START, []
    for step in range(1, STEPS + 1):
        weights = 0.1 * 0.9 ** np.arange(step - 1, -1, -1)
        points = np.array([START, *record])[:step]
        m = weights @ GRADIENTS[:step]
        height = weights @ (LOSSES[:step] - np.sum(GRADIENTS[:step] * points, axis=1)) + m @ x
        height -= 0.05 * weights.sum()
        x = x - min(0.4 / weights.sum(), max(height, 0.0) / (m @ m + 1e-12)) * m
        record.append(x)
    found = walked("momo", "loss", LOSSES, lr=0.4, beta1=0.9, least=0.05)
    np.testing.assert_allclose(found, np.array(record), rtol=1e-10)


def test_polyak_is_momo_without_memory() -> None:
    one = walked("momo", "loss", LOSSES, beta1=0.0)
    np.testing.assert_allclose(one, walked("polyak", "loss", LOSSES, c=1.0), rtol=1e-12)
