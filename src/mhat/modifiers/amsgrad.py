"""The largest second moment. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mhat.errors import BadValue
from mhat.language import Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.language.walking import subexpressions
from mhat.modifiers.grafting import (
    free_name,
    made,
    reading_instead,
    recursions,
    rule_meant,
    with_states,
)

PAPER = "Reddi, Kale & Kumar 2018, AMSGrad, Algorithm 2, arXiv:1904.09237"


def amsgrad(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Read the largest second moment so far in place of the second moment, so that a large gradient is never forgotten.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `amsgrad_NAME`. The second moment is
    the state that is made of `g**2`; its maximum is taken before any correction.

    Source: Reddi, Kale & Kumar 2018, On the convergence of Adam and beyond.

    Raises BadValue for a rule without a state that is made of `g**2`; LanguageError for what is not in the rule
    language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def ada(x, g, v=0, *, lr=0.01):\\n    v = v + g**2\\n    return x - lr * g / sqrt(v)"
    >>> print(rule_text(amsgrad(rule(text))))
    def amsgrad_ada(x, g, v=0, v_max=0, *, lr=0.01):
        v = v + g**2
        v_max = maximum(v_max, v)
        return x - lr * g / sqrt(v_max)
    """
    rule = rule_meant("amsgrad", rule)
    tree = rule.tree
    square = expression_of("g**2")
    found = [(place, line) for place, line in recursions(tree) if square in subexpressions(line.value)]
    if not found:
        raise BadValue(f"{rule.name} has no second moment, a state made of `g**2`", "Give a rule that has one.")
    place, line = found[0]
    state = line.targets[0]
    largest = free_name(tree, f"{state}_max")
    tree = reading_instead(with_states(tree, **{largest: "0"}), place, state, largest)
    more = lines_of(f"{largest} = maximum({largest}, {state})")
    tree = replace(tree, body=(*tree.body[: place + 1], *more, *tree.body[place + 1 :]))
    sentence = f"Step as {rule.name} does, by the largest second moment so far."
    return made("amsgrad", rule, tree, sentence, PAPER)
