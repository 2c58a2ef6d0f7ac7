"""Small changes inside one expression: a part dropped, exchanged, replaced, wrapped. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import names_in
from mhat.mistakes.paths import ONE, TWO, ZERO, Path, operation, said
from mhat.mistakes.slots import Edit, Spot, spots_in
from mhat.notation.decimals import exact
from mhat.ops import OPERATIONS

# The kind and place of a change, so that lines alike can be changed alike.
Key = tuple[object, ...]
OTHER_OPERATOR = {
    "add": ("sub", "mul"),
    "sub": ("add",),
    "mul": ("div",),
    "div": ("mul",),
    "minimum": ("maximum",),
    "maximum": ("minimum", "add"),
    "lt": ("le", "gt"),
    "le": ("lt", "ge"),
    "gt": ("ge", "lt"),
    "ge": ("gt", "le"),
    "sin": ("cos",),
    "cos": ("sin",),
}
# What an input is that rules seldom read.
EXPLAINED = {"k": ", the number of the tensor,", "n": ", how many tensors there are,"}
# Steps after which a counter that is advanced once an epoch goes up.
EPOCHS = (2, 3, 4, 5, 6, 7, 8, 10)


@dataclass(frozen=True)
class Change:
    """What may stand where one part does."""

    expression: Expression
    sentence: str
    operator: str
    key: Key
    cost: float = 1.0


def changes(whole: Spot, visible: tuple[str, ...], knobs: tuple[str, ...]) -> Iterator[tuple[Key, Edit]]:
    """Yield the plain changes of what one slot computes; `visible` are the names that may be read there."""
    for spot in spots_in(whole):
        for change in _changes_at(spot.part, spot.path, visible, knobs):
            sentence = f"{whole.where} {change.sentence}"
            yield change.key, spot.edit(change.expression, sentence, change.operator, change.cost)


def _changes_at(part: Expression, path: Path, visible: tuple[str, ...], knobs: tuple[str, ...]) -> Iterator[Change]:
    if isinstance(part, Name):
        yield from _names(part, path, visible, knobs)
    elif isinstance(part, Number):
        yield from _numbers(part, path)
    else:
        yield from _drops(part, path)
        yield from _operators(part, path)
        yield from _roots(part, path)


def _names(part: Name, path: Path, visible: tuple[str, ...], knobs: tuple[str, ...]) -> Iterator[Change]:
    for other in visible:
        if other != part.id:
            known = f"`{other}`{EXPLAINED.get(other, '')}"
            sentence = f"{known} stands where `{part.id}` should"
            yield Change(Name(other), sentence, "name", ("name", path, part.id, other))
    if part.id in knobs:
        complement = operation("sub", ONE, part)
        yield Change(complement, f"`1 - {part.id}` stands where `{part.id}` should", "complement", ("c", path))
        root = operation("sqrt", part)
        yield Change(root, f"a root is taken of `{part.id}`", "root added", ("root", path), 1.4)
        squared = operation("pow", part, TWO)
        yield Change(squared, f"`{part.id}` is squared", "square added", ("sq", path), 1.3)
        power = operation("pow", part, Name("t"))
        yield Change(power, f"`{part.id}**t` stands where `{part.id}` should", "power added", ("power", path), 1.2)
    elif part.id == "t":
        for i, (new, why) in enumerate(counters()):
            # Without a power at all is plainer than the power of one.
            yield Change(new, why, "counter", ("t", path, i), 1.02 if new == ONE else 1.0)
    else:
        yield Change(operation("pow", part, TWO), f"`{part.id}` is squared", "square added", ("sq", path), 1.2)
        yield Change(operation("abs", part), f"`{part.id}` loses its sign", "abs added", ("abs", path), 1.2)
        yield Change(operation("sqrt", part), f"a root is taken of `{part.id}`", "root added", ("root", path), 1.2)
        yield Change(operation("neg", part), f"the sign of `{part.id}` is changed", "sign", ("neg", path), 1.1)


def counters() -> Iterator[tuple[Expression, str]]:
    """Yield what a wrong counter may be in place of `t`, with the sentence for it."""
    t = Name("t")
    before = operation("sub", t, ONE)
    yield before, "the step counter starts at 0: `t - 1` stands where `t` should"
    yield operation("add", t, ONE), "the step counter is one ahead: `t + 1` stands where `t` should"
    yield ONE, "the step counter is not used: `1` stands where `t` should"
    yield TWO, "the exponent is the constant 2 where `t` should stand"
    yield (
        operation("add", operation("mul", Name("n"), before), Name("k")),
        "the step counter advances once for every tensor, not once a step",
    )
    yield operation("mul", Name("n"), t), "the step counter advances once for every tensor, all before the step"
    yield operation("mul", TWO, t), "the step counter advances twice a step"
    yield operation("div", ONE, t), "the exponent is `1 / t` where `t` should stand"
    yield operation("sqrt", t), "the exponent is `sqrt(t)` where `t` should stand"
    yield operation("pow", t, TWO), "the exponent is `t**2` where `t` should stand"
    added_up = operation("div", operation("mul", t, operation("add", t, ONE)), TWO)
    yield added_up, "the powers of all steps are multiplied: `t * (t + 1) / 2` stands where `t` should"
    later = operation("add", t, operation("gt", Name("k"), ONE))
    yield later, "the step counter advances after the first tensor, not after the last"
    for length in EPOCHS:
        count = Number(float(length))
        epoch = operation("floordiv", before, count)
        yield operation("add", epoch, ONE), f"the step counter advances once in {length} steps"
        yield operation("floordiv", t, count), f"the step counter advances once in {length} steps, starting at 0"
        yield epoch, f"the step counter advances once in {length} steps, starting at 0"


def _numbers(part: Number, path: Path) -> Iterator[Change]:
    value = part.value
    for new in dict.fromkeys((value + 1, value - 1, value * 2, value / 2, 0.0, 1.0)):
        if new != value and new >= 0:
            sentence = f"`{exact(new)}` stands where `{exact(value)}` should"
            yield Change(Number(new), sentence, "number", ("number", path, new), 1.1)


def _drops(part: Operation, path: Path) -> Iterator[Change]:
    """Leave out an operation: one of its operands stands for the whole."""
    if part.op in ("lt", "le", "gt", "ge", "eq", "ne"):
        for value in (ONE, ZERO):
            word = "always" if value.value else "never"
            yield Change(value, f"{said(part)} {word} holds", "condition", ("cond", path, word), 1.1)
        return
    operands = part.arguments[1:] if part.op == "where" else part.arguments
    for i, operand in enumerate(operands):
        is_first_of_sub = part.op == "sub" and i == 0
        if isinstance(operand, Number) and part.op in ("pow", "add", "sub") and not is_first_of_sub:
            continue
        if part.op == "pow" and i == 1:
            continue
        yield Change(operand, _drop_sentence(part, i), "drop", ("drop", path, part.op, i))
    if part.op == "sub":
        negative = operation("neg", part.arguments[1])
        yield Change(negative, f"{said(part.arguments[0])} is missing", "drop", ("dropneg", path), 1.0)
    if part.op == "div":
        inverse = operation("div", ONE, part.arguments[1])
        yield Change(inverse, f"{said(part.arguments[0])} is missing", "drop", ("inverse", path), 1.1)


def _drop_sentence(part: Operation, kept: int) -> str:
    if part.op == "where":
        return f"the choice {said(part)} is not made"
    if len(part.arguments) == 1:
        word = {"sqrt": "the root", "neg": "the sign", "abs": "the size"}.get(part.op, f"`{part.op}`")
        return f"{word} of {said(part.arguments[0])} is missing"
    if part.op == "pow":
        return f"the power in {said(part)} is missing"
    if part.op == "clip":
        return f"{said(part)} is not limited"
    others = " and ".join(said(a) for i, a in enumerate(part.arguments) if i != kept)
    if part.op == "div" and kept == 0:
        return f"the division by {others} is missing"
    if part.op in ("maximum", "minimum"):
        return f"the {part.op} with {others} is not taken"
    word = "factor" if part.op == "mul" else "term"
    return f"the {word} {others} is missing" if part.op in ("mul", "add", "sub") else f"{others} is missing"


def _operators(part: Operation, path: Path) -> Iterator[Change]:
    for word in OTHER_OPERATOR.get(part.op, ()):
        new = operation(word, *part.arguments)
        yield Change(new, f"{said(new)} stands where {said(part)} should", "operator", ("op", path, part.op, word))
    if part.op == "pow" and not isinstance(part.arguments[1], Number):
        for instead, op in ((operation("mul", *part.arguments), "mul"), (part.arguments[1], "exponent")):
            sentence = f"{said(instead)} stands where {said(part)} should"
            yield Change(instead, sentence, "operator", ("op", path, "pow", op), 1.1)
    if part.op in ("sub", "div", "pow", "atan2"):
        first, second = part.arguments[:2]
        if not (part.op == "pow" and isinstance(second, Number)):
            new = operation(part.op, second, first)
            yield Change(
                new, f"{said(new)} stands where {said(part)} should", "exchanged", ("swap", path, part.op), 1.1
            )
    if part.op == "where":
        condition, first, second = part.arguments
        new = operation("where", condition, second, first)
        yield Change(new, f"the choice {said(part)} is the wrong way round", "exchanged", ("swap", path, "where"))
        for i, branch in enumerate((first, second)):
            if branch != ZERO:
                new = operation("where", condition, *((ZERO, second) if i == 0 else (first, ZERO)))
                sentence = f"`0` stands where {said(branch)} should in the choice"
                yield Change(new, sentence, "number", ("zero", path, i), 1.1)
    if part.op in ("sqrt", "cbrt"):
        for other in {"sqrt": ("cbrt", "abs"), "cbrt": ("sqrt",)}[part.op]:
            new = operation(other, *part.arguments)
            sentence = f"{said(new)} stands where {said(part)} should"
            yield Change(new, sentence, "operator", ("op", path, part.op, other), 1.2)


def _roots(part: Operation, path: Path) -> Iterator[Change]:
    """Take a root, a square, a size, a sign or the complement of a whole part."""
    if part.op in ("sqrt", "abs", "sign") or OPERATIONS[part.op].kind in ("comparison", "logic"):
        return
    for op, word in (("sqrt", "a root is taken of"), ("abs", "the sign is taken from")):
        yield Change(operation(op, part), f"{word} {said(part)}", f"{op} added", (op, path), 1.3)
    squared = operation("pow", part, TWO)
    yield Change(squared, f"{said(part)} is squared", "square added", ("sq", path), 1.3)
    yield Change(operation("neg", part), f"the sign of {said(part)} is changed", "sign", ("neg", path), 1.2)
    complement = operation("sub", ONE, part)
    sentence = f"{said(complement)} stands where {said(part)} should"
    yield Change(complement, sentence, "complement", ("complement", path), 1.3)


def insertions(whole: Spot, addends: Sequence[Expression], factors: Sequence[Expression]) -> Iterator[Edit]:
    """Yield far-fetched changes: a term added or a factor put on anywhere."""
    for spot in spots_in(whole):
        part = spot.part
        if isinstance(part, Number):
            continue
        for term in addends:
            for op, word in (("add", "added to"), ("sub", "taken from")):
                sentence = f"{whole.where} {said(term)} is {word} {said(part)}"
                yield spot.edit(operation(op, part, term), sentence, "term added", 1.2)
        for factor in factors:
            if factor == part or names_in(part) == names_in(factor) == {"t"}:
                continue
            for op, word in (("mul", "multiplied"), ("div", "divided")):
                sentence = f"{whole.where} {said(part)} is {word} by {said(factor)}"
                yield spot.edit(operation(op, part, factor), sentence, "factor added", 1.2)


def grafts(whole: Spot, pool: Sequence[Expression]) -> Iterator[Edit]:
    """Yield far-fetched changes: a part replaced by another part of the rule."""
    for spot in spots_in(whole):
        if isinstance(spot.part, Number):
            continue
        for other in pool:
            if other != spot.part:
                sentence = f"{whole.where} {said(other)} stands where {said(spot.part)} should"
                yield spot.edit(other, sentence, "graft", 1.5)


def mixtures(whole: Spot) -> Iterator[Edit]:
    """Yield far-fetched changes: one number for the whole tensor, or for all tensors, in place of one a coordinate."""
    for spot in spots_in(whole):
        part = spot.part
        if isinstance(part, Number) or not names_in(part) & {"g", "x", "m", "v"}:
            continue
        for op in ("mean", "sum", "norm"):
            for over, word in ((None, "the tensor"), ("all", "all tensors")):
                sentence = f"{whole.where} the {op} of {said(part)} over {word} stands where {said(part)} should"
                yield spot.edit(Operation(op, (part,), over), sentence, "mixed", 1.3)
