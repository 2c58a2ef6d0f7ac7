"""What the result of a rule is for: how x moves, by how much, and what it loses. It knows no rule by name."""

from __future__ import annotations

from mhat.explanations.claims import four_digits
from mhat.explanations.lines.reading import Reading, factors, product
from mhat.explanations.lines.roles import ONE, Role, role_of_value
from mhat.explanations.lines.words import coded, said
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import names_in
from mhat.printers.python import expression_text


def role_of_result(reading: Reading) -> Role:
    """The new x: how it moves, and what is taken away from it."""
    tree = reading.tree
    decayed = _decay(reading)
    step = reading_step(reading)
    if step is None or (reading.moving is not None and reading.moving.gain == Number(0.0)):
        return Role("plain", f"the new x: {said(tree.result)}", expression_text(tree.result))
    size, what = step
    value = reading.constant(size)
    by = "" if size == ONE else said(size) if value is None else f"{coded(size)} = {four_digits(value)}"
    inner = role_of_value(reading, what) if isinstance(what, Operation) else None
    plain = inner is None or inner.kind == "plain"
    against = said(what) if inner is None or plain else inner.phrase
    phrase = f"x moves against {against}"
    if by:
        phrase = f"{phrase}, by {by} times it" if plain else f"x moves, by {by} times it, against {against}"
    if decayed:
        phrase += f", and loses the share {decayed} of itself at every step"
    kind, frozen = ("decay", _undecayed(reading)) if decayed else ("plain", None)
    if frozen is None and inner is not None and inner.frozen is not None:
        kind, frozen = inner.kind, _stepping(reading, inner.frozen)
    return Role(kind, phrase, expression_text(tree.result), frozen)


def reading_step(reading: Reading) -> tuple[Expression, Expression] | None:
    """Take the step apart: x loses `size * what`, size being one number a step; None where it is no such thing."""
    moving, result = reading.moving, reading.tree.result
    if moving is None and isinstance(result, Operation) and result.op == "sub" and result.arguments[0] == Name("x"):
        above, below = factors(result.arguments[1])
        own = [node for node in above if not reading.is_number(node)], [n for n in below if not reading.is_number(n)]
        of_step = [node for node in above if reading.is_number(node)], [n for n in below if reading.is_number(n)]
        return (product(*of_step), product(*own)) if own[0] else None
    if moving is None or moving.weight is None or moving.input is None or moving.offset != Number(0.0):
        return None
    weight = moving.weight
    if isinstance(weight, Operation) and weight.op == "neg":
        return weight.arguments[0], moving.input
    if weight == Number(-1.0):
        return ONE, moving.input
    return None


def _decay(reading: Reading) -> str:
    """Say which share of itself x loses; nothing where it loses none."""
    moving = reading.moving
    if moving is None or moving.gain == ONE:
        return ""
    lost = reading.constant(moving.gain)
    if lost is None or lost == 1.0:
        return ""
    return f"{four_digits(1.0 - lost)}"


def _undecayed(reading: Reading) -> Expression | None:
    moving = reading.moving
    if moving is None or names_in(moving.fed) - {
        *reading.tree.variables,
        *reading.tree.inputs,
        *reading.tree.knob_names,
    }:
        return None
    return Operation("add", (Name("x"), moving.fed))


def _stepping(reading: Reading, what: Expression) -> Expression | None:
    step = reading_step(reading)
    if step is None or (reading.moving is not None and reading.moving.gain == Number(0.0)):
        return None
    return Operation("sub", (Name("x"), Operation("mul", (step[0], what))))
