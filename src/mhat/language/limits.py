"""What a text may not say although its words are in the language: sizes of numbers, tensors for numbers, flattenings.

It parses nothing and knows no arrays.
"""

from __future__ import annotations

import ast
from typing import Any

from mhat.errors import LanguageError
from mhat.language.inference import SCALAR, shape_of, shapes
from mhat.language.tree import FLATTENINGS, Expression, Name, Number, Operation, Tree
from mhat.language.walking import all_expressions
from mhat.ops.table import OPERATIONS

# What asks how large a tensor is.
SIZES = ("rows", "columns", "size")
COUNTING = (*SIZES, "leading")


def told(function: ast.FunctionDef, name: str) -> ast.keyword | None:
    """Find what a decorator is told by keyword."""
    decorators = [each for each in function.decorator_list if isinstance(each, ast.Call)]
    return next((keyword for each in decorators for keyword in each.keywords if keyword.arg == name), None)


def flattening(value: Any) -> str | None:
    """Check how a rule says that tensors of more than two dimensions are flattened; raises LanguageError."""
    if value is None or (isinstance(value, str) and value in FLATTENINGS):
        return value
    known = ", or ".join(f'flatten="{name}" ({what})' for name, what in FLATTENINGS.items())
    raise LanguageError(f"`flatten={value!r}` is not known", f"Write {known}.")


def check_numbers(tree: Tree) -> None:
    """Refuse to ask for the size of a number, and tensors where a number is wanted."""
    asked = [node for node in all_expressions(tree)
             if isinstance(node, Operation) and (node.op in COUNTING or OPERATIONS[node.op].numbers)]  # fmt: skip
    known = shapes(tree) if asked else {}
    for node in asked:
        definition = OPERATIONS[node.op]
        if node.op == "leading" and not _counts(node.arguments[1], tree):
            raise LanguageError(
                "`leading` is not told how many columns", "Write a whole number, or a knob.", node.arguments[1].place
            )
        for name, argument in zip(definition.numbers, node.arguments[definition.arity :], strict=False):
            if shape_of(argument, known) != [SCALAR]:
                said = f"`{name}` of `{node.op}` is a tensor, and must be a number"
                raise LanguageError(said, f"Give a number or a knob: {name}=1e-8.", argument.place)
        if node.op in SIZES and shape_of(node.arguments[0], known) == [SCALAR]:
            said = f"`{node.op}` asks for the size of a number"
            raise LanguageError(said, f"Give it a tensor: {node.op}(x).", node.place)


def _counts(node: Expression, tree: Tree) -> bool:
    """Whether something is a whole number from 1 on, known before the run."""
    default = {knob.name: knob.default for knob in tree.knobs}
    assigned = {*tree.variables, *tree.state_names}
    known = node.id not in assigned if isinstance(node, Name) else isinstance(node, Number)
    value = node.value if isinstance(node, Number) else default.get(node.id, 0.0) if isinstance(node, Name) else 0.0
    return known and 1 <= value < 2**31 and value == int(value)
