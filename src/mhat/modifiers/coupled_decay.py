"""Weight decay in the gradient. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Knob, Rule
from mhat.language.pieces import expression_of
from mhat.modifiers.grafting import (
    made,
    require_gradient,
    rule_meant,
    with_gradient,
    with_knob,
)

PAPER = "Krogh & Hertz 1991, a simple weight decay can improve generalization, NeurIPS"


def coupled_decay(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Add the slope of an L2 penalty to the gradient before the step: what torch calls `weight_decay` in Adam and SGD.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `coupled_decay_NAME`, which has the
    knob `weight_decay` (0.01) besides its own.

    Source: Krogh & Hertz 1991, A simple weight decay can improve generalization.

    Raises BadValue for a rule that does not read the gradient, or has a name `weight_decay`; LanguageError for what
    is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(coupled_decay(rule(text))))
    def coupled_decay_sgd(x, g, *, lr=0.01, weight_decay=0.01):
        g = g + weight_decay * x
        return x - lr * g
    """
    rule = rule_meant("coupled_decay", rule)
    require_gradient("coupled_decay", rule)
    tree = with_knob("coupled_decay", rule.tree, Knob("weight_decay", 0.01))
    tree = with_gradient(tree, expression_of("g + weight_decay * x"))
    sentence = f"Add the slope of an L2 penalty, then step as {rule.name} does."
    return made("coupled_decay", rule, tree, sentence, PAPER)
