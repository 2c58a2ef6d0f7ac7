"""Laws between two rules: where one becomes the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.language import Rule, rule
from tests.rules.walks import walked

NOISE = np.random.default_rng(11).normal(size=(80, 3)) * [1.0, 1e-4, 30.0]
START = np.array([0.5, -1.0, 2.0])

# (one, its knobs, other, its knobs): the same parameters, to the last bit.
SAME_BITS: dict[str, tuple[Rule, dict[str, float], Rule, dict[str, float]]] = {
    "adamw without decay is adam": (rules.adamw, {"weight_decay": 0.0}, rules.adam, {}),
    "qhadam with nu = 1 is adam": (rules.qhadam, {"nu1": 1.0, "nu2": 1.0, "beta1": 0.9}, rules.adam, {}),
    "radam that never trusts is corrected momentum": (rules.radam, {"threshold": 1e9}, rules.radam, {"threshold": 1e8}),
    "momentum without memory is sgd": (rules.momentum, {"momentum": 0.0}, rules.sgd, {}),
    "nesterov without memory is sgd": (rules.nesterov, {"momentum": 0.0}, rules.sgd, {}),
    "signum without memory is signsgd": (rules.signum, {"beta1": 0.0}, rules.signsgd, {}),
    "lion with equal betas is tiger": (
        rules.lion, {"beta1": 0.95, "beta2": 0.95, "lr": 1e-3, "weight_decay": 0.1},
        rules.tiger, {"beta1": 0.95, "weight_decay": 0.1},
    ),
    "tiger without decay is signum": (rules.tiger, {"weight_decay": 0.0, "beta1": 0.9}, rules.signum, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME_BITS.values(), ids=SAME_BITS)
def test_same_to_the_last_bit(case: tuple[Rule, dict[str, float], Rule, dict[str, float]]) -> None:
    one, knobs, other, other_knobs = case
    ours = walked(one, NOISE, START, **knobs)["x"]
    np.testing.assert_array_equal(ours, walked(other, NOISE, START, **other_knobs)["x"])
    assert not np.array_equal(ours[-1], START)


def close(one: Any, other: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * np.max(np.abs(other)))


def test_adam_without_first_moment_is_corrected_rmsprop() -> None:
    t = np.arange(1.0, len(NOISE) + 1)[:, None]
    v = walked(rules.rmsprop, NOISE, rho=0.999)["v"]
    close(walked(rules.adam, NOISE, beta1=0.0)["ratio"], NOISE / (np.sqrt(v / (1 - 0.999**t)) + 1e-8))


def test_amsgrad_is_adam_while_the_second_moment_never_falls() -> None:
    growing = np.sign(NOISE) * np.arange(1.0, len(NOISE) + 1)[:, None]
    np.testing.assert_array_equal(walked(rules.amsgrad, growing)["x"], walked(rules.adam, growing)["x"])
    falling = growing[::-1]
    assert not np.array_equal(
        walked(rules.amsgrad, falling, beta2=0.5)["x"], walked(rules.adam, falling, beta2=0.5)["x"]
    )


def test_qhadam_without_moments_is_signsgd() -> None:
    close(
        walked(rules.qhadam, NOISE, nu1=0.0, nu2=0.0, eps=0.0)["x"],
        walked(rules.signsgd, NOISE)["x"],
    )


def test_lamb_with_full_trust_is_adamw() -> None:
    text = rules.lamb.source.text
    before, after = text.split("    trust = ")
    trusting = rule(before + "    trust = 1\n" + after.split("\n", 1)[1])
    knobs = {"eps": 1e-6, "weight_decay": 0.01}
    ours = walked(trusting, NOISE, START, **knobs)["x"]
    np.testing.assert_array_equal(ours, walked(rules.adamw, NOISE, START, **knobs)["x"])
    assert not np.array_equal(ours, walked(rules.lamb, NOISE, START, **knobs)["x"])


def test_lamb_starts_as_adamw_where_the_tensor_is_zero() -> None:
    first = walked(rules.lamb, NOISE[:1], 0.0, eps=1e-8)["x"]
    np.testing.assert_array_equal(first, walked(rules.adamw, NOISE[:1], 0.0)["x"])


def test_nadam_without_warm_up_becomes_qhadam() -> None:
    long = np.random.default_rng(2).normal(size=600)
    nadam = walked(rules.nadam, long, momentum_decay=1e9)["ratio"]
    qhadam = walked(rules.qhadam, long, beta1=0.9, nu1=0.9, nu2=1.0)["ratio"]
    close(nadam[400:], qhadam[400:], rtol=1e-12)
    assert abs(nadam[1] - qhadam[1]) > 1e-3


def test_radam_becomes_adam() -> None:
    long = np.random.default_rng(2).normal(size=600)
    radam = walked(rules.radam, long, beta2=0.9)
    close(radam["r_t"][400:], 1.0)
    close(radam["ratio"][400:], walked(rules.adam, long, beta2=0.9)["ratio"][400:])


def test_adabelief_without_first_moment_sees_no_surprise() -> None:
    trace = walked(rules.adabelief, NOISE, beta1=0.0, eps=0.0)
    np.testing.assert_array_equal(trace["v"], 0.0)
    assert np.all(np.isinf(trace["ratio"]))


def test_adan_under_a_steady_gradient_is_adam() -> None:
    steady = np.full(50, 3.0)
    close(walked(rules.adan, steady)["x"], walked(rules.adam, steady, beta1=0.98, beta2=0.99)["x"])


def test_adan_without_second_decay_is_adam_without_look_ahead() -> None:
    ours = walked(rules.adan, NOISE, beta2=0.0, beta1=0.9, beta3=0.999)["x"]
    close(ours, walked(rules.adam, NOISE)["x"])


def test_yogi_is_uncorrected_adam_less_the_decay_while_gradients_grow() -> None:
    growing = 2.0 ** np.arange(30)
    ours = walked(rules.yogi, growing)["v"]
    close(ours, 0.001 * np.cumsum(growing**2))


def test_adabound_ends_as_momentum() -> None:
    trace = walked(rules.adabound, NOISE, gamma=1e15)
    close(np.diff(trace["x"], axis=0), -0.1 * trace["m"][1:], rtol=1e-9)


def test_adabound_between_wide_bounds_is_adam_with_eps_hat() -> None:
    trace = walked(rules.adabound, NOISE[:, 0], final_lr=0.1, gamma=1e-9, eps=0.0)
    close(trace["x"], walked(rules.adam, NOISE[:, 0], eps=0.0)["x"], rtol=1e-12)


def test_the_look_ahead_of_nesterov() -> None:
    """The papers' own parameter, where the gradient is taken ahead of it, on a parabola."""
    lr, momentum = 0.1, 0.8
    x, velocity, theirs = 1.0, 0.0, []
    for _ in range(30):
        gradient = 3 * (x + momentum * velocity)
        velocity = momentum * velocity - lr * gradient
        x = x + velocity
        theirs.append(x + momentum * velocity)
    ours, seen = [], 1.0
    gradients: list[float] = []
    for _ in range(30):
        gradients.append(3 * seen)
        seen = walked(rules.nesterov, gradients, 1.0, lr=lr, momentum=momentum)["x"][-1]
        ours.append(seen)
    close(ours, theirs)
