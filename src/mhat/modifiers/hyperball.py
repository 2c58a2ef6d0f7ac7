"""Steps on a sphere. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.errors import BadValue
from mhat.language import Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.modifiers.grafting import (
    free_name,
    made,
    required_move,
    rule_meant,
    with_lines,
    with_states,
)

PAPER = "Hyperball 2026, optimization at a fixed norm, arXiv:2606.16899"


def hyperball(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Keep each tensor at the length it began with: step by an angle of about lr, and go back to the sphere.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `hyperball_NAME`, a rule per tensor.
    A decay beside the step would change the length, and is refused.

    Source: Hyperball, arXiv:2606.16899.

    Raises BadValue for a rule that does not end in `x - lr * factor`, or decays; LanguageError for what is not in the
    rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(hyperball(rule(text))))
    def hyperball_sgd(x, g, radius="norm(x)", *, lr=0.01):
        moved = x - lr * radius * g / norm(g) if norm(g) > 0 else x
        return radius * moved / norm(moved)
    """
    rule = rule_meant("hyperball", rule)
    move = required_move("hyperball", rule.tree)
    if move.decay is not None:
        raise BadValue(f"{rule.name} decays, and hyperball keeps every length", "Give it a rule without the decay.")
    tree = rule.tree
    radius, moved = free_name(tree, "radius"), free_name(tree, "moved")
    turned = f"{moved} = x - lr * {radius} * factor / norm(factor) if norm(factor) > 0 else x"
    after = lines_of(turned, factor=move.factor)
    result = expression_of(f"{radius} * {moved} / norm({moved})")
    tree = with_lines(with_states(tree, **{radius: "norm(x)"}), after=after, result=result)
    sentence = f"Turn each tensor along what {rule.name} steps along, its length fixed."
    return made("hyperball", rule, tree, sentence, PAPER)
