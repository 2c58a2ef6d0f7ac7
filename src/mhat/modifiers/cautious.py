"""Steps that the newest gradient agrees with. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.modifiers.grafting import (
    free_name,
    made,
    require_gradient,
    required_move,
    rule_meant,
    with_lines,
)

PAPER = "Liang et al. 2024, cautious optimizers, Algorithm 1, arXiv:2411.16085"


def cautious(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Step only where the newest gradient agrees with the step, and longer there, so that the mean length stays.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `cautious_NAME`, a rule per tensor.
    A decay beside the step is left alone. The share of agreeing coordinates is at least 0.001, as in the authors'
    code.

    Source: Liang, Chen, Liu & Liu 2024, Cautious optimizers: improving training with one line of code.

    Raises BadValue for a rule that does not read the gradient, or does not end in `x - lr * factor`; LanguageError
    for what is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(cautious(rule(text))))
    def cautious_sgd(x, g, *, lr=0.01):
        mask = g * g > 0
        return x - lr * (g * mask / maximum(mean(mask), 1e-3))
    """
    rule = rule_meant("cautious", rule)
    require_gradient("cautious", rule)
    tree = rule.tree
    move = required_move("cautious", tree)
    mask = free_name(tree, "mask")
    after = lines_of(f"{mask} = factor * g > 0", factor=move.factor)
    agreed = expression_of(f"factor * {mask} / maximum(mean({mask}), 1e-3)", factor=move.factor)
    tree = with_lines(tree, after=after, result=move.result(agreed))
    sentence = f"Step as {rule.name} does where the newest gradient agrees."
    return made("cautious", rule, tree, sentence, PAPER)
