"""Steps that are left out. It knows no rule by name, and no arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mhat.language import Knob, Rule
from mhat.language.pieces import expression_of, lines_of
from mhat.modifiers.grafting import (
    free_name,
    keeping_x,
    made,
    require_gradient,
    rule_meant,
    with_inputs,
    with_knob,
    with_lines,
    with_states,
)

PAPER = "OLMo team 2025, skipped steps, section 3, with averages in place of a window, arXiv:2501.00656"


def skip_outliers(rule: Rule | Callable[..., Any] | str) -> Rule:
    """Leave a step out, states included, where the norm of the gradient is far above its average.

    `rule`: a rule, a function written as one, or the text of one. Gives the rule `skip_outliers_NAME`, which has the
    knobs `sigmas` (6), how many deviations above, and `memory` (0.99), the decay rate of both averages, besides its
    own. The norm is over all tensors; averages are corrected, and the first ten steps are always taken.

    Source: OLMo 2, 2 OLMo 2 Furious, which keeps a window of 128 steps.

    Raises BadValue for a rule that does not read the gradient, or has a name `sigmas` or `memory`; LanguageError for
    what is not in the rule language.

    >>> from mhat.language import rule
    >>> from mhat.printers.python import rule_text
    >>> text = "def sgd(x, g, *, lr=0.01): return x - lr * g"
    >>> print(rule_text(skip_outliers(rule(text))))
    def skip_outliers_sgd(x, g, t, typical=0, spread=0, *, lr=0.01, sigmas=6, memory=0.99):
        length = norm(g, over="all")
        seen = maximum(1 - memory**(t - 1), 1e-30)
        middle = typical / seen
        width = sqrt(maximum(spread / seen - middle**2, 0))
        good = t <= 10 or length <= middle + sigmas * width
        typical = memory * typical + (1 - memory) * where(good, length, middle)
        spread = memory * spread + (1 - memory) * where(good, length**2, spread / seen)
        moved = x - lr * g
        return moved if good else x
    """
    rule = rule_meant("skip_outliers", rule)
    require_gradient("skip_outliers", rule)
    tree = with_inputs(rule.tree, "t")
    for knob in (Knob("sigmas", 6.0), Knob("memory", 0.99)):
        tree = with_knob("skip_outliers", tree, knob)
    wanted = ("length", "seen", "middle", "width", "good", "typical", "spread")
    length, seen, middle, width, good, typical, spread = (free_name(tree, name) for name in wanted)
    own = rule.tree.state_names
    kept = {state: free_name(tree, f"{state}_before") for state in own}
    tree, before_step = keeping_x(tree)
    head = f"""
        {length} = norm(g, over="all")
        {seen} = maximum(1 - memory ** (t - 1), 1e-30)
        {middle} = {typical} / {seen}
        {width} = sqrt(maximum({spread} / {seen} - {middle}**2, 0))
        {good} = t <= 10 or {length} <= {middle} + sigmas * {width}
        {typical} = memory * {typical} + (1 - memory) * ({length} if {good} else {middle})
        {spread} = memory * {spread} + (1 - memory) * ({length}**2 if {good} else {spread} / {seen})
    """
    before = lines_of("\n".join([head.strip("\n"), *(f"{kept[state]} = {state}" for state in own)]))
    after = lines_of("\n".join(f"{state} = {state} if {good} else {kept[state]}" for state in own)) if own else ()
    moved = lines_of(f"{(name := free_name(tree, 'moved'))} = result", result=tree.result)
    tree = with_states(tree, **{typical: "0", spread: "0"})
    tree = with_lines(
        tree, before=before, after=(*moved, *after), result=expression_of(f"{name} if {good} else {before_step}")
    )
    sentence = f"Step as {rule.name} does, and leave outliers out."
    return made("skip_outliers", rule, tree, sentence, PAPER)
