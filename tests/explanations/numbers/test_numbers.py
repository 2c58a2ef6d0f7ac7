"""The numbers of any rule: their evidence is seen again, limits of knobs and random rules break nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mhat import rules
from mhat.explanations.claims import Claim, Number
from mhat.explanations.evidence import seen_again
from mhat.explanations.numbers import longest, noise, numbers_of, stability
from mhat.explanations.numbers.parts import parts_of
from mhat.explanations.runs import Setting
from mhat.language import of_tree, rule
from tests.strategies import rules as random_rules

MINE = rule("""
def mine(x, g, t, first=0, second=0, *, rate=0.01, keep=0.8, hold=0.99, tiny=1e-6):
    first = first + (1 - keep) * (g - first)
    second = hold * second + (1 - hold) * g * g
    return x - rate * (first / (1 - keep**t)) / (tiny + (second / (1 - hold**t)) ** 0.5)
""")


def claims(setting: Setting, *families: str) -> list[Claim]:
    return list(numbers_of(setting, *families))


def known(name: str) -> Setting:
    return Setting(rules.named(name), name)


def told(setting: Setting, *families: str) -> str:
    return "\n".join(claim.sentence for claim in claims(setting, *families))


@pytest.mark.parametrize("name", ["adam", "momentum", "lion"])
def test_every_number_is_seen_again(name: str) -> None:
    for claim in claims(Setting(rules.named(name), name)):
        assert seen_again(claim), claim.sentence


def test_a_rule_of_other_names_gets_the_same_answers() -> None:
    """Nothing is known by its name: the same structure under other names, in another spelling, has the same numbers."""
    families = ("noise", "stability", "longest")
    own = told(Setting(MINE, "", {"rate": 1e-3, "keep": 0.9, "hold": 0.999, "tiny": 1e-8}), *families)
    known = told(Setting(rules.named("adam"), "adam"), *families)
    assert own.replace("rate", "lr").replace("first", "m") == known


def test_sentences_of_adam() -> None:
    text = told(Setting(rules.named("adam"), "adam"))
    for part in (
        "over about the last 1000 steps: without new ones half of it is left after 692.8 steps",
        "0.2294 lr long in the root mean square",
        "above 38 / lr = 38000", "No step is longer than 7.270 lr", "8 bytes in float32, 4 in bfloat16",
        "without `t` it is 0.3976 lr", "`eps` = 1e-8 is added to `sqrt(v_hat)`", "In float16 `eps` = 1e-8 rounds to 0",
        "moves x by 9.802 lr each time", "lr=2e-3, beta1=0.6, beta2=0.996 and eps=5e-9",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("knobs", [{"beta1": 0.0}, {"eps": 0.0}, {"lr": 0.0}, {"beta1": 0.0, "beta2": 0.0, "eps": 0.0}])
def test_knobs_at_their_limits(knobs: dict[str, float]) -> None:
    families = ("past", "floors", "noise", "stability", "resuming", "dtypes", "batches")
    for claim in claims(Setting(rules.named("adam"), "adam", knobs), *families):
        assert "nan" not in claim.sentence.replace("not a number", ""), claim.sentence


def test_no_floor_is_said_with_what_it_does() -> None:
    bare = rule("def bare(x, g, v=0, *, lr=0.1):\n    v = 0.5 * v + 0.5 * g**2\n    return x - lr * g / sqrt(v)")
    assert "at a gradient of zero its first step is not a number" in told(Setting(bare), "floors")
    assert "eps` = 0 is added" in told(Setting(rules.named("adam"), "adam", {"eps": 0.0}), "floors")


@settings(max_examples=10, deadline=None)
@given(st.floats(0.05, 0.98), st.floats(0.1, 0.9995), st.floats(1e-4, 1.0))
def test_formulas_hold_at_any_knobs(beta1: float, beta2: float, lr: float) -> None:
    """What is seen in walks, against the closed forms: weights, threshold, typical step, longest step."""
    adam = parts_of(Setting(rules.named("adam"), "adam", {"beta1": beta1, "beta2": beta2, "lr": lr}))
    assert adam.kernel is not None
    assert adam.kernel[:5] == pytest.approx([(1 - beta1) * beta1**k for k in range(5)], rel=1e-9)
    assert stability.threshold(adam) == pytest.approx((2 + 2 * beta1) / ((1 - beta1) * lr), rel=1e-6)
    assert noise.expected_step(adam) == pytest.approx(math.sqrt((1 - beta1) / (1 + beta1)), rel=1e-5)
    if beta1**2 < 0.9 * beta2:
        bound = (1 - beta1) / math.sqrt((1 - beta2) * (1 - beta1**2 / beta2))
        assert longest.longest_at(adam) == pytest.approx(max(bound, 1.0), rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.05, 0.98), st.floats(1e-3, 1.0))
def test_formulas_of_sums_hold_at_any_knobs(momentum: float, lr: float) -> None:
    heavy = parts_of(Setting(rules.named("momentum"), "momentum", {"momentum": momentum, "lr": lr}))
    assert stability.threshold(heavy) == pytest.approx((2 + 2 * momentum) / lr, rel=1e-6)
    assert noise.expected_step(heavy) == pytest.approx(1 / math.sqrt(1 - momentum**2), rel=1e-6)
    assert heavy.answers is not None
    assert heavy.answers[0] == pytest.approx(1 / (1 - momentum), rel=1e-6)


def test_where_no_longest_step_is_known_it_says_why() -> None:
    assert "No longest step is known: its step grows with the gradient" in told(known("momentum"), "longest")
    assert "at step 2000 a step can be 14.61 lr long, in the end 8.415 lr" in told(known("nadam"), "longest")


STORED_BACK = """
def stored_back(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    return x - lr * m / (sqrt(v) + eps)
"""


def test_of_shares_that_change_nothing_settled_is_said() -> None:
    """Stored-back moments were told Adam's half-lives, its bound of 7.270 lr and its steepest bowl; none is so."""
    sentences = told(Setting(rule(STORED_BACK)))
    assert "What `v` keeps of itself changes from step to step, `beta2 / (1 - beta2**t)`: 999 at step 1" in sentences
    assert "No longest step is known: what `m` keeps of itself changes from step to step." in sentences
    for wrong in ("half of it is left", "7.270", "swings wider", "both are alike", "batch"):
        assert wrong not in sentences


def test_the_longest_step_of_adamw_is_that_beside_its_decay() -> None:
    """Decay moves x as far as x is large: no step is longer only beside it."""
    assert "Beside the decay of x no step is longer than 7.270 lr" in told(known("adamw"), "longest")
    assert "No step is longer than 7.270 lr" in told(known("adam"), "longest")


def test_no_bound_is_claimed_of_steps_that_were_not_looked_at() -> None:
    """Guards against a bound that step 104 exceeds, where step 100 was the longest that was looked at."""
    nadam = Setting(rules.named("nadam"), "nadam", {"beta1": 0.95, "beta2": 0.95})
    assert "No step that was looked at is longer than 2.459 lr" in told(nadam, "longest")


def test_zero_over_zero_is_said() -> None:
    adam = Setting(rules.named("adam"), "adam", {"beta1": 0.0, "beta2": 0.0, "eps": 0.0})
    assert "Where gradients come rarely it divides zero by zero" in told(adam, "rarity")


def test_an_idle_step_moves_nothing_or_it_is_said() -> None:
    """With no gradient and a learning rate of zero AdamW rests; a decay that the rate does not scale goes on."""
    assert "With lr = 0 and no gradient nothing moves" in told(Setting(rules.named("adamw"), "adamw"), "resuming")
    decaying = rule("def f(x, g, *, lr=0.1, weight_decay=0.01):\n    return x * (1 - weight_decay) - lr * g")
    assert "x still moves, from 1 to 0.9044 in 10 steps" in told(Setting(decaying), "resuming")


def test_equilibrium_of_the_weights_is_measured() -> None:
    setting = Setting(rules.named("adamw"), "adamw", {"lr": 0.05, "weight_decay": 0.2})
    ends, turns = (
        claim for claim in claims(setting, "noise") if "end at" in claim.sentence or "turns" in claim.sentence
    )
    b, c = 0.9, 0.99
    square = 0.05**2 * (1 - b) ** 2 * (1 + b * c) / ((1 - b * c) * (1 - b**2) * (1 - c**2))
    assert isinstance(ends.evidence, Number) and math.isclose(ends.evidence.value, math.sqrt(square), rel_tol=1e-3)
    assert "weights end at 0.3387" in ends.sentence and seen_again(ends)
    assert "turns the weights by 0.03387 of their size" in turns.sentence


def test_a_rule_that_reads_no_gradient() -> None:
    blind = rule("def blind(x, t, *, lr=0.1):\n    return x - lr * t")
    assert claims(Setting(blind))
    assert "It remembers no gradient" in told(Setting(blind), "past")


@settings(max_examples=4, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.floats(0, 0.99), st.floats(0.01, 0.9995), st.sampled_from([1e-12, 1e-8, 1e-3]))
def test_the_typical_step_is_measured_at_any_knobs(beta1: float, beta2: float, eps: float) -> None:
    """Where the derived number is said, the run agrees with it; else the measured one is said."""
    setting = Setting(rules.named("adam"), "adam", {"beta1": beta1, "beta2": beta2, "eps": eps})
    for claim in claims(setting, "noise"):
        assert isinstance(claim.evidence, Number)
        assert claim.evidence.measured is not None and claim.evidence.measured.value is not None
        assert math.isclose(claim.evidence.value, claim.evidence.measured.value, rel_tol=claim.evidence.relative)


@settings(
    max_examples=8, suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.explicit, Phase.generate]
)
@given(random_rules(over_all=False))
def test_random_rules_break_nothing(tree: Any) -> None:
    for claim in claims(Setting(of_tree(tree)), "past", "floors", "stability", "resuming", "dtypes", "memory"):
        assert claim.sentence and claim.as_dict()
