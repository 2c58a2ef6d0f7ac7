"""What one expression is times another, and which formula a number is."""

from __future__ import annotations

import pytest

from mhat.explanations.consequences.factors import expression_text, times_what, value_at
from mhat.explanations.consequences.formulas import elsewhere, formula_of
from mhat.language import rule
from mhat.language.tree import Expression


def parsed(text: str) -> Expression:
    return rule(f"def r(x, g, t, v=0, *, a=0.9, b=0.999, beta1=0.9, beta2=0.99): return {text}").tree.result


@pytest.mark.parametrize(
    ("new", "old", "factor"),
    [
        ("a / (1 - b**t)", "a", "1 / (1 - b**t)"),
        ("v / (1 - a)", "v / (1 - a**t)", "(1 - a**t) / (1 - a)"),
        ("sqrt(v / (1 - a))", "sqrt(v)", "1 / sqrt(1 - a)"),
        ("-g", "g", "-1"),
        ("2 * g**3", "g", "2 * g**2"),
        ("g / (1 - a + 0)", "g / (1 - a)", "1"),
        ("0.5 * g", "2 * g", "0.25"),
    ],
)
def test_factors(new: str, old: str, factor: str) -> None:
    assert expression_text(times_what(parsed(new), parsed(old))) == factor


def test_what_cannot_be_computed_is_no_number() -> None:
    assert value_at(parsed("v + g"), {"a": 0.9}, 1) != value_at(parsed("v + g"), {"a": 0.9}, 1)


def test_a_formula_must_hold_at_other_knobs_too() -> None:
    knobs = {"beta1": 0.9, "beta2": 0.99}
    everywhere = [knobs, *({**knobs, **other} for other in elsewhere(knobs))]
    right = [(((1 - own["beta2"]) ** 0.5) / (1 - own["beta1"]), own) for own in everywhere]
    found = formula_of(right)
    assert found is not None and expression_text(found) == "sqrt(1 - beta2) / (1 - beta1)"
    # 1 at these knobs by chance only.
    assert formula_of([(0.1, everywhere[0]), (0.3, everywhere[1]), (0.5, everywhere[2])]) is None
