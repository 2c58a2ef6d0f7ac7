"""What families of edits make of a rule, line by line, as people write it. It knows no subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

import mhat
from mhat.language.tree import Tree
from mhat.mistakes import brackets, conditions, food, lines, numbered, truncated
from mhat.mistakes.slots import Edit, assembled
from mhat.printers import python

Family = Callable[[Tree], Iterable[Edit]]


def made(family: Family, rule: mhat.Rule) -> dict[str, str]:
    """Give every sentence of a family, and the text that it makes of the rule."""
    found = {}
    for edit in family(rule.tree):
        tree = assembled(rule.tree, dict(edit.changes))
        if tree is not None:
            found[edit.sentence] = python.rule_text(tree)
    return found


MADE: list[tuple[Family, str, str, str]] = [
    (brackets.bracketed, "adam", "in `m_hat` brackets are missing: `m / 1 - beta1**t`", "m_hat = m / 1 - beta1**t"),
    (
        brackets.bracketed, "adamw", "in the result brackets are missing: `x - lr * ratio + weight_decay * x`",
        "return x - lr * ratio + weight_decay * x",
    ),
    (
        brackets.bracketed, "adam", "in `v` brackets are one pair too many: `beta2 * v + ((1 - beta2) * g)**2`",
        "v = beta2 * v + ((1 - beta2) * g)**2",
    ),
    (food.fed, "adam", "`v` is fed with `m**2`, not with `g**2`", "v = beta2 * v + (1 - beta2) * m**2"),
    (food.fed, "adadelta", "`u` is fed with `g`, not with `ratio**2`", "u = rho * u + (1 - rho) * g"),
    (food.fed, "adamax", "`u` is fed with `abs(m)`, not with `abs(g) + eps`", "u = maximum(beta2 * u, abs(m))"),
    (food.fed, "momentum", "`velocity` is fed with `lr * g`, not with `g`", "velocity = momentum * velocity + lr * g"),
    (lines.stale, "nesterov", "in `ratio` `velocity` is still that of the step before",
     "ratio = g + momentum * velocity_old"),
    (truncated.truncated, "adam", "in `m_hat` `m // (1 - beta1**t)` stands where `m / (1 - beta1**t)` should",
     "m_hat = m // (1 - beta1**t)"),
    (truncated.truncated, "momentum", "in `velocity` `g` is rounded down to a whole number",
     "velocity = momentum * velocity + g // 1"),
    (conditions.changing, "adam", "`lr` is 0.5 times as large after step 6",
     "return x - where(t <= 6, lr, 0.5 * lr) * ratio"),
    (conditions.changing, "adamw", "`weight_decay` is 0 but at step 2, 4 ...",
     "return x - lr * (ratio + where(t % 2 == 0, weight_decay, 0) * x)"),
    (conditions.changing, "rmsprop", "`lr` is divided by a number that grows once in 5 steps",
     "return x - lr / (1 + (t - 1) // 5) * ratio"),
    (conditions.changing, "adam", "all states start anew once in 4 steps",
     "v = beta2 * where(t % 4 == 1, 0, v) + (1 - beta2) * g**2"),
    (numbered.numbered, "adam", "in `m_hat` the number 0.01 stands where `1 - beta1**t` should", "m_hat = m / 0.01"),
    (numbered.numbered, "adam", "in `v_hat` `beta2**100` stands where `beta2**t` should",
     "v_hat = v / (1 - beta2**100)"),
    (numbered.numbered, "momentum", "`velocity` is clipped to 1 where x is moved",
     "return x - lr * clip(velocity, -1, 1)"),
    (numbered.numbered, "adagrad", "`v` is multiplied by 0.9", "v = 0.9 * v + g**2"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "name", "sentence", "line"), MADE, ids=[case[2][:60] for case in MADE])
def test_a_family_makes_the_line_that_people_write(family: Family, name: str, sentence: str, line: str) -> None:
    found = made(family, mhat.rules.named(name))
    assert sentence in found
    assert line in [each.strip() for each in found[sentence].splitlines()]


@pytest.mark.parametrize("family", [brackets.bracketed, food.fed, truncated.truncated, conditions.changing])
def test_a_family_prints_rules_that_parse_again(family: Family) -> None:
    """Guards: an edit that cannot be written down is no answer."""
    for text in list(made(family, mhat.rules.amsgrad).values())[::17]:
        assert python.rule_text(mhat.rule(text).tree) == text


def test_the_number_of_a_tensor_is_explained() -> None:
    """Guards: `k` was named without a word on what it is."""
    sentences = [edit.sentence for edit in mhat.mistakes.edits_of(mhat.rules.adam.tree).plain]
    assert "in `m_hat` `k`, the number of the tensor, stands where `t` should" in sentences
    assert not any("`k` stands" in sentence for sentence in sentences)
