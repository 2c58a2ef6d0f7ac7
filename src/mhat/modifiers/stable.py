"""Steps of a bounded root mean square. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Knob, Rule
from mhat.language.pieces import expression_of
from mhat.modifiers.grafting import (
    made,
    required_move,
    rule_meant,
    with_knob,
    with_lines,
)

PAPER = "Shazeer & Stern 2018, update clipping, section 6, arXiv:1804.04235"


def stable(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Scale what lr is a factor of down to the root mean square `limit`, one tensor at a time.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `stable_NAME`, a rule per tensor,
    which has the knob `limit` (1.0) besides its own. A decay beside the step is left alone.

    Source: Shazeer & Stern 2018, Adafactor: adaptive learning rates with sublinear memory cost.

    Raises BadValue for a rule that does not end in `x - lr * factor`, or has a name `limit`; LanguageError for what
    is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(stable(rule(text))))
    def stable_sgd(x, g, *, lr=0.01, limit=1):
        return x - lr * (g / maximum(1, sqrt(mean(g**2)) / limit))
    """
    rule = rule_meant("stable", rule)
    tree = with_knob("stable", rule.tree, Knob("limit", 1.0))
    move = required_move("stable", tree)
    shorter = expression_of("factor / maximum(1, sqrt(mean(factor**2)) / limit)", factor=move.factor)
    tree = with_lines(tree, result=move.result(shorter))
    sentence = f"Step as {rule.name} does, no longer than a root mean square allows."
    return made("stable", rule, tree, sentence, PAPER)
