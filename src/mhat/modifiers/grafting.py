"""What modifiers share: the rule that is meant, names that are free, a knob more. It knows no modifier by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain, count
from typing import Any

from mhat.errors import BadValue
from mhat.language import Knob, Rule, Tree
from mhat.language import rule as rule_of
from mhat.language.tree import INPUTS, is_taken


def rule_meant(modifier: str, given: Rule | Callable[..., Any] | str) -> Rule:
    """Give the rule that a modifier was handed; raises BadValue for a mere name, LanguageError outside the language."""
    if isinstance(given, str) and given.isidentifier():
        raise BadValue(
            f"{modifier} was given the name `{given}`", f"Give it the rule itself: {modifier}(mhat.rules.{given})."
        )
    return rule_of(given)


def require_gradient(modifier: str, rule: Rule) -> None:
    """Refuse a rule that never looks at the gradient; raises BadValue."""
    if "g" not in rule.tree.inputs:
        raise BadValue(f"{rule.name} has no input `g` for {modifier} to change", "Give a rule that reads the gradient.")


def free_name(tree: Tree, wanted: str) -> str:
    """Give a name for a new variable: the one wanted, or with the first number behind it that makes it free."""
    own = {*INPUTS, *tree.state_names, *tree.knob_names, *tree.variables}
    wishes = chain([wanted], (f"{wanted}_{i}" for i in count(2)))
    return next(name for name in wishes if name not in own and not is_taken(name))


def with_knob(modifier: str, tree: Tree, knob: Knob) -> Tree:
    """Add a knob behind the others; raises BadValue if the rule has that name, for a knob's name is its meaning."""
    kinds = {
        **dict.fromkeys(tree.variables, "variable"),
        **dict.fromkeys(tree.state_names, "state"),
        **dict.fromkeys(tree.knob_names, "knob"),
    }
    if knob.name in kinds:
        raise BadValue(
            f"{modifier} adds the knob `{knob.name}`, and {tree.name} has a {kinds[knob.name]} of that name",
            f"Rename it in {tree.name}, or leave {modifier} out.",
        )
    return replace(tree, knobs=(*tree.knobs, knob))
