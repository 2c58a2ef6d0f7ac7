"""The pseudo code of a form with its knobs, and of a form whose knobs are written as expressions of other knobs.

Edits are exchanges in the printed rule, as dialects are; what comes out is parsed anew and is a rule like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from mhat import rules
from mhat.conversions.entries import NEUTRAL, Edit, Entry, Form
from mhat.language import Rule, of_tree
from mhat.language import rule as rule_of
from mhat.language.inference import names_read
from mhat.language.tree import Expression, Knob, Name, Tree
from mhat.language.walking import mapped, mapped_tree, names_in
from mhat.mistakes.dialects import DIALECTS, spoken
from mhat.notation.decimals import exact
from mhat.printers import python

_NAME = re.compile(r"[A-Za-z_]\w*")


def written(entry: Entry, form: Form, knobs: Mapping[str, float], more: Iterable[Edit] = ()) -> Rule:
    """Write a form with its knobs, which become the defaults; edits whose knob is neutral are left out.

    `more`: edits that are no part of the entry. Raises ValueError where an edit does not fit.
    """
    text = _base(form.rule, form.dialects)
    body = [*map(python.line_text, text.body), f"return {python.expression_text(text.result)}"]
    states = {state.name: python.start_text(state.start) for state in text.states}
    own = [edit for edit in entry.edits if edit.knob not in form.lacks]
    for edit in (*form.edits, *own, *more):
        if edit.knob and knobs.get(edit.knob, 0.0) == NEUTRAL.get(edit.knob):
            continue
        body = _edited(body, edit, form.rule)
        states |= {name: start if _is_number(start) else f'"{start}"' for name, start in edit.states.items()}
    names = set(_NAME.findall(" ".join([*body, *states.values()])))
    inputs = ["x", "g", *(["t"] if "t" in names else [])]
    told = [f"{name}={exact(float(value))}" for name, value in knobs.items() if name in names]
    signature = [*inputs, *(f"{name}={start}" for name, start in states.items()), *(["*", *told] if told else [])]
    lines = "\n".join(f"    {line}" for line in body)
    return rule_of(f"def {form.name}({', '.join(signature)}):\n{lines}\n")


def with_knobs(rule: Rule, expressions: Mapping[str, str], knobs: Mapping[str, float]) -> Rule:
    """Write a rule whose knobs are expressions of other knobs and of t; `knobs` are these, with their values."""
    meant = {name: expression_of(text) for name, text in expressions.items()}

    def change(node: Expression) -> Expression:
        return meant.get(node.id, node) if isinstance(node, Name) else node

    tree = rule.tree
    starts = tuple(replace(state, start=mapped(state.start, change)) for state in tree.states)
    changed = replace(mapped_tree(tree, change), states=starts, knobs=())
    read = names_read(changed) | {name for state in starts for name in names_in(state.start)}
    inputs = tuple(name for name in ("x", "g", "t") if name in tree.inputs or name in read)
    return of_tree(_with_defaults(replace(changed, inputs=inputs), {n: v for n, v in knobs.items() if n in read}))


def with_rate(rule: Rule, expression: str) -> Rule:
    """Let the learning rate of a rule follow an expression of lr and t."""
    return with_knobs(rule, {"lr": expression}, rule.knobs)


def expression_of(text: str) -> Expression:
    """Read an expression of knobs and t."""
    knobs = sorted(set(_NAME.findall(text)) - {"t", "sqrt", "if", "else"})
    told = f", *, {', '.join(f'{name}=0' for name in knobs)}" if knobs else ""
    return rule_of(f"def expression(x, g, t{told}):\n    return {text}\n").tree.result


def same_lines(one: Rule, other: Rule) -> bool:
    """Whether two rules are written alike, whatever they are called."""
    return _without_signature(one.tree) == _without_signature(other.tree)


def _without_signature(tree: Tree) -> Tree:
    return replace(tree, name="", inputs=(), knobs=())


def _with_defaults(tree: Tree, knobs: Mapping[str, float]) -> Tree:
    return replace(tree, knobs=tuple(Knob(name, float(value)) for name, value in knobs.items()))


@lru_cache(maxsize=64)
def _base(name: str, dialects: tuple[str, ...]) -> Tree:
    """Write a rule of the library in dialects of its own."""
    own = {dialect.name: dialect for dialect in DIALECTS if dialect.of == name}
    text = python.rule_text(rules.named(name).tree)
    for called in dialects:
        said = spoken(own[called], text)
        if said is None:
            raise ValueError(f"{name} has no place for its dialect {called!r}")
        text = said
    return rule_of(text).tree


def _edited(body: list[str], edit: Edit, name: str) -> list[str]:
    lines = "\n".join(body)
    fitting = [pieces for pieces in edit.exchanges if all(lines.count(old) == 1 for old, _ in pieces)]
    if edit.exchanges and not fitting:
        raise ValueError(f"in {name} there is no place for {edit.exchanges}")
    for old, new in fitting[0] if fitting else ():
        lines = lines.replace(old, new)
    return [*([edit.first] if edit.first else []), *lines.split("\n")]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
