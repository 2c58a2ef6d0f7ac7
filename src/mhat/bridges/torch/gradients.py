"""The gradient as a step sees it: turned around to climb, divided by the scale of a loss. It knows trees alone.

Both are lines of the rule, so that every way of stepping has them, and starts that read the first gradient too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from mhat.errors import BadValue
from mhat.language import of_tree
from mhat.language.definition import Rule
from mhat.language.tree import Knob, Name, Operation, Tree
from mhat.modifiers.grafting import with_gradient

SCALE = "grad_scale"


@lru_cache(maxsize=64)
def uphill(rule: Rule) -> Rule:
    """Give the rule that climbs: its gradient is turned around first.

    >>> from mhat.rules import sgd
    >>> print(str(uphill(sgd)).splitlines()[1].strip())
    g = -g
    """
    return _with(rule, with_gradient(rule.tree, Operation("neg", (Name("g"),))))


@lru_cache(maxsize=64)
def unscaled(rule: Rule) -> Rule:
    """Give the rule that divides its gradient by the knob `grad_scale` first; raises BadValue where that is taken.

    >>> from mhat.rules import sgd
    >>> print(str(unscaled(sgd)).splitlines()[1].strip())
    g = g / grad_scale
    """
    tree = rule.tree
    if SCALE in (*tree.knob_names, *tree.state_names, *tree.variables):
        raise BadValue(f"{rule.name} has a `{SCALE}` of its own", "Leave amp_scaling out, or give it another name.")
    tree = replace(tree, knobs=(*tree.knobs, Knob(SCALE, 1.0)))
    return _with(rule, with_gradient(tree, Operation("div", (Name("g"), Name(SCALE)))))


def _with(rule: Rule, tree: Tree) -> Rule:
    return of_tree(tree, paper=rule.paper, doc=rule.doc, knobs=rule.knob_sentences)
