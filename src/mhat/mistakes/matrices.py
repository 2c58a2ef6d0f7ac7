"""Mistakes with matrices: turned, multiplied in another order, averaged along the other side, another iteration.

They are made of rules per matrix alone. It knows no rule by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.language.inference import Level, level
from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.mistakes.numbered import open_edit
from mhat.mistakes.paths import G, X, operation, said
from mhat.mistakes.slots import AFTER, BEFORE, RESULT, Content, Edit, Slot, Spot, content, spots
from mhat.notation.decimals import near
from mhat.ops import OPERATIONS
from mhat.ops.orthogonality import NEWTON_SCHULZ, NEWTON_SCHULZ_EPS, NEWTON_SCHULZ_ROUNDS, SETS, USUAL

# What averages along one side, along the other, and over all.
OTHER_SIDE = {"row_mean": ("column_mean", "rows"), "column_mean": ("row_mean", "columns")}
# Other numbers of rounds, and other coefficients that are in use.
ROUNDS = (1, 2, 3, 4, 6, 7, 8, 10, 12)
COEFFICIENTS = ((1.5, -0.5, 0.0), (2.0, -1.5, 0.5), (1.875, -1.25, 0.375), (3.0, -3.0, 1.0), (3.4445, 4.775, 2.0315),
                (3.4445, -4.775, -2.0315), (3.4445, 2.0315, -4.775), (2.0315, -4.775, 3.4445))  # fmt: skip
ITERATED, SQUARE = "iterated", "square"


def _count(size: str, mean: str) -> Expression:
    """Count the rows or the columns of x, with an operation of that name if there is one."""
    if size in OPERATIONS:
        return operation(size, X)
    return operation("sum", operation(mean, operation("pow", X, Number(0.0))))


ROWS, COLUMNS = _count("rows", "row_mean"), _count("columns", "column_mean")


def of_matrices(tree: Tree) -> Iterator[Edit]:
    """Yield all of them that are plain."""
    if level(tree) != Level.MATRIX:
        return
    for spot in spots(tree):
        yield from _turned(spot)
        if isinstance(spot.part, Operation):
            yield from _otherwise(spot, spot.part)
    yield from _scaled(tree)
    yield from _orthogonal_elsewhere(tree)


def _orthogonal_elsewhere(tree: Tree) -> Iterator[Edit]:
    """Take signs or the direction alone in the place of what is orthogonal, or make the gradient orthogonal instead."""
    for spot in spots(tree):
        if not (isinstance(spot.part, Operation) and spot.part.op == "orthogonal"):
            continue
        inner = spot.part.arguments[0]
        direction = operation("div", inner, operation("add", operation("norm", inner), Number(NEWTON_SCHULZ_EPS)))
        for instead in (operation("sign", inner), direction):
            sentence = f"{spot.where} {said(instead)} stands where {said(spot.part)} should"
            yield spot.edit(instead, sentence, "operator", 1.15)
        first = Assignment(("g",), replace(spot.part, arguments=(G, *spot.part.arguments[1:])))
        sentence = f"the gradient is made orthogonal before all else, and not {said(inner)}"
        yield Edit(sentence, ((BEFORE, (first,)), spot.change(inner)), "moved", 1.1)


def _scaled(tree: Tree) -> Iterator[Edit]:
    """Scale the step by the shape, in the ways that are in use."""
    if not (isinstance(tree.result, Operation) and tree.result.op in ("sub", "add")):
        return
    step = Spot(tree, RESULT, (), tree.result).below(1)
    rows, columns = ROWS, COLUMNS
    ratio, inverse = operation("div", rows, columns), operation("div", columns, rows)
    scales = (ratio, inverse, operation("maximum", Number(1.0), ratio), operation("maximum", Number(1.0), inverse),
              operation("maximum", rows, columns), operation("minimum", rows, columns), rows, columns,
              operation("mul", rows, columns))  # fmt: skip
    for scale in scales:
        for factor in (operation("sqrt", scale), scale):
            for op, word in (("mul", "multiplied"), ("div", "divided")):
                sentence = f"{step.where} {said(step.part)} is {word} by {said(factor)}"
                yield step.edit(operation(op, step.part, factor), sentence, "scaled", 1.1)
            told = operation("mul", Number(0.2), factor)
            sentence = f"{step.where} {said(step.part)} is multiplied by {said(told)}"
            yield step.edit(operation("mul", step.part, told), sentence, "scaled", 1.2)


def iterations(tree: Tree) -> Iterator[Edit]:
    """Yield other iterations in the place of Newton and Schulz's: other rounds, coefficients and norms."""
    for spot in spots(tree):
        if not (isinstance(spot.part, Operation) and spot.part.op == "orthogonal"):
            continue
        what, options = said(spot.part), dict(spot.part.options)
        usual = len(SETS[str(options.get("set", USUAL))].of(int(options["rounds"]) if "rounds" in options else None))
        for rounds in ROUNDS:
            if rounds != usual:
                told = replace(spot.part, options=tuple({**options, "rounds": rounds}.items()))
                yield spot.edit(told, f"{spot.where} {what} takes {rounds} rounds, not {usual}", "iteration", 1.05)
        for name in SETS:
            if name != options.get("set", USUAL):
                told = replace(spot.part, options=(("set", name),) if name != USUAL else ())
                yield spot.edit(told, f"{spot.where} {what} has the coefficients of {name!r}", "iteration", 1.05)
        if options or len(spot.part.arguments) > 1:
            continue
        length = operation("norm", spot.part.arguments[0])
        guarded = operation("add", length, Number(NEWTON_SCHULZ_EPS))
        for instead in COEFFICIENTS:
            told_by = ", ".join(map(near, instead))
            yield _iterated(spot, guarded, instead, f"{spot.where} {what} has the coefficients {told_by}")
        for place, own in enumerate(NEWTON_SCHULZ):
            yield from _coefficients(spot, guarded, place, own)
        yield _iterated(spot, None, NEWTON_SCHULZ, f"{spot.where} {what} begins without the division by the norm")
        for name, sentence in (
            ("row_mean", "each row by its own norm"),
            ("column_mean", "each column by its own norm"),
        ):
            yield _iterated(spot, _norm_along(spot, name), NEWTON_SCHULZ, f"{spot.where} {what} begins with {sentence}")


def _turned(spot: Spot) -> Iterator[Edit]:
    """Turn a matrix that is to stand as it is."""
    if isinstance(spot.part, Number):
        return
    if isinstance(spot.part, Operation) and spot.part.op in ("transpose", "row_mean", "column_mean"):
        return
    turned = operation("transpose", spot.part)
    yield spot.edit(turned, f"{spot.where} {said(turned)} stands where {said(spot.part)} should", "turned", 1.15)


def _otherwise(spot: Spot, part: Operation) -> Iterator[Edit]:
    where = spot.where
    if part.op == "matmul":
        first, second = part.arguments
        new = operation("matmul", second, first)
        yield spot.edit(new, f"{where} {said(new)} stands where {said(part)} should", "exchanged", 1.05)
        by_entries = operation("mul", first, second)
        sentence = f"{where} {said(part)} is multiplied entry by entry, not as matrices"
        yield spot.edit(by_entries, sentence, "operator", 1.1)
    if part.op in OTHER_SIDE:
        (inner,) = part.arguments
        other, side = OTHER_SIDE[part.op]
        new = operation(other, inner)
        yield spot.edit(new, f"{where} {said(new)} stands where {said(part)} should: the other axis", "axis", 1.0)
        whole = operation("mean", inner)
        yield spot.edit(
            whole, f"{where} the mean of all of {said(inner)} stands where {said(part)} should", "axis", 1.05
        )
        summed = operation("mul", part, COLUMNS if part.op == "row_mean" else ROWS)
        yield spot.edit(summed, f"{where} the sum along the {side} stands where {said(part)} should", "axis", 1.05)
    if part.op in ("mean", "sum", "norm") and part.over is None:
        for op in ("mean", "sum", "norm"):
            if op != part.op:
                new = Operation(op, part.arguments)
                yield spot.edit(new, f"{where} {said(new)} stands where {said(part)} should", "operator", 1.1)


def _norm_along(spot: Spot, mean: str) -> Expression:
    assert isinstance(spot.part, Operation)
    square = operation("pow", spot.part.arguments[0], Number(2.0))
    root = operation("sqrt", operation("mul", operation(mean, square), COLUMNS if mean == "row_mean" else ROWS))
    return operation("add", root, Number(NEWTON_SCHULZ_EPS))


def _coefficients(spot: Spot, length: Expression, place: int, usual: float) -> Iterator[Edit]:
    """Give one coefficient another number, usual slips of digits first; which it is can be estimated."""

    def made(value: float) -> Edit:
        changed = tuple(value if i == place else own for i, own in enumerate(NEWTON_SCHULZ))
        told = ", ".join(map(near, changed))
        sentence = (
            f"{spot.where} {said(spot.part)} has the coefficients {told}: `{near(value)}` where {usual:g} should be"
        )
        return _iterated(spot, length, changed, sentence)

    sign = -1.0 if usual < 0 else 1.0
    for value in dict.fromkeys((*_slips(abs(usual)), round(abs(usual), 1), round(abs(usual)) * 1.0)):
        if value != abs(usual):
            # The number that is estimated is positive; the coefficient keeps its sign.
            yield open_edit(lambda other: made(sign * other), value)


def _slips(value: float) -> Iterator[float]:
    """Yield what a number becomes when a digit is lost, or two are exchanged."""
    digits = f"{value:g}"
    for i in range(len(digits)):
        for slip in (digits[:i] + digits[i + 1 :], digits[:i] + digits[i + 1 : i + 2] + digits[i] + digits[i + 2 :]):
            try:
                yield float(slip)
            except ValueError:
                continue


def _iterated(spot: Spot, length: Expression | None, coefficients: tuple[float, ...], sentence: str) -> Edit:
    """Write the iteration out before the line in which it stands, with other numbers."""
    assert isinstance(spot.part, Operation)
    taken = {*spot.tree.variables, *spot.tree.state_names, *spot.tree.knob_names}
    z, square = (name if name not in taken else f"{name}_" for name in (ITERATED, SQUARE))
    begun: Expression = spot.part.arguments[0]
    lines = [Assignment((z,), begun if length is None else operation("div", begun, length))]
    first, second, third = map(_number, coefficients)
    for _ in range(NEWTON_SCHULZ_ROUNDS):
        lines.append(Assignment((square,), operation("matmul", Name(z), operation("transpose", Name(z)))))
        inner = operation("mul", second, Name(square))
        quintic = operation("matmul", operation("mul", third, Name(square)), Name(square))
        moved = operation("matmul", operation("add", inner, quintic), Name(z))
        lines.append(Assignment((z,), operation("add", operation("mul", first, Name(z)), moved)))
    held = content(spot.tree, spot.slot, spot.holding(Name(z)))
    changes: tuple[tuple[Slot, Content], ...]
    if spot.slot == RESULT:
        changes = ((AFTER, tuple(lines)), (RESULT, held))
    else:
        assert isinstance(held, tuple)
        changes = ((spot.slot, (*lines, *held)),)
    return Edit(sentence, changes, "iteration", 1.1)


def _number(value: float) -> Expression:
    return operation("neg", Number(-value)) if value < 0 else Number(value)
