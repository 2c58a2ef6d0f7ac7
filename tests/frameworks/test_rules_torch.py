"""The library against the real torch.optim, in float64: where the formula is one, and where it differs and how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.language import Rule
from tests.rules.walks import walked

torch = pytest.importorskip("torch")

GRADIENTS = np.random.default_rng(21).normal(size=(100, 4)) * [1.0, 1e-3, 40.0, 1.0]
# From zero the parameter is the sum of the steps, and its rounding does not hide them.
ZERO = np.zeros(4)
START = np.array([1.0, -2.0, 0.5, 3.0])
TOLERANCE = 1e-12


def run(optimizer: Any, gradients: Any = GRADIENTS, start: Any = ZERO, **options: Any) -> Any:
    """Drive a torch optimizer by given gradients; the parameters after each step."""
    parameter = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    driven = optimizer([parameter], **options)
    record = []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        driven.step()
        record.append(parameter.detach().numpy().copy())
    return np.array(record)


def distance(ours: Any, theirs: Any) -> float:
    """Give the largest difference relative to the largest size of each coordinate."""
    return float(np.max(np.max(np.abs(ours - theirs), axis=0) / np.max(np.abs(theirs), axis=0)))


# (rule, knobs, torch's class, its options)
SAME: dict[str, tuple[Rule, dict[str, float], str, dict[str, Any]]] = {
    "sgd": (rules.sgd, {"lr": 0.1}, "SGD", {"lr": 0.1}),
    "momentum": (rules.momentum, {"lr": 0.1}, "SGD", {"lr": 0.1, "momentum": 0.9}),
    "nesterov": (rules.nesterov, {"lr": 0.1}, "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "adagrad": (rules.adagrad, {}, "Adagrad", {}),
    "adagrad, large eps": (rules.adagrad, {"eps": 0.3}, "Adagrad", {"eps": 0.3}),
    "adadelta": (rules.adadelta, {}, "Adadelta", {}),
    "adadelta, others": (
        rules.adadelta, {"rho": 0.8, "eps": 0.1, "lr": 0.5}, "Adadelta", {"rho": 0.8, "eps": 0.1, "lr": 0.5},
    ),
    "rmsprop": (rules.rmsprop, {"rho": 0.99, "lr": 0.01}, "RMSprop", {}),
    "rmsprop, large eps": (rules.rmsprop, {"eps": 0.3}, "RMSprop", {"alpha": 0.9, "lr": 1e-3, "eps": 0.3}),
    "rmsprop, centered, no eps": (
        rules.rmsprop_centered, {"eps": 0.0}, "RMSprop", {"alpha": 0.9, "lr": 1e-3, "eps": 0.0, "centered": True},
    ),
    "adam": (rules.adam, {}, "Adam", {}),
    "adam, large eps": (rules.adam, {"eps": 0.3, "beta2": 0.9}, "Adam", {"eps": 0.3, "betas": (0.9, 0.9)}),
    "adamw": (rules.adamw, {}, "AdamW", {}),
    "adamw, large decay": (rules.adamw, {"weight_decay": 5.0}, "AdamW", {"weight_decay": 5.0}),
    "adamax": (rules.adamax, {}, "Adamax", {}),
    "adamax, large eps": (rules.adamax, {"eps": 0.3}, "Adamax", {"eps": 0.3}),
    "amsgrad": (rules.amsgrad, {}, "Adam", {"amsgrad": True}),
    "amsgrad, short memory": (
        rules.amsgrad, {"beta2": 0.8, "eps": 0.3}, "Adam", {"amsgrad": True, "betas": (0.9, 0.8), "eps": 0.3},
    ),
    "radam, no eps": (rules.radam, {"eps": 0.0}, "RAdam", {"eps": 0.0}),
    "radam, no eps, short memory": (
        rules.radam, {"eps": 0.0, "beta2": 0.9}, "RAdam", {"eps": 0.0, "betas": (0.9, 0.9)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME.values(), ids=SAME)
def test_same_formula(case: tuple[Rule, dict[str, float], str, dict[str, Any]]) -> None:
    rule, knobs, name, options = case
    start = START if "weight_decay" in rule.knobs else ZERO
    ours = walked(rule, GRADIENTS, start, **knobs)["x"]
    assert distance(ours, run(getattr(torch.optim, name), start=start, **options)) < TOLERANCE


@pytest.mark.parametrize("knobs", [{}, {"momentum_decay": 0.7, "eps": 0.3}], ids=["default", "others"])
def test_nadam_is_the_same_formula_but_torch_keeps_its_product_in_the_default_dtype(knobs: dict[str, float]) -> None:
    ours = walked(rules.nadam, GRADIENTS, **knobs)["x"]
    assert 1e-12 < distance(ours, run(torch.optim.NAdam, **knobs)) < 1e-6
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        assert distance(ours, run(torch.optim.NAdam, **knobs)) < TOLERANCE
    finally:
        torch.set_default_dtype(before)


def test_the_defaults_that_are_torchs() -> None:
    defaults = {
        "Adagrad": rules.adagrad,
        "Adadelta": rules.adadelta,
        "Adam": rules.adam,
        "AdamW": rules.adamw,
        "Adamax": rules.adamax,
        "NAdam": rules.nadam,
        "RAdam": rules.radam,
    }
    spelled = {"lr": "lr", "eps": "eps", "rho": "rho", "momentum_decay": "momentum_decay"}
    for name, rule in defaults.items():
        theirs = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(1))]).defaults
        ours = {spelled[knob]: value for knob, value in rule.knobs.items() if knob in spelled}
        assert ours == {knob: theirs[knob] for knob in ours}, name
        if "betas" in theirs:
            assert (rule.knobs["beta1"], rule.knobs["beta2"]) == theirs["betas"], name


def test_dampening_is_the_factor_of_later_gradients_only() -> None:
    """The docstring of momentum excludes it: torch's first velocity is the undamped gradient."""
    theirs = run(torch.optim.SGD, lr=0.1, momentum=0.9, dampening=0.5)
    damped = GRADIENTS * np.where(np.arange(len(GRADIENTS)) == 0, 1.0, 0.5)[:, None]
    assert distance(walked(rules.momentum, damped, lr=0.1)["x"], theirs) < TOLERANCE


def test_centered_rmsprop_has_eps_outside_of_the_root() -> None:
    theirs = run(torch.optim.RMSprop, alpha=0.9, lr=1e-3, eps=0.3, centered=True)
    trace = walked(rules.rmsprop_centered, GRADIENTS, eps=0.3)
    moves = 1e-3 * GRADIENTS / (np.sqrt(trace["v"] - trace["m"] ** 2) + 0.3)
    assert distance(-np.cumsum(moves, axis=0), theirs) < TOLERANCE
    assert distance(trace["x"], theirs) > 1e-2


def test_centered_rmsprop_gives_nan_under_a_steady_gradient_where_ours_does_not() -> None:
    steady = np.full((1000, 1), 0.1)
    assert np.isnan(run(torch.optim.RMSprop, steady, [0.0], alpha=0.9, centered=True)[-1, 0])
    assert np.isfinite(walked(rules.rmsprop_centered, steady)["x"][-1, 0])


def test_radam_has_eps_beside_the_root_of_the_uncorrected_moment() -> None:
    theirs = run(torch.optim.RAdam, eps=0.3)
    trace = walked(rules.radam, GRADIENTS, eps=0.3)
    t = np.arange(1.0, len(GRADIENTS) + 1)[:, None]
    adapted = trace["r_t"] * trace["m_hat"] * np.sqrt(1 - 0.999**t) / (np.sqrt(trace["v"]) + 0.3)
    moves = 1e-3 * np.where(trace["rho_t"] > 5, adapted, trace["m_hat"])
    assert distance(-np.cumsum(moves, axis=0), theirs) < TOLERANCE
    assert distance(trace["x"], theirs) > 1e-2


def test_radam_rectifies_from_step_six_on() -> None:
    theirs = run(torch.optim.RAdam, eps=0.0)
    papers = walked(rules.radam, GRADIENTS, eps=0.0, threshold=4.0)["x"]
    np.testing.assert_allclose(papers[:4], theirs[:4], rtol=1e-13)
    assert np.max(np.abs(papers[4] - theirs[4])) > 1e-4
