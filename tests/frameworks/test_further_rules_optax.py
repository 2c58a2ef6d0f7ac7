"""Further rules of the library against the real optax, in float64 and over shapes. It knows no check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.language import Rule
from tests.frameworks.sides import STEPS, TOLERANCE, apart, by_optax, gradients_and_start, in_dialect, walked

optax = pytest.importorskip("optax")
contrib = pytest.importorskip("optax.contrib")

VECTOR, MATRIX = ("vector",), ("matrix", "tall")
BOTH = ("vector", "matrix")
YOGI = in_dialect(rules.yogi, "bias-corrected", "both moments from 1e-6")
MUON = in_dialect(rules.muon, "momentum corrected, rows are inputs")
NADAMW = in_dialect(rules.nadamw, "constant momentum")
RMSPROP = in_dialect(rules.rmsprop_momentum, "eps under the root")
ADOPT = in_dialect(rules.adopt, "without clipping")
PRODIGY = in_dialect(rules.prodigy, "bias-corrected")
LR = {"lr": 0.1}
# Their numbers of one a step are float32: the coefficients of Newton-Schulz, the weight of a gradient.
FLOAT32 = {"muon", "muon, others", "madgrad", "madgrad, others"}
# (rule, knobs, maker of the transformation, its options, shapes)
SAME: dict[str, tuple[Rule, dict[str, float], Any, dict[str, Any], tuple[str, ...]]] = {
    "adan": (rules.adan, {"beta2": 0.5}, optax.adan, {"learning_rate": 1e-3, "b2": 0.5, "eps_root": 0.0}, BOTH),
    "adopt": (rules.adopt, LR, contrib.adopt, {"learning_rate": 0.1}, MATRIX),
    "adopt, without clipping": (
        ADOPT, {"beta1": 0.7, **LR}, contrib.adopt, {"learning_rate": 0.1, "b1": 0.7, "use_clipping": False}, BOTH,
    ),
    "ademamix": (rules.ademamix, {}, contrib.ademamix, {"learning_rate": 1e-3}, BOTH),
    "ademamix, others": (
        rules.ademamix, {"beta3": 0.9, "alpha": 2.0, "eps": 0.3, "weight_decay": 0.5, **LR},
        contrib.ademamix, {"learning_rate": 0.1, "b3": 0.9, "alpha": 2.0, "eps": 0.3, "weight_decay": 0.5}, VECTOR,
    ),
    "simplified_ademamix": (rules.simplified_ademamix, {}, contrib.simplified_ademamix, {"learning_rate": 1e-4}, BOTH),
    "simplified_ademamix, others": (
        rules.simplified_ademamix, {"beta1": 0.8, "alpha": 2.0, "eps": 0.3, "weight_decay": 0.5, **LR},
        contrib.simplified_ademamix,
        {"learning_rate": 0.1, "b1": 0.8, "alpha": 2.0, "eps": 0.3, "weight_decay": 0.5}, VECTOR,
    ),
    "novograd": (
        rules.novograd, {"beta1": 0.9, "beta2": 0.25, "eps": 1e-6, **LR}, optax.novograd, {"learning_rate": 0.1}, BOTH,
    ),
    "novograd, others": (
        rules.novograd, {"eps": 0.3, "weight_decay": 0.5}, optax.novograd,
        {"learning_rate": 1e-3, "b1": 0.95, "b2": 0.98, "eps": 0.3, "weight_decay": 0.5}, BOTH,
    ),
    "lars": (rules.lars, {}, optax.lars, {"learning_rate": 0.1, "weight_decay": 1e-4}, BOTH),
    "lars, others": (
        rules.lars, {"weight_decay": 0.5, "momentum": 0.5, "trust": 0.1}, optax.lars,
        {"learning_rate": 0.1, "weight_decay": 0.5, "momentum": 0.5, "trust_coefficient": 0.1}, BOTH,
    ),
    "lamb": (rules.lamb, {"weight_decay": 0.5}, optax.lamb, {"learning_rate": 1e-3, "weight_decay": 0.5}, MATRIX),
    "fromage": (rules.fromage, {}, optax.fromage, {"learning_rate": 0.01}, BOTH),
    "fromage, others": (rules.fromage, {"lr": 0.5}, optax.fromage, {"learning_rate": 0.5}, BOTH),
    "yogi": (YOGI, {}, optax.yogi, {"learning_rate": 1e-2}, BOTH),
    "yogi, others": (
        YOGI, {"beta2": 0.8, "eps": 0.3, **LR}, optax.yogi, {"learning_rate": 0.1, "b2": 0.8, "eps": 0.3}, VECTOR,
    ),
    "acprop": (rules.acprop, {}, contrib.acprop, {"learning_rate": 1e-3}, BOTH),
    "acprop, others": (
        rules.acprop, {"beta2": 0.8, "eps": 0.3, **LR}, contrib.acprop,
        {"learning_rate": 0.1, "b2": 0.8, "eps": 0.3, "eps_root": 0.3}, VECTOR,
    ),
    "dowg": (rules.dowg, {}, contrib.dowg, {"learning_rate": 1.0}, BOTH),
    "dowg, others": (
        rules.dowg, {"eps": 0.3, **LR}, contrib.dowg, {"learning_rate": 0.1, "eps": 0.3}, VECTOR,
    ),
    "dog": (rules.dog, {}, contrib.dog, {}, BOTH),
    "sm3": (rules.sm3, {}, optax.sm3, {"learning_rate": 0.1}, MATRIX),
    "sm3, others": (
        rules.sm3, {"momentum": 0.5, "lr": 2.0}, optax.sm3, {"learning_rate": 2.0, "momentum": 0.5}, MATRIX,
    ),
    "optimistic": (rules.optimistic, {}, optax.optimistic_gradient_descent, {"learning_rate": 0.1}, BOTH),
    "optimistic, others": (
        rules.optimistic, {"alpha": 0.7, "beta": 2.0}, optax.optimistic_gradient_descent,
        {"learning_rate": 0.1, "alpha": 0.7, "beta": 2.0}, VECTOR,
    ),
    "lion": (
        rules.lion, {"beta2": 0.7, **LR}, optax.lion, {"learning_rate": 0.1, "b2": 0.7, "weight_decay": 0.0}, MATRIX,
    ),
    "nadamw": (NADAMW, {}, optax.nadamw, {"learning_rate": 2e-3, "weight_decay": 0.01}, BOTH),
    "rmsprop_momentum": (RMSPROP, {}, optax.rmsprop, {"learning_rate": 1e-3, "momentum": 0.9}, BOTH),
    "muon": (MUON, {}, contrib.muon, {"learning_rate": 0.02}, MATRIX),
    "muon, others": (
        MUON, {"momentum": 0.6, "weight_decay": 0.3, **LR}, contrib.muon,
        {"learning_rate": 0.1, "beta": 0.6, "weight_decay": 0.3}, MATRIX,
    ),
    "schedule_free_sgd": (rules.schedule_free_sgd, {}, contrib.schedule_free_sgd, {}, BOTH),
    "schedule_free_sgd, others": (
        rules.schedule_free_sgd, {"momentum": 0.5, **LR}, contrib.schedule_free_sgd,
        {"learning_rate": 0.1, "b1": 0.5}, VECTOR,
    ),
    "schedule_free": (rules.schedule_free, {}, contrib.schedule_free_adamw, {}, BOTH),
    "schedule_free, others": (
        rules.schedule_free, {"beta1": 0.5, "eps": 0.3, "weight_decay": 0.5, **LR}, contrib.schedule_free_adamw,
        {"learning_rate": 0.1, "b1": 0.5, "eps": 0.3, "weight_decay": 0.5}, VECTOR,
    ),
    "prodigy": (PRODIGY, {}, contrib.prodigy, {}, BOTH),
    "prodigy, others": (
        PRODIGY, {"beta3": 0.9, "eps": 0.3, "weight_decay": 0.5, "d0": 1e-3, "coef": 0.5, **LR}, contrib.prodigy,
        {"learning_rate": 0.1, "beta3": 0.9, "eps": 0.3, "weight_decay": 0.5, "estim_lr0": 1e-3, "estim_lr_coef": 0.5},
        VECTOR,
    ),
    "madgrad": (rules.madgrad, {}, contrib.madgrad, {"learning_rate": 0.01}, BOTH),
    "madgrad, others": (
        rules.madgrad, {"momentum": 0.5, "eps": 0.3}, contrib.madgrad,
        {"learning_rate": 0.01, "momentum": 0.5, "eps": 0.3}, VECTOR,
    ),
}  # fmt: skip
CASES = [(name, shape) for name, (*_, shapes) in SAME.items() for shape in shapes]


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_same_formula(name: str, shape: str) -> None:
    rule, knobs, maker, options, _ = SAME[name]
    gradients, start = gradients_and_start(shape)
    theirs = by_optax(maker(**options), gradients, start)
    assert apart(walked(rule, gradients, start, **knobs), theirs) < (1e-7 if name in FLOAT32 else TOLERANCE)


def test_prodigy_of_optax_is_not_the_uncorrected_rule() -> None:
    gradients, start = gradients_and_start("vector")
    assert apart(walked(rules.prodigy, gradients, start), by_optax(contrib.prodigy(), gradients, start)) > 1e-6


def test_rprop_of_optax_is_one_step_late() -> None:
    """It moves by the step before this one, and by none where the sign changes now."""
    gradients, start = gradients_and_start("vector")
    theirs = by_optax(optax.rprop(0.01), gradients, start)
    ours = walked(rules.rprop, gradients, start)
    assert np.array_equal(theirs[0], start)
    assert apart(ours, theirs) > 1e-3
    steady = np.abs(gradients)
    late, prompt = by_optax(optax.rprop(0.01), steady, start), walked(rules.rprop, steady, start)
    assert apart(prompt[: STEPS - 1], late[1:]) < TOLERANCE
