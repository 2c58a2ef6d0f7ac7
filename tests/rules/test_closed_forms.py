"""What is known of the rules in closed form: first steps, steady gradients, bounds, RAdam's numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mhat import rules
from mhat.language import Rule
from tests.choices import VECTORS
from tests.rules.walks import walked

STEADY = {
    "adam": rules.adam,
    "adamax": rules.adamax,
    "amsgrad": rules.amsgrad,
    "nadam": rules.nadam,
    "qhadam": rules.qhadam,
    "adan": rules.adan,
}
LIKE_ADAM = {name: STEADY[name] for name in ("adam", "amsgrad", "qhadam", "adan")}


@pytest.mark.parametrize("rule", LIKE_ADAM.values(), ids=LIKE_ADAM)
@pytest.mark.parametrize("g", [10.0, -1e-3, 1e-8, 3e5])
def test_a_steady_gradient_moves_by_the_learning_rate_at_every_step(rule: Rule, g: float) -> None:
    eps = 1e-8
    ratio = walked(rule, np.full(100, g), eps=eps)["ratio"]
    np.testing.assert_allclose(ratio, math.copysign(1 / (1 + eps / abs(g)), g), rtol=1e-13)


def test_the_first_step() -> None:
    for g in (10.0, -0.25, 1e-9):
        assert walked(rules.adam, [g])["x"][0] == pytest.approx(-1e-3 * g / (abs(g) + 1e-8), rel=1e-13)
        assert walked(rules.adamax, [g])["x"][0] == pytest.approx(-2e-3 * g / (abs(g) + 1e-8), rel=1e-13)
        assert walked(rules.adagrad, [g])["x"][0] == pytest.approx(-1e-2 * g / (abs(g) + 1e-10), rel=1e-13)
        assert walked(rules.radam, [g])["x"][0] == pytest.approx(-1e-3 * g, rel=1e-13)
        assert walked(rules.adopt, [g])["x"][0] == 0.0
        assert walked(rules.signsgd, [g])["x"][0] == -1e-3 * math.copysign(1, g)


def test_the_number_mhat_began_with() -> None:
    ratio = walked(rules.adam, np.full(100, 10.0), eps=1e-3)["ratio"]
    assert ratio[-1] == 0.9999000099990011


def test_steady_gradients_of_the_others() -> None:
    t, g = np.arange(1.0, 51), 2.0
    stream = np.full(50, g)

    def moves(rule: Rule, **knobs: float) -> np.ndarray:
        return -np.diff(walked(rule, stream, **knobs)["x"], prepend=0.0)

    np.testing.assert_allclose(moves(rules.sgd, lr=0.1), 0.1 * g)
    np.testing.assert_allclose(moves(rules.momentum, lr=0.1), 0.1 * g * (1 - 0.9**t) / (1 - 0.9))
    np.testing.assert_allclose(moves(rules.nesterov, lr=0.1), 0.1 * g * (1 - 0.9 ** (t + 1)) / (1 - 0.9))
    np.testing.assert_allclose(moves(rules.adagrad, lr=0.1, eps=0.0), 0.1 / np.sqrt(t))
    np.testing.assert_allclose(moves(rules.rmsprop, lr=0.1, eps=0.0), 0.1 / np.sqrt(1 - 0.9**t))
    np.testing.assert_allclose(moves(rules.adopt, lr=0.1), 0.1 * (1 - 0.9 ** (t - 1)), atol=1e-15)
    np.testing.assert_allclose(moves(rules.signum, lr=0.1), 0.1)
    centered = 0.1 / np.sqrt(0.9**t * (1 - 0.9**t))
    np.testing.assert_allclose(moves(rules.rmsprop_centered, lr=0.1, eps=0.0), centered, rtol=1e-9)


@pytest.mark.parametrize("name", ["adam", "amsgrad", "nadam", "adamax", "qhadam", "adagrad", "rmsprop", "adan", "lamb"])
def test_the_scale_of_the_gradient_does_not_matter(name: str) -> None:
    gradients = np.random.default_rng(1).normal(size=50)
    knobs = {"eps": 0.0, **({"weight_decay": 0.0} if name == "lamb" else {})}
    plain = walked(rules.named(name), gradients, 1.0, **knobs)["ratio"]
    scaled = walked(rules.named(name), 2.0**40 * gradients, 1.0, **knobs)["ratio"]
    np.testing.assert_array_equal(plain, scaled)


@pytest.mark.parametrize(
    ("beta1", "beta2", "bound"), [(0.9, 0.999, 7.2703), (0.9, 0.95, 1.165), (0.9, 0.98, 1.698), (0.9, 0.99, 2.345)]
)
def test_the_true_bound_of_adams_step(beta1: float, beta2: float, bound: float) -> None:
    assert (1 - beta1) / math.sqrt((1 - beta2) * (1 - beta1**2 / beta2)) == pytest.approx(bound, rel=5e-4)
    t = np.arange(1.0, 1001)
    growing = (beta2 / beta1) ** t
    ratio = walked(rules.adam, growing, beta1=beta1, beta2=beta2, eps=0.0)["ratio"]
    reached = (1 - beta1) / (1 - beta1**t) * np.sqrt((1 - beta2**t) / (1 - beta2))
    shares = beta1**2 / beta2
    np.testing.assert_allclose(ratio, reached * np.sqrt((1 - shares**t) / (1 - shares)), rtol=1e-10)
    if beta2 == 0.999:
        for step, value in {1: 1.0, 10: 1.0431, 100: 2.2434, 1000: 5.78}.items():
            assert ratio[step - 1] == pytest.approx(value, rel=1e-3)


def test_the_paper_bound_of_adam_is_exceeded() -> None:
    growing = (0.999 / 0.9) ** np.arange(1.0, 1001)
    assert walked(rules.adam, growing, eps=0.0)["ratio"][-1] > (1 - 0.9) / math.sqrt(1 - 0.999)


def test_with_equal_betas_adam_never_exceeds_the_learning_rate() -> None:
    gradients = np.random.default_rng(3).standard_cauchy(size=400)
    assert np.max(np.abs(walked(rules.adam, gradients, beta1=0.95, beta2=0.95, eps=0.0)["ratio"])) <= 1 + 1e-14


def test_the_paper_bound_of_adamax_is_exceeded_by_a_hair() -> None:
    shrinking = 0.999 ** np.arange(1.0, 301)
    ratio = walked(rules.adamax, shrinking, eps=0.0)["ratio"]
    bound = (1 - 0.9) / (1 - 0.9 / 0.999)
    assert bound == pytest.approx(1.00909, rel=1e-5)
    assert ratio[0] == pytest.approx(1.0, rel=1e-14)
    assert 1 < ratio[1] < ratio[-1] < bound
    assert ratio[-1] == pytest.approx(bound, rel=1e-10)


@pytest.mark.parametrize(("beta2", "longest"), [(0.999, 1999), (0.99, 199), (0.95, 39)])
def test_the_length_of_radams_average(beta2: float, longest: float) -> None:
    trace = walked(rules.radam, np.ones(10), beta2=beta2)
    np.testing.assert_allclose(trace["rho_inf"], longest, rtol=1e-12)
    assert int(np.argmax(trace["rho_t"] > 4)) + 1 == 5


def test_the_numbers_of_radam() -> None:
    trace = walked(rules.radam, np.ones(1000))
    assert int(np.argmax(trace["rho_t"] > 5)) + 1 == 6
    for step, value in {5: 0.0173, 6: 0.0258, 100: 0.2153, 1000: 0.6453}.items():
        assert trace["r_t"][step - 1] == pytest.approx(value, abs=5e-5)
    assert np.all(trace["ratio"][:5] == trace["m_hat"][:5])
    assert trace["ratio"][5] == pytest.approx(0.0258, abs=5e-5)
    papers = walked(rules.radam, np.ones(6), threshold=4.0)
    assert papers["ratio"][3] == papers["m_hat"][3]
    assert papers["ratio"][4] == pytest.approx(0.0173, abs=5e-5)


def test_nadams_momentum_warms_up() -> None:
    trace = walked(rules.nadam, np.ones(500))
    assert trace["mu"][0] == pytest.approx(0.9 * (1 - 0.5 * 0.96**0.004), rel=1e-14)
    np.testing.assert_allclose(trace["product"], np.cumprod(trace["mu"]), rtol=1e-12)
    np.testing.assert_array_equal(trace["mu_next"][:-1], trace["mu"][1:])


# A mean of nothing divides these, in the codes of their authors too.
NOT_A_NUMBER = {"adai", "fadam"}


def test_zero_gradients() -> None:
    for name in rules.names():
        if name not in VECTORS or name in NOT_A_NUMBER:
            continue
        moved = walked(rules.named(name), np.zeros((3, 2)), 0.0)["x"]
        np.testing.assert_array_equal(moved, 0.0, err_msg=name)
    assert np.isnan(walked(rules.adamax, [0.0], eps=0.0)["x"][0])


def test_lamb_trusts_fully_where_a_norm_is_zero() -> None:
    assert walked(rules.lamb, [[1.0, 2.0]], 0.0)["trust"][0, 0] == 1.0
    assert walked(rules.lamb, [[0.0, 0.0]], 3.0, weight_decay=0.0)["trust"][0, 0] == 1.0


def test_lamb_steps_by_the_learning_rate_relative_to_the_tensor() -> None:
    gradients = np.random.default_rng(5).normal(size=(20, 6))
    x = np.concatenate([np.ones((1, 6)), walked(rules.lamb, gradients, 1.0, lr=0.01)["x"]])
    relative = np.linalg.norm(np.diff(x, axis=0), axis=1) / np.linalg.norm(x[:-1], axis=1)
    np.testing.assert_allclose(relative, 0.01, rtol=1e-12)


def test_centered_rmsprop_stays_finite_where_rounding_makes_the_variance_negative() -> None:
    trace = walked(rules.rmsprop_centered, np.full((600, 2), [7.0, 9.99]))
    assert np.all(np.min(trace["v"] - trace["m"] ** 2, axis=0) < 0)
    assert np.all(np.isfinite(trace["x"]))
