"""Every rule against its formula, written a second time in NumPy without the rule language."""

from __future__ import annotations

import numpy as np
import pytest

from mhat import rules
from tests.choices import VECTORS
from tests.rules.references import REFERENCES, Array
from tests.rules.walks import walked

# Far from the defaults, so that every knob and the place of every eps shows.
OTHERS = {
    "lr": 0.3, "beta0": 0.2, "beta1": 0.7, "beta2": 0.95, "beta3": 0.8, "eps": 0.2, "weight_decay": 0.1,
    "momentum": 0.6, "rho": 0.75, "momentum_decay": 0.5, "nu": 0.4, "nu1": 0.4, "nu2": 0.8, "threshold": 4.0,
    "final_lr": 0.5, "gamma": 0.05, "delta": 0.3, "p": 0.15, "q": 0.3, "r": 0.6, "kappa": 50.0, "xi": 0.3,
    "small": 0.5, "integral": 2.0, "derivative": 4.0, "alpha": 1.4, "beta": 0.8, "lips": 3.0, "down": 0.4, "up": 1.3,
    "least": 0.1, "most": 0.9, "b0": 0.7, "l1": 0.3, "l2": 0.4, "limit": 0.7, "warmup": 20.0, "lamb": 1.5,
    "trust": 0.2, "scale": 0.8, "relative": 1.2, "absolute": 2.0, "wd_ratio": 0.3, "power": 1.5, "lambd": 0.02,
    "t0": 10.0, "reps": 0.1, "d0": 0.01, "coef": 0.8, "growth": 1.5, "decay": 0.6, "eps1": 0.4, "eps2": 5.0, "d": 0.7,
}  # fmt: skip


def stream() -> Array:
    gradients = np.random.default_rng(7).normal(size=(60, 4)) * [1.0, 1e-3, 50.0, 1.0]
    gradients[20:24, 0] = 0.0
    gradients[:, 3] = np.abs(gradients[:, 3]) + 0.5
    return np.asarray(gradients)


def test_every_rule_has_a_formula() -> None:
    assert sorted(REFERENCES) == VECTORS


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("knobs", ["default", "others"])
def test_formula(name: str, knobs: str) -> None:
    rule = rules.named(name)
    given = {knob: OTHERS[knob] if knobs == "others" else value for knob, value in rule.knobs.items()}
    start = np.array([1.0, -2.0, 0.5, 3.0])
    ours = walked(rule, stream(), start, **given)["x"]
    theirs = REFERENCES[name](stream(), start, **given)
    moved = np.max(np.abs(theirs - start), axis=0)
    assert np.all(moved > 0)
    # x itself is rounded at every step, however little it moves.
    assert np.all(np.abs(ours - theirs) < 1e-11 * moved + 1e-14 * np.max(np.abs(theirs), axis=0))


@pytest.mark.parametrize("name", VECTORS)
def test_every_knob_matters(name: str) -> None:
    rule = rules.named(name)
    others = {knob: OTHERS[knob] for knob in rule.knobs}

    def seen(**knobs: float) -> Array:
        walk = walked(rule, stream(), 1.0, **knobs)
        return np.array([walk["x"], walk.get("x_eval", walk["x"])])

    base = seen(**others)
    for knob in rule.knobs:
        other = {"threshold": 1e9, "delta": 1e9, "growth": 1.0}.get(knob, 0.9 * others[knob])
        assert not np.array_equal(base, seen(**{**others, knob: other})), knob
