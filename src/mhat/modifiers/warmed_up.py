"""A learning rate that rises. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.errors import BadValue
from mhat.language import Knob, Rule
from mhat.language.pieces import lines_of
from mhat.modifiers.grafting import (
    free_name,
    made,
    reading_instead,
    rule_meant,
    with_inputs,
    with_knob,
    with_lines,
)

PAPER = "Goyal et al. 2017, gradual warmup, section 2.2, arXiv:1706.02677"


def warmed_up(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Let the learning rate rise evenly over the first `warmup` steps.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `warmed_up_NAME`, which has the knob
    `warmup` (100) besides its own.

    Source: Goyal et al. 2017, Accurate, large minibatch SGD: training ImageNet in 1 hour.

    Raises BadValue for a rule without a knob `lr`, or with a name `warmup`; LanguageError for what is not in the rule
    language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(warmed_up(rule(text))))
    def warmed_up_sgd(x, g, t, *, lr=0.01, warmup=100):
        rate = lr * minimum(1, t / warmup)
        return x - rate * g
    """
    rule = rule_meant("warmed_up", rule)
    if "lr" not in rule.knobs:
        raise BadValue(f"{rule.name} has no knob `lr` to warm up", "Give it a learning rate.")
    tree = with_inputs(with_knob("warmed_up", rule.tree, Knob("warmup", 100.0)), "t")
    rate = free_name(tree, "rate")
    tree = with_lines(reading_instead(tree, -1, "lr", rate), before=lines_of(f"{rate} = lr * minimum(1, t / warmup)"))
    sentence = f"Step as {rule.name} does, with a learning rate that rises at first."
    return made("warmed_up", rule, tree, sentence, PAPER)
