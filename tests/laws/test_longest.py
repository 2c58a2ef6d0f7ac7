"""The longest step there is: known numbers, gradients that reach it, and reasons where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import mhat.rules as library
from mhat.errors import BadValue
from mhat.language import Rule, Tree, of_tree, rule
from mhat.laws import LongestStep, NoLongestStep, bound, examined_of, laws, longest_step, run_of
from mhat.laws.proofs.proof import NoProof
from mhat.printers.python import expression_text
from tests.strategies import rules


def found_for(made: Rule, **knobs: float) -> LongestStep:
    found = longest_step(made, knobs)
    assert isinstance(found, LongestStep), found
    return found


def why_not(made: Rule, **knobs: float) -> str:
    found = longest_step(made, knobs)
    assert isinstance(found, NoLongestStep), found
    return found.reason


@pytest.mark.parametrize(
    ("beta1", "beta2", "known"),
    [(0.9, 0.999, 7.2703), (0.9, 0.95, 1.165), (0.9, 0.98, 1.698), (0.9, 0.99, 2.345), (0.9, 0.9, 1.0), (0, 0.99, 10)],
)
def test_known_bounds_of_adam(beta1: float, beta2: float, known: float) -> None:
    assert found_for(library.adam, beta1=beta1, beta2=beta2).value == pytest.approx(known, abs=5e-4)
    assert bound(library.adam, {"beta1": beta1, "beta2": beta2}) == pytest.approx(known, abs=5e-4)


@pytest.mark.parametrize(("step", "known"), [(1, 1.0), (10, 1.0431), (100, 2.2434), (1000, 5.78)])
def test_how_it_grows(step: int, known: float) -> None:
    assert found_for(library.adam).at(step) == pytest.approx(known, abs=1.5e-3)


@pytest.mark.parametrize(
    ("name", "value", "formula", "growth"),
    [
        ("adam", 7.2703, "(1 - beta1) / sqrt((1 - beta2) * (1 - beta1**2 / beta2))", 1.11),
        ("adamw", 7.2703, "(1 - beta1) / sqrt((1 - beta2) * (1 - beta1**2 / beta2))", 1.11),
        ("adamax", 1.00909, "(1 - beta1) / (1 - beta1 / beta2)", 0.999),
        ("rmsprop", 3.1623, "1 / sqrt(1 - rho)", None),
        ("adagrad", 1.0, "1", None),
        ("signsgd", 1.0, "1", None),
        ("amsgrad", 7.2703, "", 1.11),
        ("nadam", 14.6057, "", 2.3433),
        ("qhadam", 9.6677, "", 87.0629),
    ],
)
def test_the_longest_step_is_derived_from_the_tree(name: str, value: float, formula: str, growth: float | None) -> None:
    found = found_for(getattr(library, name))
    assert found.value == pytest.approx(value, rel=1e-4)
    assert (expression_text(found.formula) if found.formula else "") == formula
    assert found.growth == (growth and pytest.approx(growth, rel=1e-4))


@pytest.mark.parametrize("name", ["adam", "adamax", "rmsprop", "amsgrad", "nadam", "qhadam", "lion", "tiger"])
def test_gradients_reach_it_and_none_exceed_it(name: str) -> None:
    made: Rule = getattr(library, name)
    found, steps = found_for(made), 60
    assert found.reached
    knobs = {**made.knobs, "weight_decay": 0.0} if "weight_decay" in made.knobs else dict(made.knobs)
    # Far beyond eps, and with other streams beside them.
    noise = np.random.Generator(np.random.PCG64(3)).standard_normal((steps, 40))
    streams = 1e8 * np.concatenate([np.array(found.gradients(steps))[:, None], noise, np.cumsum(noise, axis=0)], axis=1)
    steps_taken = np.abs(np.diff(run_of(made)(streams, 0.0, knobs), axis=0, prepend=0.0)) / made.knobs["lr"]
    assert steps_taken[-1, 0] == pytest.approx(found.at(steps), rel=1e-6)
    assert steps_taken.max() <= found.value * (1 + 1e-9)


def test_without_correction_the_first_steps_are_long() -> None:
    uncorrected = rule(
        "def it(x, g, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\n"
        "    m = beta1 * m + (1 - beta1) * g\n"
        "    v = beta2 * v + (1 - beta2) * g * g\n"
        "    return x - lr * m / (sqrt(v) + eps)\n"
    )
    found = found_for(uncorrected)
    assert found.at(1) == pytest.approx(3.1623, abs=1e-4)
    assert found.value == pytest.approx(7.2703, abs=1e-4)


def test_it_does_not_ask_what_knobs_are_called() -> None:
    renamed = rule(
        "def it(x, g, t, p=0, q=0, *, rate=0.5, a=0.9, b=0.99):\n"
        "    q = q + (1 - b) * (g**2 - q)\n"
        "    p = p - (p - g) * (1 - a)\n"
        "    return x - rate * (p / (1 - a**t)) / sqrt(q / (1 - b**t))\n"
    )
    assert found_for(renamed).value == pytest.approx(0.5 * 2.3452, abs=1e-4)


def test_what_has_none_says_why() -> None:
    assert why_not(library.sgd) == "its step grows with the gradient: twice the gradient, twice the step"
    assert why_not(library.rmsprop_centered) == "it squares a sum of several gradients"
    assert why_not(library.lamb) == ("`norm` lets coordinates meet, and a step may be as long as another makes it")
    assert why_not(library.adam, beta2=0.5) == (
        "it has no bound: the older a gradient, the more it weighs above than below"
    )
    assert why_not(library.adopt) == "it has a bound at every step, and the bound grows from step to step"
    matrix = rule("def it(x, g, *, lr=0.1):\n u = orthogonal(g)\n return x - lr * u")
    assert "lets coordinates meet" in why_not(matrix)
    assert np.isinf(bound(library.sgd))


def test_a_rule_that_changes_later_is_not_called_bounded() -> None:
    """Guards against a bound that was looked at for some steps only, and called proved for all."""
    later = rule("def it(x, g, t, *, lr=0.1):\n return x - lr * (g if t == 80 else sign(g))")
    found = found_for(later)
    assert found.value == 1.0 and np.isinf(found.at(80)) and not found.followed
    # NAdam's schedule makes its longest steps neither at the start nor far from it.
    assert found_for(library.nadam).first == 2000 and not found_for(library.nadam).followed
    assert found_for(library.adam).followed and found_for(library.adam).first is None
    law = next(law for law in laws() if law.name == "step bound")
    attempt = law.proof(examined_of(later))
    assert isinstance(attempt, NoProof)
    assert attempt.reason == ("its weights change from step to step, and were only looked at, not followed to the end")


def test_a_state_that_counts_is_looked_at_like_t() -> None:
    """Guards against a bound that a later step exceeds, where it is a state and not `t` that counts."""
    made = rule(
        "def it(x, g, c=0, *, lr=0.1):\n c = c + 1\n u = sign(g) * minimum(maximum(1, c - 300), 9)\n return x - lr * u"
    )
    found = longest_step(made)
    assert isinstance(found, NoLongestStep) or (found.value == pytest.approx(9) and not found.followed)


def test_the_limit_of_a_decaying_maximum() -> None:
    """Guards against weights of a maximum that are summed up as if they were squares."""
    assert found_for(library.adamax, beta1=0.99).limit == pytest.approx(0.01 / (1 - 0.99 / 0.999), rel=1e-9)


@pytest.mark.parametrize("lr", [1e300, 1e-320, np.inf])
def test_learning_rates_beyond_doubles(lr: float) -> None:
    """Guards against an overflow that is told as a rule without a bound."""
    assert why_not(library.signsgd, lr=lr) == "with this learning rate it is beyond what doubles can tell"


def test_a_step_before_the_first_is_refused() -> None:
    with pytest.raises(BadValue, match="step=0 is before the first step"):
        found_for(library.adam).at(0)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules(max_lines=4, depth=2))
def test_random_rules_have_a_longest_step_or_a_reason(tree: Tree) -> None:
    found = longest_step(of_tree(tree))
    assert found.value >= 0 if isinstance(found, LongestStep) else found.reason
