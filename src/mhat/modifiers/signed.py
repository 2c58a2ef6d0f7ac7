"""The sign of a step. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Rule
from mhat.language.pieces import expression_of
from mhat.modifiers.grafting import (
    made,
    required_move,
    rule_meant,
    with_lines,
)

PAPER = "Bernstein et al. 2018, signSGD, arXiv:1802.04434"


def signed(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Take the sign of what lr is a factor of: every coordinate moves by lr.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `signed_NAME`. A decay beside the
    step is left alone.

    Source: Bernstein et al. 2018, signSGD: compressed optimisation for non-convex problems.

    Raises BadValue for a rule that does not end in `x - lr * factor`; LanguageError for what is not in the rule
    language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(signed(rule(text))))
    def signed_sgd(x, g, *, lr=0.01):
        return x - lr * sign(g)
    """
    rule = rule_meant("signed", rule)
    move = required_move("signed", rule.tree)
    tree = with_lines(rule.tree, result=move.result(expression_of("sign(factor)", factor=move.factor)))
    sentence = f"Step by the sign of what {rule.name} steps along."
    return made("signed", rule, tree, sentence, PAPER)
