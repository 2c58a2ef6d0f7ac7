"""Rows without a gradient that stay. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.modifiers.grafting import (
    free_name,
    keeping_x,
    made,
    require_gradient,
    rule_meant,
    with_lines,
)

PAPER = "Kingma & Ba 2015, Adam for sparse gradients, as in torch.optim.SparseAdam"


def lazy(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Leave rows whose gradient is zero as they are, states included: embeddings of words that a batch does not have.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `lazy_NAME`, a rule for matrices.
    Numbers of the whole step, like a product of rates, go on.

    Source: torch.optim.SparseAdam.

    Raises BadValue for a rule that does not read the gradient; LanguageError for what is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(lazy(rule(text))))
    def lazy_sgd(x, g, *, lr=0.01):
        touched = row_mean(abs(g)) > 0
        moved = x - lr * g
        return moved if touched else x
    """
    rule = rule_meant("lazy", rule)
    require_gradient("lazy", rule)
    tree = rule.tree
    touched = free_name(tree, "touched")
    own = [state for state in tree.state_names if state not in rule.dependence.per_step_states]
    kept = {state: free_name(tree, f"{state}_before") for state in own}
    tree, before_step = keeping_x(tree)
    before = lines_of("\n".join([f"{touched} = row_mean(abs(g)) > 0", *(f"{kept[state]} = {state}" for state in own)]))
    after = lines_of("\n".join(f"{state} = {state} if {touched} else {kept[state]}" for state in own)) if own else ()
    moved = lines_of(f"{(name := free_name(tree, 'moved'))} = result", result=tree.result)
    result = expression_of(f"{name} if {touched} else {before_step}")
    tree = with_lines(tree, before=before, after=(*moved, *after), result=result)
    sentence = f"Step as {rule.name} does where a row has a gradient."
    return made("lazy", rule, tree, sentence, PAPER)
