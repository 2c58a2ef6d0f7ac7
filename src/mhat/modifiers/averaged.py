"""Parameters for evaluation that average the path. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.errors import BadValue
from mhat.language import Knob, Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.modifiers.grafting import (
    free_name,
    made,
    rule_meant,
    with_knob,
    with_lines,
    with_states,
)

PAPER = "Polyak & Juditsky 1992, averaging of the iterates, doi:10.1137/0330046"


def averaged(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Average the parameters beside the steps, to be evaluated; the steps know nothing of it.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `averaged_NAME`, which has the knob
    `keep` (0.999) besides its own, and assigns `x_eval`. The average starts where x does.

    Source: Polyak & Juditsky 1992, Acceleration of stochastic approximation by averaging.

    Raises BadValue for a rule that has a name `keep`, or parameters for evaluation already; LanguageError for what is
    not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(averaged(rule(text))))
    def averaged_sgd(x, g, average="x", *, lr=0.01, keep=0.999):
        moved = x - lr * g
        average = keep * average + (1 - keep) * moved
        x_eval = average
        return moved
    """
    rule = rule_meant("averaged", rule)
    if "x_eval" in rule.variables:
        raise BadValue(f"{rule.name} has parameters for evaluation already", "Leave averaged out.")
    tree = with_knob("averaged", rule.tree, Knob("keep", 0.999))
    average, moved = free_name(tree, "average"), free_name(tree, "moved")
    after = lines_of(
        f"""
        {moved} = result
        {average} = keep * {average} + (1 - keep) * {moved}
        x_eval = {average}
        """,
        result=tree.result,
    )
    tree = with_lines(with_states(tree, **{average: "x"}), after=after, result=expression_of(moved))
    sentence = f"Step as {rule.name} does, and average the parameters for evaluation."
    return made("averaged", rule, tree, sentence, PAPER)
