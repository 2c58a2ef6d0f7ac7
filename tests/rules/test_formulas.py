"""Every rule against its formula, written a second time in NumPy without the rule language."""

from __future__ import annotations

import numpy as np
import pytest

from mhat import rules
from tests.rules.references import REFERENCES, Array
from tests.rules.walks import walked

# Far from the defaults, so that every knob and the place of every eps shows.
OTHERS = {
    "lr": 0.3, "beta1": 0.7, "beta2": 0.95, "beta3": 0.8, "eps": 0.2, "weight_decay": 0.1, "momentum": 0.6,
    "rho": 0.75, "momentum_decay": 0.5, "nu1": 0.4, "nu2": 0.8, "threshold": 4.0, "final_lr": 0.5, "gamma": 0.05,
}  # fmt: skip


def stream() -> Array:
    gradients = np.random.default_rng(7).normal(size=(60, 4)) * [1.0, 1e-3, 50.0, 1.0]
    gradients[20:24, 0] = 0.0
    gradients[:, 3] = np.abs(gradients[:, 3]) + 0.5
    return np.asarray(gradients)


def test_every_rule_has_a_formula() -> None:
    assert sorted(REFERENCES) == rules.names()


@pytest.mark.parametrize("name", rules.names())
@pytest.mark.parametrize("knobs", ["default", "others"])
def test_formula(name: str, knobs: str) -> None:
    rule = rules.named(name)
    given = {knob: OTHERS[knob] if knobs == "others" else value for knob, value in rule.knobs.items()}
    start = np.array([1.0, -2.0, 0.5, 3.0])
    ours = walked(rule, stream(), start, **given)["x"]
    theirs = REFERENCES[name](stream(), start, **given)
    moved = np.max(np.abs(theirs - start), axis=0)
    assert np.all(moved > 0)
    assert np.max(np.abs(ours - theirs) / moved) < 1e-11


@pytest.mark.parametrize("name", rules.names())
def test_every_knob_matters(name: str) -> None:
    rule = rules.named(name)
    others = {knob: OTHERS[knob] for knob in rule.knobs}
    base = walked(rule, stream(), 1.0, **others)["x"]
    for knob in rule.knobs:
        other = 1e9 if knob == "threshold" else 0.9 * others[knob]
        assert not np.array_equal(base, walked(rule, stream(), 1.0, **{**others, knob: other})["x"]), knob
