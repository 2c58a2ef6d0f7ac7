"""Whatever two rules stand beside each other, an argument is made; it is short, and says what is so."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings

import mhat
from mhat.explanations.consequences import argue
from mhat.explanations.consequences.argument import MOST
from mhat.explanations.evidence import seen_again
from mhat.language import of_tree, rule
from mhat.language.tree import Tree
from mhat.rules import adabelief
from tests.explanations.consequences.classics import changed
from tests.strategies import rules

ANY = rules(mixed=True, matrices=False, over_all=True, depth=2)
MATRICES = rules(matrices=True, depth=2)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(right=ANY, wrong=ANY)
def test_random_rules_beside_each_other(right: Tree, wrong: Tree) -> None:
    claims = argue(of_tree(right), of_tree(wrong))
    assert len(claims) <= MOST
    assert all(claim.sentence and "nan" not in claim.sentence.split() for claim in claims)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(right=MATRICES, wrong=MATRICES)
def test_random_rules_per_matrix(right: Tree, wrong: Tree) -> None:
    assert len(argue(of_tree(right), of_tree(wrong))) <= MOST


@pytest.mark.parametrize(
    "knobs",
    [
        {"beta1": 0.0},
        {"beta2": 0.0},
        {"eps": 0.0},
        {"lr": 0.0},
        {"beta1": 1.0, "beta2": 1.0},
        {"lr": math.inf},
        {"eps": math.inf},
        {"beta1": 0.0, "beta2": 0.0, "eps": 0.0, "lr": 0.0},
    ],
)
def test_knobs_at_their_limits(knobs: dict[str, float]) -> None:
    right, wrong = changed("adam", ("beta1**t", "beta1"))
    claims = argue(right, wrong, knobs)
    assert claims and len(claims) <= MOST


def test_what_is_not_finite_is_said_so() -> None:
    told = [claim.sentence for claim in argue(*changed("adam", ("**t", "**(t - 1)")))]
    assert any("x is not a number from step 1 on: `m_hat` is the first to go" in sentence for sentence in told)
    right, wrong = changed("momentum", ("momentum * velocity", "3 * velocity"))
    told = [claim.sentence for claim in argue(right, wrong)]
    assert any("x is minus infinity from step" in sentence for sentence in told)


def test_the_names_are_those_of_the_rule_that_is_wrong() -> None:
    mine = rule(
        "def mine(x, g, t, mom=0, var=0, *, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):\n"
        "    mom = b1 * mom + (1 - b1) * g\n"
        "    var = b2 * var + (1 - b1) * g**2\n"
        "    mh = mom / (1 - b1**t)\n"
        "    vh = var / (1 - b2**t)\n"
        "    return x - lr * (mh / (sqrt(vh) + eps))\n"
    )
    told = [claim.sentence for claim in argue(mhat.rules.adam, mine)]
    assert told[0] == "`var` takes in 100 times as much a step as it should: 1 - b1, not 1 - b2."
    assert any("every step is 0.1 times as long as it should be, sqrt(1 - b2) / sqrt(1 - b1)" in each for each in told)


def test_a_knob_that_is_set_is_what_is_spoken_of() -> None:
    right, wrong = changed("adam", ("(1 - beta2) * g", "(1 - beta1) * g"))
    claims = argue(right, wrong, {"beta1": 0.5, "beta2": 0.75, "lr": 0.1})
    assert claims[0].sentence == "`v` takes in twice as much a step as it should: 1 - beta1, not 1 - beta2."
    assert any("lr = 0.07071 would do the same" in claim.sentence for claim in claims)
    assert all(map(seen_again, claims))


def test_coordinates_that_hang_together_and_tensors_that_do() -> None:
    right, wrong = changed("rmsprop", ("g**2", "mean(g)**2"))
    told = " ".join(claim.sentence for claim in argue(right, wrong))
    assert "Beside a coordinate with gradients 1000 times as large a step is" in told
    right, wrong = changed("adam", ("beta1**t", "beta1**(3 * (t - 1) + k)"), ("(x, g, t,", "(x, g, t, k,"))
    told = " ".join(claim.sentence for claim in argue(right, wrong))
    assert (
        "In a model of three tensors, with gradients of 10, -100 and 1000, the first step of the third one is" in told
    )


def test_what_changes_nothing_is_said_to_change_nothing() -> None:
    right, wrong = changed("adam", ("sqrt(v_hat)", "sqrt(abs(v_hat))"))
    told = [claim.sentence for claim in argue(right, wrong)]
    assert told[-1].endswith("streams of 1000 steps the two do the same.")


def test_what_sees_no_gradient_is_no_namesake_of_what_does() -> None:
    """Of a right rule of other names it was said that `share` is 1 - p**t where b / (1 - q**t) is right."""
    own = rule("""
def mine(x, g, t, a=0, b=0, *, lr=1e-3, p=0.9, q=0.999, eps=1e-8):
    share = 1 - p**t
    a = p * a + (1 - p) * g
    b = q * b + (1 - q) * (g - a)**2
    up = a / share
    down = sqrt(b / (1 - q**t)) + eps
    return x - lr * up / down
""")
    told = [claim.sentence for claim in argue(adabelief, own)]
    assert "`b` is fed (1 - q) * (g - a)**2 where (1 - q) * (g - a)**2 + eps is right." in told
    assert not any("`share`" in sentence or "`down`" in sentence for sentence in told)
