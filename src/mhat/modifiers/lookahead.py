"""Slow weights behind fast ones. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Knob, Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.modifiers.grafting import (
    free_name,
    made,
    rule_meant,
    with_inputs,
    with_knob,
    with_lines,
    with_states,
)

PAPER = "Zhang, Lucas, Hinton & Ba 2019, Lookahead, Algorithm 1, arXiv:1907.08610"


def lookahead(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Step some times, then go back part of the way: slow weights follow fast ones.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `lookahead_NAME`, which has the
    knobs `alpha` (0.5), the share of the way that is kept, and `every` (5) besides its own. The slow weights start at
    x and turn at the steps `every`, 2 `every` ..., as in the paper.

    Source: Zhang, Lucas, Hinton & Ba 2019, Lookahead optimizer: k steps forward, 1 step back.

    Raises BadValue for a rule that has a name `alpha` or `every`; LanguageError for what is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(lookahead(rule(text))))
    def lookahead_sgd(x, g, t, slow="x", *, lr=0.01, alpha=0.5, every=5):
        fast = x - lr * g
        turn = t % every == 0
        slow = slow + alpha * (fast - slow) if turn else slow
        return slow if turn else fast
    """
    rule = rule_meant("lookahead", rule)
    tree = with_inputs(rule.tree, "t")
    for knob in (Knob("alpha", 0.5), Knob("every", 5.0)):
        tree = with_knob("lookahead", tree, knob)
    slow, fast, turn = (free_name(tree, name) for name in ("slow", "fast", "turn"))
    after = lines_of(
        f"""
        {fast} = result
        {turn} = t % every == 0
        {slow} = {slow} + alpha * ({fast} - {slow}) if {turn} else {slow}
        """,
        result=tree.result,
    )
    result = expression_of(f"{slow} if {turn} else {fast}")
    tree = with_lines(with_states(tree, **{slow: "x"}), after=after, result=result)
    sentence = f"Step as {rule.name} does, and now and then go back part of the way."
    return made("lookahead", rule, tree, sentence, PAPER)
