"""Every modifier: the text it makes, what it equals, what it refuses, and how it composes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mhat
from mhat import modifiers, rules
from mhat.errors import BadValue, MhatError, UnknownName
from mhat.language import Level, Rule, rule
from mhat.names import find_rule
from mhat.printers.python import rule_text
from tests.rules.walks import walked

GRADIENTS = np.random.default_rng(5).normal(size=(40, 3)) * [1.0, 0.1, 3.0]
MATRICES = np.random.default_rng(6).normal(size=(12, 4, 3))
EVERY = [name for name in modifiers.names() if name != "scheduled"]


def moved(made: Rule, gradients: Any = GRADIENTS, start: float = 0.5, **knobs: float) -> Any:
    return walked(made, gradients, start, **knobs)["x"]


def on_matrices(made: Rule, **knobs: float) -> Any:
    x, state, record = np.full(MATRICES.shape[1:], 0.5), None, []
    for step, gradient in enumerate(MATRICES, 1):
        x, state, _ = mhat.step(made, x, gradient, step, state, **knobs)
        record.append(x)
    return np.array(record)


@pytest.mark.parametrize("modifier", EVERY)
def test_printed_and_parsed_again_it_is_the_same_rule(modifier: str) -> None:
    made_of_some = 0
    for name in rules.names():
        try:
            made = modifiers.named(modifier)(rules.named(name))
        except BadValue as refusal:
            assert refusal.cure
            continue
        made_of_some += 1
        assert rule(rule_text(made)) == made
        assert made.name == f"{modifier}_{name}"
        assert rules.named(name).doc in made.doc
    assert made_of_some >= 20


@pytest.mark.parametrize("modifier", [*EVERY, "clipped(cautious", "lookahead(decoupled_decay", "warmed_up(nesterov"])
def test_it_runs_and_moves_otherwise(modifier: str) -> None:
    made = find_rule(f"{modifier}(adam)" + ")" * modifier.count("("))
    ours = on_matrices(made) if made.level is Level.MATRIX else moved(made, 1e3 * GRADIENTS)
    assert np.all(np.isfinite(ours))
    plain = on_matrices(rules.adam) if made.level is Level.MATRIX else moved(rules.adam, 1e3 * GRADIENTS)
    # Averages, lazy rows and outliers leave such gradients alone.
    alike = {"averaged", "lazy", "skip_outliers", "coupled_decay", "clipped_value", "stable"}
    assert modifier in alike or not np.array_equal(ours, plain)


SAME_TREE = [
    ("decoupled_decay", "adam", "adamw"),
    ("decoupled_decay", "nadam", "nadamw"),
    ("decoupled_decay", "radam", "radamw"),
    ("decoupled_decay", "momentum", "sgdw"),
]
SAME_PATH = [
    ("coupled_decay", "adam", "adam_l2"),
    ("amsgrad", "adam", "amsgrad"),
    ("nesterov", "momentum", "nesterov"),
    ("signed", "sgd", "signsgd"),
]


@pytest.mark.parametrize("modifier, name, other", SAME_TREE)
def test_it_is_a_rule_of_the_library(modifier: str, name: str, other: str) -> None:
    made, known = modifiers.named(modifier)(rules.named(name)), rules.named(other)
    assert (made.tree.states, made.tree.body, made.tree.result) == (
        known.tree.states,
        known.tree.body,
        known.tree.result,
    )


@pytest.mark.parametrize("modifier, name, other", SAME_PATH)
def test_it_moves_as_a_rule_of_the_library(modifier: str, name: str, other: str) -> None:
    made, known = modifiers.named(modifier)(rules.named(name)), rules.named(other)
    shared = {knob: made.knobs[knob] for knob in made.knobs if knob in known.knobs}
    assert np.array_equal(moved(made, **shared), moved(known, **shared))


def adam_steps(gradients: Any) -> Any:
    return -np.diff(moved(rules.adam, gradients, 0.0, lr=1.0), axis=0, prepend=0)


def test_cautious_steps_where_the_gradient_agrees() -> None:
    ratios = adam_steps(GRADIENTS)
    agreed = ratios * GRADIENTS > 0
    steps = ratios * agreed / np.maximum(agreed.mean(axis=1, keepdims=True), 1e-3)
    decayed = np.array([0.5, 0.5, 0.5])
    for step, ours in zip(steps, moved(modifiers.cautious(rules.adamw), lr=0.1, weight_decay=0.2), strict=True):
        decayed = decayed - 0.1 * (step + 0.2 * decayed)
        np.testing.assert_allclose(ours, decayed, rtol=1e-12)


def test_lookahead_goes_back_part_of_the_way() -> None:
    slow = fast = np.full(3, 0.5)
    for step, (gradient, ours) in enumerate(
        zip(GRADIENTS, moved(modifiers.lookahead(rules.sgd), lr=0.1, alpha=0.3, every=4), strict=True), 1
    ):
        fast = fast - 0.1 * gradient
        if step % 4 == 0:
            slow = fast = slow + 0.3 * (fast - slow)
        np.testing.assert_allclose(ours, fast, rtol=1e-12)


def test_an_average_is_evaluated_and_changes_no_step() -> None:
    made = modifiers.averaged(rules.sgd)
    walk = walked(made, GRADIENTS, 0.5, keep=0.8)
    assert np.array_equal(walk["x"], moved(rules.sgd))
    average = np.full(3, 0.5)
    for x, ours in zip(walk["x"], walk["x_eval"], strict=True):
        average = 0.8 * average + 0.2 * x
        np.testing.assert_allclose(ours, average, rtol=1e-12)
    with pytest.raises(BadValue, match="parameters for evaluation already"):
        modifiers.averaged(rules.schedule_free)


def test_hyperball_keeps_the_length() -> None:
    path = moved(modifiers.hyperball(rules.adam), lr=0.1)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 0.5 * 3**0.5, rtol=1e-12)
    assert np.array_equal(moved(modifiers.hyperball(rules.sgd), np.zeros((2, 3))), np.full((2, 3), 0.5))


def test_stable_bounds_the_root_mean_square() -> None:
    steps = -np.diff(moved(modifiers.stable(rules.sgd), GRADIENTS, 0.0, lr=1.0, limit=0.5), axis=0, prepend=0)
    sizes, plain = (np.sqrt((each**2).mean(axis=1)) for each in (steps, GRADIENTS))
    np.testing.assert_allclose(sizes, np.minimum(plain, 0.5), rtol=1e-12)


def test_rows_without_a_gradient_stay_with_their_states() -> None:
    made = modifiers.lazy(rules.adam)
    x, state = np.full((3, 2), 0.5), None
    first = np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]])
    x, state, _ = mhat.step(made, x, first, 1, state)
    assert x[1].tolist() == [0.5, 0.5]
    assert x[2, 1] == 0.5
    kept = {name: value[0].copy() for name, value in state.items()}
    x, state, _ = mhat.step(made, x, np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), 2, state)
    assert {name: value[0].tolist() for name, value in state.items()} == {k: v.tolist() for k, v in kept.items()}


def test_an_outlier_is_left_out_and_not_remembered() -> None:
    gradients = 1 + 0.1 * np.random.default_rng(3).normal(size=(60, 2))
    spiked = gradients.copy()
    spiked[30] = 1e6
    made = modifiers.skip_outliers(rules.momentum)
    path = moved(made, spiked)
    assert np.array_equal(path[30], path[29])
    without = moved(rules.momentum, np.delete(gradients, 30, axis=0))
    np.testing.assert_allclose(np.delete(path, 30, axis=0), without, rtol=1e-12)


def test_clipping_by_value_by_tensor_and_by_unit() -> None:
    value = moved(modifiers.clipped_value(rules.sgd), start=0.0, lr=1.0, max_value=0.5)
    np.testing.assert_allclose(value, -np.cumsum(np.clip(GRADIENTS, -0.5, 0.5), axis=0), rtol=1e-12, atol=1e-15)
    norms = np.linalg.norm(GRADIENTS, axis=1, keepdims=True)
    tensor = moved(modifiers.clipped_tensor(rules.sgd), start=0.0, lr=1.0, max_norm=0.5)
    expected = -np.cumsum(GRADIENTS * np.minimum(1, 0.5 / (norms + 1e-6)), axis=0)
    np.testing.assert_allclose(tensor, expected, rtol=1e-12)
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    step = mhat.step(modifiers.clipped_units(rules.sgd), x, np.array([[6.0, 8.0], [1.0, 0.0]]), 1, lr=1.0)
    np.testing.assert_allclose(step.x, x - np.array([[0.03, 0.04], [1e-5, 0.0]]), rtol=1e-12)


def test_centralised_rows_keep_their_sum() -> None:
    path = on_matrices(modifiers.centralised(rules.sgd))
    np.testing.assert_allclose(path.sum(axis=2), 1.5, rtol=1e-12)


def test_schedules() -> None:
    warm = moved(modifiers.warmed_up(rules.sgd), start=0.0, lr=0.1, warmup=10)
    rates = 0.1 * np.minimum(1, np.arange(1, 41) / 10)[:, None]
    np.testing.assert_allclose(warm, -np.cumsum(rates * GRADIENTS, axis=0), rtol=1e-12)
    falling = find_rule("scheduled(clipped(sgd), lr=lr / sqrt(t), max_norm=max_norm * 2)")
    assert "lr_t = lr / sqrt(t)" in rule_text(falling)
    assert falling.name == "scheduled_clipped_sgd"


@pytest.mark.parametrize("name", ["adan", "adopt", "novograd"])
@pytest.mark.parametrize("modifier", ["coupled_decay", "clipped_value", "clipped_tensor"])
def test_a_start_that_reads_the_first_gradient_reads_the_changed_one(modifier: str, name: str) -> None:
    plain = rules.named(name)
    if "weight_decay" in plain.knobs and modifier == "coupled_decay":
        return
    made = modifiers.named(modifier)(plain)
    knobs = {"max_value": 0.2} if modifier == "clipped_value" else {"max_norm": 0.2} if "tensor" in modifier else {}
    norms = np.linalg.norm(GRADIENTS, axis=1, keepdims=True)
    seen = (
        np.clip(GRADIENTS, -0.2, 0.2)
        if modifier == "clipped_value"
        else GRADIENTS * np.minimum(1, 0.2 / (norms + 1e-6))
    )
    if modifier != "coupled_decay":
        np.testing.assert_allclose(moved(made, **knobs), moved(plain, seen), rtol=1e-9)


REFUSED: list[tuple[str, type[MhatError], str]] = [
    ("decoupled_decay(a2grad)", BadValue,
     "a2grad has no knob `lr`, which scales a decoupled decay\nGive it a learning rate."),
    ("signed(adamod)", BadValue,
     "adamod does not end in `x - lr * ratio`, and signed changes what lr is a factor of\n"
     "Write the result as `x - lr * ratio`."),
    ("hyperball(adamw)", BadValue,
     "adamw decays, and hyperball keeps every length\nGive it a rule without the decay."),
    ("nesterov(sgd)", BadValue,
     "sgd has no average of its gradients to look ahead along\nGive a rule with momentum."),
    ("amsgrad(sgd)", BadValue, "sgd has no second moment, a state made of `g**2`\nGive a rule that has one."),
    ("coupled_decay(adamw)", BadValue,
     "coupled_decay adds the knob `weight_decay`, and adamw has a knob of that name\n"
     "Rename it in adamw, or leave coupled_decay out."),
    ("cautious(adam, lr=2)", BadValue,
     "cautious takes a rule and nothing else, not `lr=2`\nA knob is set with -k."),
    ("scheduled(adam)", BadValue,
     'scheduled was given no schedule\nSay how a knob goes: scheduled(rule, lr="lr / sqrt(t)").'),
    ("scheduled(adam, lr)", BadValue,
     "`lr` is no schedule\nWrite KNOB=EXPRESSION: scheduled(adam, lr=lr / sqrt(t))."),
    ("scheduled(adam, lr=lr * g)", BadValue,
     "the schedule of lr reads `g`\nA schedule is made of t, knobs and numbers."),
    ("cautous(adam)", UnknownName, "there is no modifier `cautous`\nDid you mean `cautious`?"),
]  # fmt: skip


@pytest.mark.parametrize("typed, kind, message", REFUSED, ids=[typed for typed, _, _ in REFUSED])
def test_what_is_refused(typed: str, kind: type[MhatError], message: str) -> None:
    with pytest.raises(kind) as error:
        find_rule(typed)
    assert str(error.value) == message
