"""The limit of the longest step as a formula over knobs, where gradients are summed with powers of one share.

It knows no rule by name and computes no number: whoever asks holds the formula against the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mhat.language.algebra import ONE, ZERO, added, divided, equal, multiplied, negated, subtracted
from mhat.language.recurrences import recurrences_of
from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.walking import mapped, names_in

_TWO = Number(2.0)
_G = Name("g")


@dataclass(frozen=True)
class _Sum:
    """`factor` times the sum of gradients of a kind, weighed with powers of `share`; the kinds are those of weights."""

    kind: str  # "linear", "squares", "root", "largest", "bound", "place"
    factor: Expression
    share: Expression = ZERO


_Seen = _Sum | Expression | None


def limit_formula(tree: Tree, shares: frozenset[str]) -> Expression | None:
    """Give the limit in learning rates; None where it is no such quotient. `shares` are knobs below one."""
    walk = _Walk(shares)
    end = walk.end(tree)
    found = end.factor if isinstance(end, _Sum) and end.kind == "place" and end.factor != ZERO else None
    return found if found is not None and "t" not in names_in(found) else None


@dataclass(frozen=True)
class _Walk:
    """What the lines of a rule are, one after the other."""

    shares: frozenset[str]

    def end(self, tree: Tree) -> _Seen:
        """Give what x becomes."""
        found = recurrences_of(tree)
        last = {target: i for i, line in enumerate(tree.body) for target in line.targets}
        known: dict[str, _Seen] = {name: Name(name) for name in tree.knob_names}
        known |= dict.fromkeys(tree.state_names)
        known |= {"g": _Sum("linear", ONE), "x": _Sum("place", ZERO), "lr": ONE, "t": Name("t")}
        for i, line in enumerate(tree.body):
            if len(line.targets) > 1:
                return None
            (target,) = line.targets
            recurrence = found.get(target) if last[target] == i else None
            if recurrence is not None and recurrence.weight is not None and recurrence.input is not None:
                kind = _kind(recurrence.input)
                factor, share = self.late(recurrence.weight), self.late(recurrence.gain)
                known[target] = _Sum(kind, factor, share) if kind and not names_in(share) & {"t"} else None
            else:
                known[target] = self.decaying_maximum(line, known) or self.seen(line.value, known)
        return self.seen(tree.result, known)

    def late(self, node: Expression) -> Expression:
        """Give what an expression is when t is large: powers of shares are nothing then."""

        def change(part: Expression) -> Expression:
            if not isinstance(part, Operation):
                return part
            if part.op == "pow" and "t" in names_in(part.arguments[1]):
                base = part.arguments[0]
                small = isinstance(base, Name) and base.id in self.shares
                return ZERO if small or (isinstance(base, Number) and abs(base.value) < 1) else part
            joins: dict[str, Callable[..., Expression]] = {
                "add": added, "sub": subtracted, "mul": multiplied, "div": divided, "neg": negated,
            }  # fmt: skip
            return joins[part.op](*part.arguments) if part.op in joins else part

        return mapped(node, change)

    def decaying_maximum(self, line: Assignment, known: Mapping[str, _Seen]) -> _Seen:
        """See `u = maximum(share * u, abs(g) + eps)`."""
        node = line.value
        if not (isinstance(node, Operation) and node.op == "maximum"):
            return None
        for kept, fresh in (node.arguments, node.arguments[::-1]):
            if isinstance(kept, Operation) and kept.op == "mul" and Name(line.targets[0]) in kept.arguments:
                share = kept.arguments[0] if kept.arguments[1] == Name(line.targets[0]) else kept.arguments[1]
                seen = self.seen(fresh, known)
                if isinstance(seen, _Sum) and seen.kind == "largest":
                    return replace(seen, share=share)
        return None

    def seen(self, node: Expression, known: Mapping[str, _Seen]) -> _Seen:
        if isinstance(node, Number):
            return node
        if isinstance(node, Name):
            return known.get(node.id)
        if node.op == "where":
            return None
        parts = [self.seen(argument, known) for argument in node.arguments]
        if any(part is None for part in parts):
            return None
        plain = tuple(part for part in parts if part is not None and not isinstance(part, _Sum))
        if len(plain) == len(parts):
            return self.late(Operation(node.op, plain))
        meaning = _MEANINGS.get(node.op)
        return meaning(*parts) if meaning is not None else None


def _kind(fed: Expression) -> str:
    if fed == _G:
        return "linear"
    return "squares" if equal(fed, Operation("mul", (_G, _G))) else ""


def _quotient(a: _Seen, b: _Seen) -> _Seen:
    if not isinstance(a, _Sum):
        return None
    if not isinstance(b, _Sum):
        return None if b is None else replace(a, factor=divided(a.factor, b))
    if a.kind != "linear" or b.kind not in ("root", "largest"):
        return None
    if a.share == ZERO:
        shares: Expression = ONE
    elif b.share == ZERO:
        return None
    elif b.kind == "root":
        shares = subtracted(ONE, divided(Operation("pow", (a.share, _TWO)), b.share))
    else:
        shares = subtracted(ONE, divided(a.share, b.share))
    below = multiplied(b.factor, shares)
    if b.kind == "largest":
        return _Sum("bound", divided(a.factor, below))
    return _Sum("bound", a.factor if equal(below, ONE) else divided(a.factor, Operation("sqrt", (below,))))


def _product(a: _Seen, b: _Seen) -> _Seen:
    if isinstance(a, _Sum) and isinstance(b, _Sum):
        return _Sum("squares", ONE) if a == b == _Sum("linear", ONE) else None
    one, other = (a, b) if isinstance(a, _Sum) else (b, a)
    assert isinstance(one, _Sum) and other is not None and not isinstance(other, _Sum)
    if one.kind in ("root",):
        return None
    return replace(one, factor=multiplied(one.factor, other))


def _total(a: _Seen, b: _Seen) -> _Seen:
    kinds = {each.kind: each for each in (a, b) if isinstance(each, _Sum)}
    if "place" in kinds and "bound" in kinds:
        # What is added to x: its sign does not matter for its size.
        return _Sum("place", kinds["bound"].factor) if kinds["place"].factor == ZERO else None
    if "place" in kinds and len(kinds) == 1:
        return kinds["place"] if isinstance(a, _Sum) and isinstance(b, _Sum) else None
    if len(kinds) == 1 and not (isinstance(a, _Sum) and isinstance(b, _Sum)):
        (only,) = kinds.values()
        return only if only.kind in ("squares", "root", "largest") else None
    return None


def _root(a: _Seen) -> _Seen:
    return replace(a, kind="root") if isinstance(a, _Sum) and a.kind == "squares" else None


def _size(a: _Seen) -> _Seen:
    return replace(a, kind="largest") if isinstance(a, _Sum) and a.kind == "linear" and a.share == ZERO else None


def _square(a: _Seen, b: _Seen) -> _Seen:
    if b == _TWO:
        return _product(a, a)
    return _root(a) if b == Number(0.5) else None


_MEANINGS: dict[str, Callable[..., _Seen]] = {
    "add": _total,
    "sub": _total,
    "mul": _product,
    "div": _quotient,
    "neg": lambda a: a,
    "sqrt": _root,
    "abs": _size,
    "pow": _square,
    "sign": lambda a: _Sum("bound", ONE),
    "maximum": _total,
}
