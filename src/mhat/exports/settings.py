"""A rule whose knobs have other defaults. It knows no language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mhat.language.definition import Rule, of_tree
from mhat.language.tree import Expression, Operation
from mhat.language.walking import mapped, mapped_tree


def with_defaults(rule: Rule, knobs: Mapping[str, float]) -> Rule:
    """Give a rule with some knobs at other defaults; a knob that is made of others follows them, unless it is told.

    Raises UnknownName or BadValue for knobs that cannot be.

    >>> from mhat.language import rule
    >>> with_defaults(rule("def sgd(x, g, *, lr=0.1): return x - lr * g"), {"lr": 0.5}).knobs
    {'lr': 0.5}
    """
    rule.check_knobs(dict(knobs))
    if not knobs:
        return rule
    settled = rule.settled({name: float(value) for name, value in knobs.items()})
    new = tuple(
        replace(
            knob,
            default=float(settled.get(knob.name, knob.default)),
            expression=None if knob.name in knobs else knob.expression,
        )
        for knob in rule.tree.knobs
    )
    sentences = rule.knob_sentences
    return of_tree(replace(rule.tree, knobs=new), paper=rule.paper, doc=rule.doc, knobs=sentences)


def in_one_array(rule: Rule) -> Rule:
    """Give a rule for callers who hold all parameters in one array: what runs over all tensors runs over that one."""

    def change(node: Expression) -> Expression:
        return replace(node, over=None) if isinstance(node, Operation) else node

    tree = mapped_tree(rule.tree, change)
    states = tuple(replace(state, start=mapped(state.start, change)) for state in tree.states)
    return of_tree(replace(tree, states=states), paper=rule.paper, doc=rule.doc, knobs=rule.knob_sentences)
