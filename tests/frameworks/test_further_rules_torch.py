"""Further rules of the library against the real torch.optim, in float64 and over shapes. It knows no check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.language import Rule
from tests.frameworks.sides import TOLERANCE, apart, by_torch, gradients_and_start, in_dialect, walked

torch = pytest.importorskip("torch")

EPS = float(np.finfo(np.float64).eps)
VECTOR, MATRIX = ("vector",), ("matrix", "tall")
RADAMW = in_dialect(rules.radamw, "eps added before the correction")
DECOUPLED = {"decoupled_weight_decay": True}
LR = {"lr": 0.1}
# (rule, knobs, torch's class, its options, shapes)
SAME: dict[str, tuple[Rule, dict[str, float], str, dict[str, Any], tuple[str, ...]]] = {
    "adafactor": (rules.adafactor, {"eps1": EPS}, "Adafactor", {}, MATRIX),
    "adafactor, others": (
        rules.adafactor, {"lr": 0.3, "decay": 0.5, "eps1": 0.3, "eps2": 0.01, "d": 1.5, "weight_decay": 0.2},
        "Adafactor", {"lr": 0.3, "beta2_decay": -0.5, "eps": (0.3, 0.01), "d": 1.5, "weight_decay": 0.2}, MATRIX,
    ),
    "adafactor_vector": (rules.adafactor_vector, {"eps1": EPS}, "Adafactor", {}, VECTOR),
    "adafactor_vector, others": (
        rules.adafactor_vector, {"lr": 0.3, "decay": 0.5, "eps1": 0.3, "eps2": 0.01, "d": 1.5, "weight_decay": 0.2},
        "Adafactor", {"lr": 0.3, "beta2_decay": -0.5, "eps": (0.3, 0.01), "d": 1.5, "weight_decay": 0.2}, VECTOR,
    ),
    "rprop": (rules.rprop, {}, "Rprop", {}, (*VECTOR, *MATRIX)),
    "rprop, others": (
        rules.rprop, {"lr": 0.2, "down": 0.3, "up": 1.4, "least": 0.1, "most": 0.5},
        "Rprop", {"lr": 0.2, "etas": (0.3, 1.4), "step_sizes": (0.1, 0.5)}, VECTOR,
    ),
    "adam_l2": (rules.adam_l2, {}, "Adam", {"weight_decay": 0.01}, (*VECTOR, *MATRIX)),
    "adam_l2, others": (
        rules.adam_l2, {"lr": 0.1, "weight_decay": 2.0, "eps": 0.3, "beta2": 0.9},
        "Adam", {"lr": 0.1, "weight_decay": 2.0, "eps": 0.3, "betas": (0.9, 0.9)}, VECTOR,
    ),
    "radamw": (RADAMW, {}, "RAdam", {"weight_decay": 0.01, **DECOUPLED}, (*VECTOR, *MATRIX)),
    "radamw, others": (
        RADAMW, {"lr": 0.1, "weight_decay": 0.5, "eps": 0.3, "beta2": 0.9},
        "RAdam", {"lr": 0.1, "weight_decay": 0.5, "eps": 0.3, "betas": (0.9, 0.9), **DECOUPLED}, VECTOR,
    ),
    "rmsprop_momentum": (
        rules.rmsprop_momentum, {"rho": 0.99, "lr": 0.01}, "RMSprop", {"momentum": 0.9}, (*VECTOR, *MATRIX),
    ),
    "rmsprop_momentum, others": (
        rules.rmsprop_momentum, {"rho": 0.7, "momentum": 0.5, "eps": 0.3, **LR},
        "RMSprop", {"alpha": 0.7, "momentum": 0.5, "eps": 0.3, **LR}, VECTOR,
    ),
    "nesterov, others": (
        rules.nesterov, {"momentum": 0.5, **LR}, "SGD", {"momentum": 0.5, "nesterov": True, **LR}, MATRIX,
    ),
}  # fmt: skip
CASES = [(name, shape) for name, (*_, shapes) in SAME.items() for shape in shapes]


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_same_formula(name: str, shape: str) -> None:
    rule, knobs, theirs, options, _ = SAME[name]
    gradients, start = gradients_and_start(shape)
    ours = walked(rule, gradients, start, **knobs)
    assert apart(ours, by_torch(getattr(torch.optim, theirs), gradients, start, **options)) < TOLERANCE


@pytest.fixture
def doubles() -> Iterator[None]:
    """Let torch make its own numbers in float64 too: some of its rules keep one in the default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("doubles")
@pytest.mark.parametrize(
    ("knobs", "options"),
    [
        ({}, {"weight_decay": 0.01}),
        ({"lr": 0.1, "eps": 0.3, "momentum_decay": 0.7, "weight_decay": 0.5},) * 2,
    ],
    ids=["default", "others"],
)
def test_nadamw(knobs: dict[str, float], options: dict[str, float]) -> None:
    gradients, start = gradients_and_start("matrix")
    theirs = by_torch(torch.optim.NAdam, gradients, start, **DECOUPLED, **options)
    assert apart(walked(rules.nadamw, gradients, start, **knobs), theirs) < TOLERANCE


@pytest.mark.usefixtures("doubles")
@pytest.mark.parametrize("knobs", [{}, {"lr": 0.3, "lambd": 0.2, "alpha": 0.6, "t0": 10}], ids=["default", "others"])
def test_asgd_and_its_average(knobs: dict[str, float]) -> None:
    gradients, start = gradients_and_start("matrix")
    parameter = torch.nn.Parameter(torch.tensor(start))
    driven = torch.optim.ASGD([parameter], **knobs)
    points, averages = [], []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        driven.step()
        points.append(parameter.detach().numpy().copy())
        averages.append(driven.state[parameter]["ax"].numpy().copy())
    assert apart(walked(rules.asgd, gradients, start, **knobs), np.array(points)) < TOLERANCE
    assert apart(walked(rules.asgd, gradients, start, evaluated=True, **knobs), np.array(averages)) < TOLERANCE


def test_asgd_of_torch_keeps_its_rate_in_the_default_dtype() -> None:
    gradients, start = gradients_and_start("matrix")
    assert 1e-12 < apart(walked(rules.asgd, gradients, start), by_torch(torch.optim.ASGD, gradients, start)) < 1e-6


@pytest.mark.parametrize("shape", ["matrix", "tall"])
@pytest.mark.parametrize(
    ("rule", "adjust", "knobs"),
    [
        (rules.muon, "original", {}),
        (rules.muon, "original", {"momentum": 0.6, "weight_decay": 0.3}),
        (rules.muon_moonlight, "match_rms_adamw", {}),
        (rules.muon_moonlight, "match_rms_adamw", {"momentum": 0.6, "weight_decay": 0.3}),
    ],
)
def test_muon_to_the_rounding_of_bfloat16(rule: Rule, adjust: str, knobs: dict[str, float], shape: str) -> None:
    """torch computes Newton-Schulz in bfloat16, whose rounding is 2**-8: steps agree to some hundredths only."""
    gradients, start = gradients_and_start(shape, 10)
    options = {"lr": 0.02, "momentum": 0.95, "weight_decay": 0.1, **knobs}
    theirs = by_torch(torch.optim.Muon, gradients, start, adjust_lr_fn=adjust, **options)
    ours = walked(rule, gradients, start, **options)
    moved = np.max(np.abs(np.diff(theirs, axis=0)))
    assert np.max(np.abs(np.diff(ours - theirs, axis=0))) < 0.05 * moved
    # The other factor, which the shape makes another, is seen all the same.
    other = rules.muon if rule is rules.muon_moonlight else rules.muon_moonlight
    assert np.max(np.abs(np.diff(walked(other, gradients, start, **options) - theirs, axis=0))) > 0.3 * moved
