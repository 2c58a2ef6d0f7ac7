"""Proofs of what happens where something is zero: what is multiplied by it goes. They know no rule by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from mhat.language import Assignment, Expression, Name, Number, Operation, Rule, Tree, of_tree
from mhat.language.algebra import ONE, ZERO, added, divided, equal, multiplied, negated, subtracted
from mhat.language.recurrences import recurrence_of
from mhat.language.walking import mapped, names_in
from mhat.laws.proofs.proof import Attempt, NoProof, Proof, listed, quoted

# Of numbers these are numbers.
FINITE = frozenset({
    "add", "sub", "mul", "neg", "abs", "sign", "maximum", "minimum", "clip", "where", "sum", "mean", "norm", "sin",
    "cos", "tanh", "round", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "transpose", "matmul", "largest",
    "row_mean", "column_mean", "row_largest", "column_largest", "size", "rows", "columns", "identity",
})  # fmt: skip
# Of zero these are zero.
ZEROS = frozenset({
    "neg", "sqrt", "cbrt", "abs", "sign", "sin", "tanh", "round", "sum", "mean", "norm", "largest", "transpose",
    "row_mean", "column_mean", "row_largest", "column_largest",
})  # fmt: skip
JOINS: Mapping[str, Callable[..., Expression]] = {
    "add": added,
    "sub": subtracted,
    "mul": multiplied,
    "neg": negated,
}


@dataclass
class _Folding:
    """A rule with some names at zero: sums, products and quotients worked out where one of theirs is zero."""

    rule: Rule
    zeros: frozenset[str]
    divisors: set[str] = field(default_factory=set)
    # Variables that may be no numbers: an infinity, or NaN.
    strange: set[str] = field(default_factory=set)

    def expression(self, node: Expression, zero: frozenset[str]) -> Expression:
        return mapped(node, lambda part: self.simpler(part, zero))

    def simpler(self, node: Expression, zero: frozenset[str]) -> Expression:
        if isinstance(node, Name):
            return ZERO if node.id in zero else node
        if isinstance(node, Number):
            return node
        first, *rest = node.arguments
        if node.op == "mul" and ZERO in node.arguments and not all(map(self.is_finite, node.arguments)):
            return node
        if node.op in ("add", "sub", "mul", "neg"):
            return JOINS[node.op](*node.arguments)
        if node.op == "div" and first == ZERO:
            return ZERO if self.is_positive(rest[0]) else node
        if node.op == "div":
            return divided(first, rest[0])
        if node.op in ZEROS and first == ZERO:
            return ZERO
        if node.op == "pow" and first == ZERO and isinstance(rest[0], Number) and rest[0].value > 0:
            return ZERO
        if node.op in ("maximum", "minimum") and node.arguments == (ZERO, ZERO):
            return ZERO
        if node.op == "clip" and first == ZERO and rest[0] == negated(rest[1]):
            return ZERO
        return rest[0] if node.op == "where" and rest[0] == rest[1] else node

    def is_finite(self, node: Expression) -> bool:
        """Whether something is surely a number, so that zero times it is zero."""
        if isinstance(node, Name):
            return node.id not in self.strange
        if isinstance(node, Number):
            return math.isfinite(node.value)
        if not all(map(self.is_finite, node.arguments)):
            return False
        if node.op == "div":
            return self.is_positive(node.arguments[1])
        if node.op == "sqrt":
            return self.is_positive(node.arguments[0]) or self.is_not_negative(node.arguments[0])
        if node.op == "pow":
            base, exponent = node.arguments
            squared = isinstance(exponent, Number) and exponent.value in (1.0, 2.0, 3.0, 4.0)
            return squared or self.is_below_one(base) or (isinstance(base, Number) and 0 < base.value <= 1)
        return node.op in FINITE

    def is_positive(self, node: Expression) -> bool:
        """Whether a divisor is not zero where the knobs that are added to it are not; they are noted."""
        if isinstance(node, Number):
            return node.value > 0
        if isinstance(node, Name) and node.id in self.rule.knobs and self.rule.meaning(node.id).low == 0:
            self.divisors.add(node.id)
            return True
        if isinstance(node, Operation):
            first = node.arguments[0]
            if node.op in ("size", "rows", "columns"):
                return True
            if node.op in ("sqrt", "cbrt"):
                return self.is_positive(first)
            if node.op == "maximum":
                return any(map(self.is_positive, node.arguments))
            if node.op == "add":
                kinds = [(self.is_positive(part), self.is_not_negative(part)) for part in node.arguments]
                return any(here for here, _ in kinds) and all(here or there for here, there in kinds)
            if node.op in ("mul", "div"):
                return all(map(self.is_positive, node.arguments))
            if node.op == "sub" and first == ONE:
                return self.is_below_one(node.arguments[1])
        return False

    def is_not_negative(self, node: Expression) -> bool:
        if isinstance(node, Operation):
            return node.op in ("abs", "sqrt", "norm") or (node.op == "pow" and node.arguments[1] == Number(2.0))
        return isinstance(node, Number) and node.value >= 0

    def is_below_one(self, node: Expression) -> bool:
        """Whether something is a share, or a power of one."""
        if isinstance(node, Operation) and node.op == "pow":
            return self.is_below_one(node.arguments[0]) and node.arguments[1] == Name("t")
        return isinstance(node, Name) and node.id in self.rule.knobs and self.rule.meaning(node.id).is_share

    def folded(self) -> tuple[Tree, list[str]]:
        """Give the rule worked out, and the states that are zero from the start on and stay so."""
        tree = self.rule.tree
        still = {state.name for state in tree.states if self.expression(state.start, self.zeros) == ZERO}
        while True:
            self.divisors.clear()
            body, after = self.lines(frozenset(still))
            lost = {name for name in still if name not in after}
            if not lost:
                result = self.expression(tree.result, frozenset(self.zeros - set(tree.variables) | after))
                return replace(tree, body=body, result=result), sorted(still)
            still -= lost

    def lines(self, still: frozenset[str]) -> tuple[tuple[Assignment, ...], frozenset[str]]:
        zero, body = self.zeros | still, []
        self.strange = set()
        for line in self.rule.tree.body:
            value = self.expression(line.value, zero)
            change = self.strange.difference_update if self.is_finite(value) else self.strange.update
            change(line.targets)
            zero = zero | set(line.targets) if value == ZERO else zero - set(line.targets)
            body.append(replace(line, value=value))
        return tuple(body), frozenset(zero)


def _assumed(folding: _Folding, knobs: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(f"{name} > 0" for name in sorted(folding.divisors) if not knobs.get(name))


def _stays(still: list[str]) -> list[str]:
    if not still:
        return []
    are = "is" if len(still) == 1 else "are"
    return [f"{listed(still)} {are} zero at the start, and a step leaves {'it' if len(still) == 1 else 'them'} so."]


def zero_gradient(rule: Rule, knobs: Mapping[str, float]) -> Attempt:
    """With g = 0, and without decay, the result is x."""
    gone = {"weight_decay"} & set(rule.knobs)
    folding = _Folding(rule, frozenset({"g", *gone}))
    tree, still = folding.folded()
    if not _is_x(tree):
        return NoProof(f"with g = 0 the result is {quoted(tree.result)}")
    return Proof(
        (
            f"Let g = 0 at every step{', and weight_decay = 0' if gone else ''}.",
            *_stays(still),
            *_divisors(folding),
            "What is added to x is then a product with zero: x stays.",
        ),
        assumes=_assumed(folding, knobs),
    )


def _divisors(folding: _Folding) -> list[str]:
    return [f"Zero is divided by no zero where {' and '.join(f'{name} > 0' for name in sorted(folding.divisors))}."
            ] if folding.divisors else []  # fmt: skip


def _is_x(tree: Tree) -> bool:
    found = recurrence_of(tree, "x")
    return found is not None and equal(found.gain, ONE) and found.fed == ZERO


def idle(rule: Rule, knobs: Mapping[str, float]) -> Attempt:
    """With g = 0 and lr = 0 the result is x."""
    folding = _Folding(rule, frozenset({"g", "lr"}))
    tree, _ = folding.folded()
    if not _is_x(tree):
        return NoProof(f"with g = 0 and lr = 0 the result is {quoted(tree.result)}")
    return Proof(
        ("Let g = 0 and lr = 0.", *_divisors(folding), "What is added to x is a product with lr: x stays."),
        assumes=_assumed(folding, knobs),
    )


def decay(rule: Rule, knobs: Mapping[str, float]) -> Attempt:
    """With g = 0 the result is a share of x, the same at every step."""
    folding = _Folding(rule, frozenset({"g"}))
    tree, still = folding.folded()
    found = recurrence_of(of_tree(tree), "x")
    if found is None or found.fed != ZERO:
        return NoProof(f"with g = 0 the result is {quoted(tree.result)}")
    if not names_in(found.gain) <= set(rule.knobs):
        return NoProof(f"the share that stays, {quoted(found.gain)}, changes from step to step")
    return Proof(
        (
            "Let g = 0 at every step.",
            *_stays(still),
            *_divisors(folding),
            f"What is left of the result is x times {quoted(found.gain)}, in which there are only knobs.",
        ),
        found.gain,
        _assumed(folding, knobs),
    )
