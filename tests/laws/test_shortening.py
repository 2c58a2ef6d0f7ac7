"""A rule with a knob at zero becomes the shorter rule that one would write."""

from __future__ import annotations

import numpy as np
import pytest

from mhat import laws, rules
from mhat.language import rule
from mhat.laws.shortening import forgettable, shortened
from tests.choices import VECTORS

NOISE = np.random.default_rng(4).standard_normal((30, 3))

ADAM_WITHOUT_BETA1 = rule("""
def adam(x, g, t, v=0, *, lr=1e-3, beta2=0.999, eps=1e-8):
    m = g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
""")
ADAM_WITHOUT_BETA2 = rule("""
def adam(x, g, t, m=0, *, lr=1e-3, beta1=0.9, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
""")


def test_adam_without_a_moment() -> None:
    assert shortened(rules.adam, "beta1").tree == ADAM_WITHOUT_BETA1.tree
    assert shortened(rules.adam, "beta2").tree == ADAM_WITHOUT_BETA2.tree


def test_momentum_without_memory_is_sgd_and_nothing_idle_is_left() -> None:
    short = shortened(rules.momentum, "momentum")
    assert short.tree.states == ()
    assert list(short.knobs) == ["lr"]
    idle = rule("def f(x, g, m=0, *, lr=1, beta1=0.9):\n    u = m * 2\n    m = g\n    return x - lr * g - beta1 * u")
    assert [line.targets for line in shortened(idle, "beta1").tree.body] == []
    assert shortened(idle, "beta1").tree.states == ()


def test_a_state_that_is_read_after_all_stays() -> None:
    assert list(forgettable(rules.lion)) == []
    assert [state.name for state in shortened(rules.lion, "beta2").tree.states] == ["m"]


@pytest.mark.parametrize("name", VECTORS)
def test_what_can_be_forgotten_gives_the_same_numbers(name: str) -> None:
    whole = rules.named(name)
    for knob in forgettable(whole):
        short = shortened(whole, knob)
        assert len(short.tree.states) < len(whole.tree.states)
        ours = laws.run_of(short)(NOISE, 0.5, dict(short.knobs))
        theirs = laws.run_of(whole)(NOISE, 0.5, {**whole.knobs, knob: 0.0})
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def test_which_knobs_can_be_forgotten() -> None:
    assert list(forgettable(rules.adam)) == ["beta1", "beta2"]
    assert list(forgettable(rules.rmsprop_centered)) == ["rho"]
    assert list(forgettable(rules.sgd)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0 + g", "g"), ("beta1 * g + g", "g"), ("g + g * beta1", "g"), ("(1 - beta1) * g", "g"),
        ("g * (1 - beta1)", "g"), ("g / (1 - beta1**t)", "g"), ("beta1 / g + g", "g"), ("g - beta1", "g"),
        ("g ** beta1", "g ** 0"), ("beta1 - g", "0 - g"),
    ],
)  # fmt: skip
def test_what_is_simpler(before: str, after: str) -> None:
    short = shortened(rule(f"def f(x, g, t, *, beta1=0.9):\n    return {before}"), "beta1")
    assert short.tree.result == rule(f"def f(x, g, t):\n    return {after}").tree.result
