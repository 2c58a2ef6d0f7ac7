"""Clipping of every tensor by its own norm. It knows no rule by name, and no arrays."""

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

PAPER = "Pascanu et al. 2013, gradient norm clipping, Algorithm 1, arXiv:1211.5063"


def clipped_tensor(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Scale the gradient of each tensor down to the norm `max_norm` before the step; `clipped` takes all together.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `clipped_tensor_NAME`, which has the
    knob `max_norm` (1.0) besides its own. This is what Keras calls `clipnorm`.

    Source: Pascanu et al. 2013, On the difficulty of training recurrent neural networks, Algorithm 1.

    Raises BadValue for a rule that does not read the gradient, or has a name `max_norm`; LanguageError for what is
    not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(clipped_tensor(rule(text))))
    def clipped_tensor_sgd(x, g, *, lr=0.01, max_norm=1):
        g = g * minimum(1, max_norm / (norm(g) + 1e-6))
        return x - lr * g
    """
    rule = rule_meant("clipped_tensor", rule)
    require_gradient("clipped_tensor", rule)
    tree = with_knob("clipped_tensor", rule.tree, Knob("max_norm", 1.0))
    tree = with_gradient(tree, expression_of("g * minimum(1, max_norm / (norm(g) + 1e-6))"))
    sentence = f"Clip each tensor's gradient to a norm, then step as {rule.name} does."
    return made("clipped_tensor", rule, tree, sentence, PAPER)
