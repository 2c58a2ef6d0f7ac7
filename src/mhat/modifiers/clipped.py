"""Clipping by the norm over all tensors. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mhat.language import Assignment, Expression, Knob, Name, Number, Operation, Rule, State
from mhat.language.walking import mapped, names_in
from mhat.modifiers.grafting import (
    free_name,
    made,
    require_gradient,
    rule_meant,
    with_knob,
)

PAPER = "Pascanu et al. 2013, gradient norm clipping, Algorithm 1, arXiv:1211.5063"
# Added to the norm by torch.nn.utils.clip_grad_norm_; the paper has nothing there.
TINY = 1e-6
G, ONE, MAX_NORM = Name("g"), Number(1.0), Name("max_norm")


def clipped(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Scale the gradient before the step so that its norm, over all tensors together, is at most `max_norm`.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `clipped_NAME`, which has the
    knob `max_norm` (1.0) besides its own. The factor is that of `torch.nn.utils.clip_grad_norm_`,
    min(1, max_norm / (norm + 1e-6)), so a clipped gradient ends a little short of `max_norm`. A state that
    starts from the first gradient starts from the clipped one. In a trace `g` is the gradient as it came and
    `g_used` what the rule saw of it.

    Source: Pascanu et al. 2013, On the difficulty of training recurrent neural networks, Algorithm 1.

    Raises BadValue for a rule that has the name `max_norm` already or does not read the gradient, LanguageError
    for what is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> print(rule_text(clipped(rule("def sgd(x, g, *, lr=0.01): return x - lr * g")).tree))
    def clipped_sgd(x, g, *, lr=0.01, max_norm=1):
        g_norm = norm(g, over="all")
        factor = minimum(1, max_norm / (g_norm + 1e-6))
        g = factor * g
        return x - lr * g
    """
    rule = rule_meant("clipped", rule)
    require_gradient("clipped", rule)
    tree = with_knob("clipped", rule.tree, Knob("max_norm", 1.0))
    g_norm = Name(free_name(tree, "g_norm"))
    factor = Name(free_name(tree, "factor"))
    lines = (
        Assignment((g_norm.id,), _norm()),
        Assignment((factor.id,), _factor(g_norm)),
        Assignment(("g",), Operation("mul", (factor, G))),
    )
    states = tuple(map(_from_clipped, tree.states))
    tree = replace(tree, states=states, body=(*lines, *tree.body))
    return made(
        "clipped", rule, tree, f"Clip the gradient to a norm over all tensors, then step as {rule.name} does.", PAPER
    )


def _norm() -> Expression:
    return Operation("norm", (G,), "all")


def _factor(norm: Expression) -> Expression:
    return Operation("minimum", (ONE, Operation("div", (MAX_NORM, Operation("add", (norm, Number(TINY)))))))


def _from_clipped(state: State) -> State:
    """Let a start that reads the first gradient read the clipped one."""
    if "g" not in names_in(state.start):
        return state
    clipped_g = Operation("mul", (_factor(_norm()), G))
    return replace(state, start=mapped(state.start, lambda part: clipped_g if part == G else part))
