"""Clipping of every coordinate. It knows no rule by name, and no arrays."""

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

PAPER = "Mikolov 2012, clipping of gradients, thesis, section 3.2.2"


def clipped_value(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Clip every coordinate of the gradient to `-max_value` up to `max_value` before the step.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `clipped_value_NAME`, which has the
    knob `max_value` (1.0) besides its own. This is `torch.nn.utils.clip_grad_value_`.

    Source: Mikolov 2012, Statistical language models based on neural networks.

    Raises BadValue for a rule that does not read the gradient, or has a name `max_value`; LanguageError for what is
    not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(clipped_value(rule(text))))
    def clipped_value_sgd(x, g, *, lr=0.01, max_value=1):
        g = clip(g, -max_value, max_value)
        return x - lr * g
    """
    rule = rule_meant("clipped_value", rule)
    require_gradient("clipped_value", rule)
    tree = with_knob("clipped_value", rule.tree, Knob("max_value", 1.0))
    tree = with_gradient(tree, expression_of("clip(g, -max_value, max_value)"))
    sentence = f"Clip every coordinate of the gradient, then step as {rule.name} does."
    return made("clipped_value", rule, tree, sentence, PAPER)
