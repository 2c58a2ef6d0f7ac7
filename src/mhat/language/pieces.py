"""Pieces of pseudo code: lines and expressions, read outside of any rule. It knows no meaning of a name."""

from __future__ import annotations

import re
from dataclasses import replace

from mhat.language.definition import rule as rule_of
from mhat.language.tree import INPUTS, Assignment, Expression, Name
from mhat.language.walking import mapped
from mhat.ops.table import OPERATIONS

# Words of pseudo code that are no names.
SYNTAX = ("if", "else", "and", "or", "not", "over", "all")


def lines_of(text: str, **parts: Expression) -> tuple[Assignment, ...]:
    """Read lines of pseudo code, whatever the names in them stand for; names of `parts` stand for expressions."""
    body = "".join(f"    {line.strip()}\n" for line in text.strip().splitlines())
    words = set(re.findall(r"[A-Za-z_]\w*", body)) - {*INPUTS, *OPERATIONS, *SYNTAX}
    signature = ", ".join([*INPUTS, *(f"{word}=0" for word in sorted(words))])

    def filled(node: Expression) -> Expression:
        node = replace(node, place=None)
        return parts.get(node.id, node) if isinstance(node, Name) else node

    read = rule_of(f"def piece({signature}):\n{body}    return x\n").tree.body
    return tuple(Assignment(line.targets, mapped(line.value, filled)) for line in read)


def expression_of(text: str, **parts: Expression) -> Expression:
    """Read an expression of pseudo code, whatever the names in it stand for; names of `parts` stand for expressions."""
    return lines_of(f"piece_ = {text}", **parts)[0].value
