"""A schedule on a knob. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mhat.errors import BadValue
from mhat.language import Assignment, Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.language.tree import Tree
from mhat.language.walking import names_in
from mhat.modifiers.grafting import (
    free_name,
    made,
    reading_instead,
    rule_meant,
    with_inputs,
    with_lines,
)


def scheduled(rule: Rule | Callable[..., Any] | str, **schedules: Any) -> Rule:
    """Let knobs follow schedules, each an expression in `t` and the knobs: `scheduled(adam, lr="lr / sqrt(t)")`.

    `rule`: a rule, a function written as one, or the text of one. `schedules`: what a knob is worth at step t, counted
    from 1; or one of `mhat.schedules`, whose formula takes the place of the knob. Gives the rule `scheduled_NAME`,
    whose knobs are what the schedules start from.

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
        formula = getattr(text, "formula", text)
        if not isinstance(formula, str) or not formula:
            raise BadValue(
                f"the schedule of {knob} has no formula",
                f'Write one, scheduled(rule, {knob}="{knob} / sqrt(t)"), or take one of mhat.schedules.',
            )
        value = expression_of(formula)
        if strange := names_in(value) - {"t", *rule.knobs}:
            raise BadValue(
                f"the schedule of {knob} reads `{sorted(strange)[0]}`", "A schedule is made of t, knobs and numbers."
            )
        name = free_name(tree, f"{knob}_t")
        tree = reading_instead(tree, -1, knob, name)
        lines = (*lines, *lines_of(f"{name} = value", value=value))
    tree = with_lines(tree, before=lines)
    idle = {knob for knob, given in schedules.items() if not isinstance(given, str)} - _read_in(tree)
    tree = replace(tree, knobs=tuple(knob for knob in tree.knobs if knob.name not in idle))
    return made("scheduled", rule, tree, f"Step as {rule.name} does, with knobs that change from step to step.", "")


def _read_in(tree: Tree) -> set[str]:
    """Name what the lines, the starts of states and the defaults of knobs read."""
    defaults = [knob.expression for knob in tree.knobs if knob.expression is not None]
    lines = [*(line.value for line in tree.body), tree.result, *(state.start for state in tree.states)]
    return {name for expression in (*lines, *defaults) for name in names_in(expression)}
