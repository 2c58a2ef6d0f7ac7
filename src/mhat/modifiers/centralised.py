"""Gradients without their mean. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Rule
from mhat.language.pieces import expression_of
from mhat.modifiers.grafting import (
    made,
    require_gradient,
    rule_meant,
    with_gradient,
)

PAPER = "Yong, Huang, Hua & Zhang 2020, gradient centralization, equation 1, arXiv:2004.01461"


def centralised(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Take the mean of each row from the gradient before the step, so that the sum of a neuron's weights stays.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `centralised_NAME`, a rule for
    matrices.

    Source: Yong, Huang, Hua & Zhang 2020, Gradient centralization: a new optimization technique for deep neural
    networks.

    Raises BadValue for a rule that does not read the gradient; LanguageError for what is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(centralised(rule(text))))
    def centralised_sgd(x, g, *, lr=0.01):
        g = g - row_mean(g)
        return x - lr * g
    """
    rule = rule_meant("centralised", rule)
    require_gradient("centralised", rule)
    tree = with_gradient(rule.tree, expression_of("g - row_mean(g)"))
    sentence = f"Take the mean of each row from the gradient, then step as {rule.name} does."
    return made("centralised", rule, tree, sentence, PAPER)
