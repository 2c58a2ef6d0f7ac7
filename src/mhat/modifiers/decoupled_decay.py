"""Weight decay beside the step. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.errors import BadValue
from mhat.language import Knob, Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.modifiers.grafting import (
    free_name,
    keeping_x,
    made,
    move_of,
    rule_meant,
    with_knob,
    with_lines,
)

PAPER = "Loshchilov & Hutter 2019, decoupled weight decay, arXiv:1711.05101"


def decoupled_decay(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Decay the parameter beside the step, by `lr * weight_decay`: what makes AdamW of Adam.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `decoupled_decay_NAME`, which has
    the knob `weight_decay` (0.01) besides its own.

    Source: Loshchilov & Hutter 2019, Decoupled weight decay regularization.

    Raises BadValue for a rule without a knob `lr`, or with a name `weight_decay`; LanguageError for what is not in
    the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(decoupled_decay(rule(text))))
    def decoupled_decay_sgd(x, g, *, lr=0.01, weight_decay=0.01):
        return x - lr * (g + weight_decay * x)
    """
    rule = rule_meant("decoupled_decay", rule)
    if "lr" not in rule.knobs:
        raise BadValue(f"{rule.name} has no knob `lr`, which scales a decoupled decay", "Give it a learning rate.")
    tree, before = keeping_x(with_knob("decoupled_decay", rule.tree, Knob("weight_decay", 0.01)))
    move = move_of(tree)
    if move is not None and before == "x":
        result = expression_of("x - lr * (factor + weight_decay * x)", factor=move.factor)
        tree = with_lines(tree, result=result)
    else:
        moved = free_name(tree, "moved")
        after = lines_of(f"{moved} = result", result=tree.result)
        tree = with_lines(tree, after=after, result=expression_of(f"{moved} - lr * weight_decay * {before}"))
    sentence = f"Step as {rule.name} does, and decay the parameter beside it."
    return made("decoupled_decay", rule, tree, sentence, PAPER)
