"""Every rule per matrix against its formula, written a second time in NumPy, on square, wide and tall matrices."""

from __future__ import annotations

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.language import Level
from tests.rules.references.matrix import MATRICES
from tests.rules.references.shared import Array
from tests.rules.test_formulas import OTHERS

NAMES = [name for name in rules.names() if rules.named(name).level is Level.MATRIX]
# Whose bases are those of statistics that a wide or a tall gradient leaves singular: LAPACK chooses among them.
SQUARE_ONLY = {"soap", "splus"}
OWN = {"rank": 2.0, "every": 30.0, "v0": 0.6, "radius": 2.0, "rms": 0.4, "eps1": 0.8, "gamma": 2.0}
STEPS = 8


def walked(name: str, gradients: Array, start: Array, **knobs: float) -> Array:
    rule, x, state, record = rules.named(name), start, None, []
    for step, gradient in enumerate(gradients, 1):
        x, state, _ = mhat.step(rule, x, gradient, step, state, **knobs)
        record.append(x)
    return np.array(record)


def matrices(shape: tuple[int, int]) -> tuple[Array, Array]:
    random = np.random.default_rng(11)
    return random.normal(size=(STEPS, *shape)), random.normal(size=shape)


def test_every_matrix_rule_has_a_formula() -> None:
    assert sorted(MATRICES) == NAMES


@pytest.mark.parametrize("knobs", ["default", "others"])
@pytest.mark.parametrize("shape", [(4, 4), (2, 5), (5, 3)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_formula(name: str, shape: tuple[int, int], knobs: str) -> None:
    if name in SQUARE_ONLY and shape[0] != shape[1]:
        shape = (3, 3)
    gradients, start = matrices(shape)
    others = {**OTHERS, **OWN}
    given = {knob: others[knob] if knobs == "others" else value for knob, value in rules.named(name).knobs.items()}
    ours, theirs = walked(name, gradients, start, **given), MATRICES[name](gradients, start, **given)
    assert np.max(np.abs(theirs - start)) > 0
    # A statistic of a tall gradient is singular, and its root holds little more than `eps`.
    near = 1e-7 if name == "asgo" else 1e-10
    assert np.max(np.abs(ours - theirs)) < near * np.max(np.abs(theirs - start)) + 1e-13


@pytest.mark.parametrize("name", NAMES)
def test_every_knob_matters(name: str) -> None:
    gradients, start = matrices((3, 3))
    others = {knob: {**OTHERS, **OWN}[knob] for knob in rules.named(name).knobs}
    base = walked(name, gradients, start, **others)
    for knob, value in others.items():
        other = {"every": 2.0, "rank": 1.0, "growth": 1.0}.get(knob, 0.9 * value)
        if knob == "beta3" and name == "splus":  # it weighs what is evaluated
            continue
        assert not np.array_equal(base, walked(name, gradients, start, **{**others, knob: other})), knob
