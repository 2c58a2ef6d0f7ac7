"""Clipping of every row against its weights. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Knob, Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.modifiers.grafting import (
    free_name,
    made,
    require_gradient,
    rule_meant,
    with_gradient,
    with_knob,
)

PAPER = "Brock, De, Smith & Simonyan 2021, adaptive gradient clipping, equation 3, arXiv:2102.06171"


def clipped_units(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Scale each row of the gradient down to a share of the length of its weights before the step.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `clipped_units_NAME`, a rule for
    matrices, which has the knob `clipping` (0.01) besides its own. Weights shorter than 0.001 count as 0.001.

    Source: Brock, De, Smith & Simonyan 2021, High-performance large-scale image recognition without normalization.

    Raises BadValue for a rule that does not read the gradient, or has a name `clipping`; LanguageError for what is
    not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(clipped_units(rule(text))))
    def clipped_units_sgd(x, g, *, lr=0.01, clipping=0.01):
        longest = clipping * maximum(sqrt(row_mean(x**2) * columns(x)), 1e-3)
        length = maximum(sqrt(row_mean(g**2) * columns(g)), 1e-6)
        g = g * minimum(1, longest / length)
        return x - lr * g
    """
    rule = rule_meant("clipped_units", rule)
    require_gradient("clipped_units", rule)
    tree = with_knob("clipped_units", rule.tree, Knob("clipping", 0.01))
    longest = expression_of("clipping * maximum(sqrt(row_mean(x**2) * columns(x)), 1e-3)")
    length = expression_of("maximum(sqrt(row_mean(g**2) * columns(g)), 1e-6)")
    changed = expression_of("g * minimum(1, longest / length)", longest=longest, length=length)
    first, second = free_name(tree, "longest"), free_name(tree, "length")
    lines = lines_of(
        f"""
        {first} = limit_
        {second} = length_
        g = g * minimum(1, {first} / {second})
        """,
        limit_=longest,
        length_=length,
    )
    tree = with_gradient(tree, changed, lines)
    sentence = f"Clip each row against its weights, then step as {rule.name} does."
    return made("clipped_units", rule, tree, sentence, PAPER)
