"""A schedule on a knob. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.errors import BadValue
from mhat.language import Assignment, Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.language.walking import names_in
from mhat.modifiers.grafting import (
    free_name,
    made,
    reading_instead,
    rule_meant,
    with_inputs,
    with_lines,
)


def scheduled(rule: Rule | Callable[..., Any] | str, **schedules: str) -> Rule:
    """Let knobs follow schedules, each an expression in `t` and the knobs: `scheduled(adam, lr="lr / sqrt(t)")`.

    `rule`: a rule, a function written as one, or the text of one. `schedules`: what a knob is worth at step t, counted
    from 1. Gives the rule `scheduled_NAME`, whose knobs are what the schedules start from.

    Raises BadValue for no schedule, for a name that is no knob, and for an expression that reads more than `t` and
    knobs; LanguageError for what is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> print(rule_text(scheduled(rule("def sgd(x, g, *, lr=0.01): return x - lr * g"), lr="lr / sqrt(t)")))
    def scheduled_sgd(x, g, t, *, lr=0.01):
        lr_t = lr / sqrt(t)
        return x - lr_t * g
    """
    rule = rule_meant("scheduled", rule)
    if not schedules:
        raise BadValue("scheduled was given no schedule", 'Say how a knob goes: scheduled(rule, lr="lr / sqrt(t)").')
    tree = with_inputs(rule.tree, "t")
    lines: tuple[Assignment, ...] = ()
    for knob, text in schedules.items():
        if knob not in rule.knobs:
            raise rule.unknown_knob(knob)
        value = expression_of(str(text))
        if strange := names_in(value) - {"t", *rule.knobs}:
            raise BadValue(
                f"the schedule of {knob} reads `{sorted(strange)[0]}`", "A schedule is made of t, knobs and numbers."
            )
        name = free_name(tree, f"{knob}_t")
        tree = reading_instead(tree, -1, knob, name)
        lines = (*lines, *lines_of(f"{name} = value", value=value))
    tree = with_lines(tree, before=lines)
    return made("scheduled", rule, tree, f"Step as {rule.name} does, with knobs that change from step to step.", "")
