"""Small changes of any expression: what a slip of the pen would be the other way round. They know no rule.

They are many, and tried where nothing that is derived from the edit is right.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from mhat.mending.proposals import asked_for
from mhat.mending.sight import Seen, Sight
from mhat.mending.spelling import POWER, PRODUCT, SIGN, SUM, Style, Written
from mhat.mending.texts import Piece, Proposal

SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
STRENGTH = {ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.Div: PRODUCT, ast.Pow: POWER}
TWINS = {
    "ones_like": "zeros_like", "ones": "zeros", "maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max",
    "sum": "mean", "add_": "sub_", "sub_": "add_", "add": "sub", "sub": "add", "mul_": "div_", "div_": "mul_",
    "addcdiv_": "addcmul_", "full_like": "zeros_like", "empty_like": "zeros_like", "empty": "zeros", "mean": "sum",
}  # fmt: skip
OTHER_NAMES = 10


class Slips:
    """Proposes small changes of the expressions of one file that were seen more than once."""

    def __init__(self, sight: Sight, style: Style, steps: int) -> None:
        self.sight, self.text, self.style = sight, sight.text, style
        self.nodes = [
            seen for seen in sight.seen
            if seen.kind == "expression" and not seen.part and isinstance(seen.node, ast.expr)
        ]  # fmt: skip
        self.often = [seen for seen in self.nodes if len(seen.events) >= steps]

    def proposals(self, near: set[ast.stmt]) -> Iterator[Proposal]:
        """Yield them, those in some statements first."""
        ordered = sorted(self.often, key=lambda seen: self.sight.home(seen.node).statement not in near)
        for make in (
            self._turned,
            self._counted,
            self._dropped,
            self._regrouped,
            self._renamed,
            self._numbers,
            self._wrapped,
        ):
            # A sign is turned where the parameter moves rather than in what it moves by.
            for seen in ordered[::-1] if make == self._turned else ordered:
                yield from self._made(seen, make(seen))
        for seen in self.nodes:
            yield from self._made(seen, self._twin(seen))

    def _made(self, seen: Seen, ways: Iterator[Written]) -> Iterator[Proposal]:
        parent = self.sight.parents[seen.node]
        if isinstance(parent, ast.Expr):
            return
        for way in ways:
            new = way.within(asked_for(self.sight, seen.node))
            yield Proposal((Piece(*self.text.span(seen.node), new),), 4.0)

    def _written(self, node: ast.expr) -> Written:
        strength = STRENGTH.get(type(node.op), POWER) if isinstance(node, ast.BinOp) else 6
        strength = SIGN if isinstance(node, ast.UnaryOp) else strength
        return Written(self.text.of(node), 0 if isinstance(node, ast.IfExp | ast.Compare | ast.BoolOp) else strength)

    def _counted(self, seen: Seen) -> Iterator[Written]:
        """Count one more, or one less."""
        is_whole = all(len(event.numbers) == 1 and event.numbers[0] % 1 == 0 for event in seen.events)
        if is_whole and len({event.numbers for event in seen.events}) > 1 and not isinstance(seen.node, ast.Constant):
            text = self._written(seen.node).within(SUM)
            yield Written(f"{text} + 1", SUM)
            yield Written(f"{text} - 1", SUM)

    def _turned(self, seen: Seen) -> Iterator[Written]:
        """Write the opposite sign."""
        node = seen.node
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            strength, sign = STRENGTH[type(node.op)], {"+": "-", "-": "+", "*": "/", "/": "*"}[SIGNS[type(node.op)]]
            left, right = self._written(node.left).within(strength), self._written(node.right).within(strength + 1)
            yield Written(f"{left} {sign} {right}", strength)

    def _dropped(self, seen: Seen) -> Iterator[Written]:
        """Leave out an operand, a function, a sign, a condition."""
        node = seen.node
        if isinstance(node, ast.BinOp):
            yield self._written(node.left)
            yield self._written(node.right)
            if isinstance(node.op, ast.Sub | ast.Div):
                strength = STRENGTH[type(node.op)]
                left, right = self._written(node.right).within(strength), self._written(node.left).within(strength + 1)
                yield Written(f"{left} {SIGNS[type(node.op)]} {right}", strength)
        elif isinstance(node, ast.Call):
            yield from (self._written(each) for each in node.args[:3] if not isinstance(each, ast.Starred))
            if isinstance(node.func, ast.Attribute):
                yield self._written(node.func.value)
        elif isinstance(node, ast.UnaryOp):
            yield self._written(node.operand)
        elif isinstance(node, ast.IfExp):
            yield from (self._written(node.body), self._written(node.orelse))

    def _regrouped(self, seen: Seen) -> Iterator[Written]:
        """Bracket otherwise."""
        node = seen.node
        if not isinstance(node, ast.BinOp) or type(node.op) not in STRENGTH:
            return
        inner, outer = node.left, node.right
        if isinstance(inner, ast.BinOp) and type(inner.op) in SIGNS and type(node.op) in SIGNS:
            a, b, c = map(self._written, (inner.left, inner.right, outer))
            first, second = STRENGTH[type(inner.op)], STRENGTH[type(node.op)]
            joined = f"{b.within(second)} {SIGNS[type(node.op)]} {c.within(second + 1)}"
            yield Written(
                f"{a.within(first)} {SIGNS[type(inner.op)]} {Written(joined, second).within(first + 1)}", first
            )
        if isinstance(outer, ast.BinOp) and type(outer.op) in SIGNS and type(node.op) in SIGNS:
            a, b, c = map(self._written, (inner, outer.left, outer.right))
            first, second = STRENGTH[type(node.op)], STRENGTH[type(outer.op)]
            joined = f"{a.within(first)} {SIGNS[type(node.op)]} {b.within(first + 1)}"
            yield Written(
                f"{Written(joined, first).within(second)} {SIGNS[type(outer.op)]} {c.within(second + 1)}", second
            )
        if isinstance(inner, ast.BinOp) and isinstance(node.op, ast.Pow):
            a, b = map(self._written, (inner.left, inner.right))
            strength = STRENGTH.get(type(inner.op), SUM)
            if type(inner.op) in SIGNS:
                powered = f"{b.within(6)}{self.style.power}{self._written(outer).within(SIGN)}"
                yield Written(f"{a.within(strength)} {SIGNS[type(inner.op)]} {powered}", strength)

    def _renamed(self, seen: Seen) -> Iterator[Written]:
        """Put another name in its place, of what looks alike."""
        node = seen.node
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript) or not seen.events:
            return
        home, sizes = self.sight.home(node), len(seen.events[-1].numbers)
        others = {}
        for text, events in self.sight.named.items():
            event, other = events[-1]
            if text != seen.text and len(event.numbers) == sizes and self.sight._is_visible(other, home):
                others[text] = (other.part != "", len(text))
        yield from (Written(text) for text in sorted(others, key=others.__getitem__)[:OTHER_NAMES])

    def _numbers(self, seen: Seen) -> Iterator[Written]:
        """Write another usual number."""
        if isinstance(seen.node, ast.Constant):
            value: Any = seen.node.value
            for other in (1, 2, 0, 0.5, value + 1, value - 1, 1 - value):
                if other != value:
                    yield Written(f"{other:g}", 6 if other >= 0 else SIGN)

    def _wrapped(self, seen: Seen) -> Iterator[Written]:
        """Take the root, the square, the complement, the inverse sign."""
        text = self._written(seen.node)
        yield Written(f"{text.within(6)}{self.style.power}0.5", POWER)
        yield Written(f"{text.within(6)}{self.style.power}2", POWER)
        yield Written(f"1 - {text.within(PRODUCT)}", SUM)
        yield Written(f"-{text.within(SIGN)}", SIGN)
        yield Written(f"1 / {text.within(SIGN)}", PRODUCT)
        yield Written(f"abs({text.text})")

    def _twin(self, seen: Seen) -> Iterator[Written]:
        """Call the function that is taken for it."""
        node = seen.node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TWINS:
            start, end = self.text.span(node)
            at = self.text.span(node.func)[1] - len(node.func.attr)
            content = self.text.content
            yield Written(content[start:at] + TWINS[node.func.attr] + content[at + len(node.func.attr) : end])
