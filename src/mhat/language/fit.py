"""Whether a rule with matrix operations can be run on a tensor of a given shape, and if not, at which place.

It knows no arrays: a shape is a tuple of sizes, and `()` that of a number.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

from mhat.errors import BadValue, Place, abridged
from mhat.language.definition import Rule
from mhat.language.inference import Level
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import all_expressions
from mhat.ops.table import OPERATIONS

Sizes = tuple[int, ...]


# For a kernel of a convolution.
FLATTEN = 'Give a tensor of rows and columns, or say in the rule how it becomes one: @mhat.rule(flatten="first").'


class _Misfit(Exception):
    """What does not fit, what to do, and where."""


def matrix_of(rule: Rule, tensor: Sizes) -> Sizes:
    """Give the shape in which a rule sees a tensor: of more than two dimensions as the rule says, else its own."""
    if rule.level != Level.MATRIX or len(tensor) < 3 or rule.tree.flatten is None:
        return tensor
    if rule.tree.flatten == "first":
        return tensor[0], prod(tensor[1:])
    return prod(tensor[:-1]), tensor[-1]


def require_fit(rule: Rule, tensor: Sizes, called: str = "x") -> None:
    """Refuse a tensor (`called` so in the message) that the rule cannot be run on; raises BadValue with the place.

    Rules without matrix operations take every shape.
    """
    if rule.level != Level.MATRIX:
        return
    if len(tensor) != 2 or 0 in tensor:
        first = next(node for node in all_expressions(rule.tree) if _is_matrix_operation(node))
        said = f"has the shape {tensor}" if tensor else "is a number"
        cure = "Give a tensor of rows and columns, or another rule for this one."
        if len(tensor) > 2 and 0 not in tensor:
            cure = FLATTEN
        raise BadValue(f"{_typed(first)} works on a matrix, and {called} {said}", cure, first.place)
    misfit = _misfit(rule, tensor)
    if misfit is not None:
        what, cure, place = misfit
        raise BadValue(f"{what}, where {called} has the shape {tensor}", cure, place)


@lru_cache(maxsize=256)
def _misfit(rule: Rule, tensor: Sizes) -> tuple[str, str, Place | None] | None:
    try:
        _check(rule, tensor)
    except _Misfit as misfit:
        what, cure, place = misfit.args
        return what, cure, place
    return None


def _check(rule: Rule, tensor: Sizes) -> None:
    """Go through two steps of the rule: in the second one the states have the shapes that the first one gave."""
    tree = rule.tree
    numbers: dict[str, Sizes] = dict.fromkeys((*tree.counters, *tree.knob_names), ())
    numbers |= dict.fromkeys({"h"} & {*tree.inputs}, tensor)
    numbers |= {name: (count,) for name, count in rule.ranks.items()}
    known: dict[str, Sizes] = {**numbers, "x": tensor, "g": tensor}
    states = {}
    for state in tree.states:
        (start,) = _sizes(state.start, known)
        states[state.name] = _joined(state.start, start, rule.shape_of(state.name, tensor))
    for _ in range(2):
        known = {**numbers, "x": tensor, "g": tensor, **states}
        for line in tree.body:
            for target, sizes in zip(line.targets, _sizes(line.value, known), strict=True):
                known[target] = sizes
                if target in states:
                    states[target] = _joined(line.value, sizes, states[target], f"the state `{target}` has the shape")
        (result,) = _sizes(tree.result, known)
        if any(a not in (1, b) for a, b in zip(result, tensor, strict=False)):
            raise _Misfit(f"the return has the shape {result}", "Return what has the shape of x.", tree.result.place)


def _sizes(node: Expression, known: dict[str, Sizes]) -> list[Sizes]:
    """Give the shapes of what an expression gives: one, and two for `eigh` and `qr`."""
    if isinstance(node, Number):
        return [()]
    if isinstance(node, Name):
        return [known[node.id]]
    if node.op == "leading":
        return _leading(node, known)
    given = [_sizes(argument, known)[0] for argument in node.arguments]
    if OPERATIONS[node.op].kind == "reduction":
        return [()]
    if _is_matrix_operation(node):
        return _of_matrices(node, given)
    sizes: Sizes = ()
    for other in given:
        sizes = _joined(node, sizes, other)
    return [sizes]


def _leading(node: Operation, known: dict[str, Sizes]) -> list[Sizes]:
    matrix, counting = node.arguments
    sizes = _sizes(matrix, known)[0]
    if len(sizes) != 2:
        what = f"{_typed(node)} works on a matrix, and {_typed(matrix)} is a number"
        raise _Misfit(what, "Give it a matrix.", node.place)
    count = int(counting.value) if isinstance(counting, Number) else 1
    count = known[f"@{counting.id}"][0] if isinstance(counting, Name) else count
    if count > sizes[1]:
        what = f"{_typed(node)} takes {count} columns of a matrix that has {sizes[1]}"
        raise _Misfit(what, "Take fewer, or give this tensor to another rule.", node.place)
    return [(sizes[0], count)]


def _of_matrices(node: Operation, given: list[Sizes]) -> list[Sizes]:
    for argument, sizes in list(zip(node.arguments, given, strict=True))[: OPERATIONS[node.op].arity]:
        if len(sizes) != 2:
            what = f"{_typed(node)} works on a matrix, and {_typed(argument)} is a number"
            raise _Misfit(what, "Give it a matrix.", node.place)
    (rows, columns), *others = given
    if node.op == "matmul":
        ((below, width),) = others
        if columns != below:
            what = f"{_typed(node)} joins the shapes {(rows, columns)} and {(below, width)}"
            raise _Misfit(what, "The columns of the first are the rows of the second: transpose one.", node.place)
        return [(rows, width)]
    if node.op == "sorted_by" and others != [(1, columns)]:
        what = f"{_typed(node)} sorts {columns} columns by what has the shape {others[0]}"
        raise _Misfit(what, "Sort by a row with a number for each column.", node.place)
    if node.op in ("eigh", "identity") and rows != columns:
        what = f"{_typed(node)} works on a square matrix, and this one has the shape {(rows, columns)}"
        raise _Misfit(what, "Give it a matrix such as `a @ transpose(a)`.", node.place)
    least = min(rows, columns)
    results: dict[str, list[Sizes]] = {
        "transpose": [(columns, rows)],
        "row_mean": [(rows, 1)],
        "column_mean": [(1, columns)],
        "row_largest": [(rows, 1)],
        "column_largest": [(1, columns)],
        "rows": [()],
        "columns": [()],
        "eigh": [(1, rows), (rows, rows)],
        "qr": [(rows, least), (least, columns)],
    }
    return results.get(node.op, [(rows, columns)])


def _joined(node: Expression, first: Sizes, second: Sizes, why: str = "") -> Sizes:
    """Broadcast two shapes, as a number or a row goes with a matrix."""
    if not first or not second:
        return first or second
    if any(a != b and 1 not in (a, b) for a, b in zip(first, second, strict=True)):
        what = f"the shapes {first} and {second} do not go together"
        if why:
            what = f"{why} {second}, and this has the shape {first}"
        raise _Misfit(what, "Transpose one of the two, or reduce it to a number.", node.place)
    return tuple(b if a == 1 else a for a, b in zip(first, second, strict=True))


def _is_matrix_operation(node: Expression) -> bool:
    return isinstance(node, Operation) and OPERATIONS[node.op].kind == "matrix"


def _typed(node: Expression) -> str:
    """Give a part as the user wrote it, else the name of the operation."""
    place = node.place
    if place is not None:
        return f"`{abridged(place.text[place.column - 1 : place.end_column - 1])}`"
    return f"`{node.op}`" if isinstance(node, Operation) else f"`{node.id}`" if isinstance(node, Name) else "this"
