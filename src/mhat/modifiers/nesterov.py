"""Momentum one step ahead. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mhat.errors import BadValue
from mhat.language import Assignment, Expression, Name, Operation, Rule
from mhat.language.walking import names_in
from mhat.modifiers.grafting import (
    free_name,
    made,
    reading_instead,
    recursions,
    rule_meant,
)

PAPER = "Nesterov 1983, accelerated gradient, as in Sutskever et al. 2013, equations 3 and 4"


def nesterov(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Look one step ahead along the average of the gradients: read it as if the gradient came once more.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `nesterov_NAME`. The state itself
    goes on as before.

    Source: Nesterov 1983; Sutskever, Martens, Dahl & Hinton 2013, On the importance of initialization and momentum.

    Raises BadValue for a rule without a state `m = a * m + b * g`; LanguageError for what is not in the rule
    language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def heavy(x, g, u=0, *, lr=0.01, momentum=0.9):\\n    u = momentum * u + g\\n    return x - lr * u"
    >>> print(rule_text(nesterov(rule(text))))
    def nesterov_heavy(x, g, u=0, *, lr=0.01, momentum=0.9):
        u = momentum * u + g
        u_ahead = momentum * u + g
        return x - lr * u_ahead
    """
    rule = rule_meant("nesterov", rule)
    tree = rule.tree
    found = [(place, line) for place, line in recursions(tree) if _averages_gradients(line.value, line.targets[0])]
    if not found:
        raise BadValue(f"{rule.name} has no average of its gradients to look ahead along", "Give a rule with momentum.")
    place, line = found[0]
    ahead = free_name(tree, f"{line.targets[0]}_ahead")
    tree = reading_instead(tree, place, line.targets[0], ahead)
    more = Assignment((ahead,), line.value)
    tree = replace(tree, body=(*tree.body[: place + 1], more, *tree.body[place + 1 :]))
    sentence = f"Step as {rule.name} does, along the average one step ahead."
    return made("nesterov", rule, tree, sentence, PAPER)


def _averages_gradients(value: Expression, state: str) -> bool:
    """Whether a state is made of a share of itself and a share of the gradient, and of nothing else but numbers."""
    match value:
        case Operation("add", (kept, fed)):
            return _is_share(kept, state) and _is_share(fed, "g")
    return False


def _is_share(node: Expression, of: str) -> bool:
    match node:
        case Name(name):
            return name == of
        case Operation("mul", (share, Name(name))):
            return name == of and not names_in(share) & {"x", "g", of}
    return False
