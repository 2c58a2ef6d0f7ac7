"""A part of a rule written in the user's own names and style, at a place of the file. It runs nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from mhat.language.tree import Expression, Name, Number, Operation
from mhat.mending.courses import Courses, Spot
from mhat.mending.sight import Sight
from mhat.notation.decimals import exact

# How strongly Python binds: what is bound weaker than it is asked for stands in brackets.
IF, COMPARED, SUM, PRODUCT, SIGN, POWER, ATOM = range(7)
BINARY = {"add": ("+", SUM), "sub": ("-", SUM), "mul": ("*", PRODUCT), "div": ("/", PRODUCT), "mod": ("%", PRODUCT)}
BINARY |= {"floordiv": ("//", PRODUCT)}
COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
# The names of functions in NumPy, and in torch where it has others.
NUMPY = {
    "sqrt": "sqrt", "cbrt": "cbrt", "abs": "abs", "sign": "sign", "exp": "exp", "log": "log", "sin": "sin",
    "cos": "cos", "tanh": "tanh", "round": "round", "minimum": "minimum", "maximum": "maximum", "where": "where",
    "clip": "clip", "sum": "sum", "mean": "mean", "norm": "linalg.norm",
}  # fmt: skip
MATH = {"sqrt", "exp", "log", "sin", "cos", "tanh", "cbrt"}
MOST = 6
LIBRARIES = ("numpy", "jax.numpy", "torch", "cupy", "mxnet.np", "tensorflow")


@dataclass(frozen=True)
class Written:
    """A piece of Python, and how strongly it binds."""

    text: str
    strength: int = ATOM

    def within(self, strength: int) -> str:
        """Give it as it stands within something that binds so strongly."""
        return self.text if self.strength >= strength else f"({self.text})"


@dataclass(frozen=True)
class Style:
    """How the user writes: the names of the libraries, and spaces around the sign of a power."""

    arrays: tuple[str, ...]
    math: str
    methods: bool
    power: str

    @classmethod
    def of(cls, sight: Sight) -> Style:
        """Read it off the file."""
        arrays, math, content = list[str](), "", sight.text.content
        for node in ast.walk(sight.text.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    shown = alias.asname or alias.name
                    arrays += [shown] if alias.name in LIBRARIES else []
                    math = shown if alias.name == "math" else math
            elif isinstance(node, ast.ImportFrom) and node.module == "jax":
                arrays += [alias.asname or alias.name for alias in node.names if alias.name == "numpy"]
        arrays.sort(key=lambda name: -content.count(f"{name}."))
        spaced = len(re.findall(r" \*\* ", content)) > len(re.findall(r"\S\*\*\S", content))
        return cls(tuple(arrays), math, bool(re.search(r"\.sqrt(_)?\(\)", content)), " ** " if spaced else "**")

    def called(self, op: str, arguments: Sequence[str], over_array: bool) -> Iterator[str]:
        """Yield the ways in which the user may call a function."""
        inside = ", ".join(arguments)
        if not over_array and op in MATH:
            if op == "sqrt":
                yield ""
            if self.math:
                yield f"{self.math}.{op}({inside})"
        if op == "abs" or (not over_array and op in ("minimum", "maximum")):
            yield f"{ {'abs': 'abs', 'minimum': 'min', 'maximum': 'max'}[op] }({inside})"
        yield from (f"{name}.{NUMPY[op]}({inside})" for name in self.arrays if op in NUMPY)
        if op == "sqrt" and over_array:
            yield ""
            if self.math:
                yield f"{self.math}.sqrt({inside})"


class Speller:
    """Writes parts of a rule at one place: in the user's names, as they are worth there at some moments."""

    def __init__(
        self, sight: Sight, style: Style, courses: Courses, lines: Mapping[str, Expression], knobs: Mapping[str, float]
    ) -> None:
        self.sight, self.style, self.courses = sight, style, courses
        self.lines, self.knobs = lines, knobs
        self.states = {str(slot[1]) for slot in courses.slots if slot[0] == "start"}

    def written(
        self, expression: Expression, spot: Spot, place: ast.AST, times: Sequence[int], view: tuple[int, int | None]
    ) -> list[Written]:
        """Write an expression in a few ways, the likeliest first; none if something in it has no name there."""
        self._spot, self._place, self._times, self._view = spot, place, times, view
        return list(islice(self._ways(expression, 0), MOST))

    def _held(self, expression: Expression) -> list[str]:
        values = self.courses.of(self._spot, expression)
        if values is None:
            return []
        course = self.courses.seen_as(values, self._view)
        held = self.sight.holding(course, self._times, self._place)
        if not held and isinstance(expression, Name) and expression.id in self.states:
            # How a state begins may be a slip of its own, or make no difference.
            held = self.sight.holding(course[1:], self._times[1:], self._place)
        return held

    def _is_array(self, expression: Expression) -> bool:
        values = self.courses.of(self._spot, expression)
        return values is not None and getattr(values[0], "ndim", 0) >= 2

    def _ways(self, expression: Expression, depth: int) -> Iterator[Written]:
        if depth > 12:
            return
        if isinstance(expression, Number):
            yield number(expression.value)
            return
        held = self._held(expression)
        yield from (Written(text) for text in held[: 3 if isinstance(expression, Name) else 1])
        if isinstance(expression, Name):
            if not held:
                yield from self._of_name(expression.id, depth)
            return
        yield from self._composed(expression, depth)

    def _of_name(self, name: str, depth: int) -> Iterator[Written]:
        if name == "t":
            for offset in (1.0, -1.0):
                shifted = Operation("sub", (Name("t"), Number(offset)))
                for text in self._held(shifted)[:2]:
                    yield Written(f"{text} {'+' if offset > 0 else '-'} 1", SUM)
        elif name in self.lines:
            yield from self._ways(self.lines[name], depth + 1)
        elif name in self.knobs:
            yield number(self.knobs[name])

    def _composed(self, expression: Operation, depth: int) -> Iterator[Written]:
        ways = [list(islice(self._ways(argument, depth + 1), 2)) for argument in expression.arguments]
        for parts in islice(product(*ways), MOST):
            yield from self._joined(expression, parts)

    def _joined(self, expression: Operation, parts: tuple[Written, ...]) -> Iterator[Written]:
        op = expression.op
        if op in BINARY:
            sign, strength = BINARY[op]
            right = parts[1].within(strength if op in ("add", "mul") else strength + 1)
            yield Written(f"{parts[0].within(strength)} {sign} {right}", strength)
        elif op == "pow":
            yield Written(f"{parts[0].within(ATOM)}{self.style.power}{parts[1].within(SIGN)}", POWER)
        elif op == "neg":
            yield Written(f"-{parts[0].within(SIGN)}", SIGN)
        elif op in COMPARISONS:
            yield Written(f"{parts[0].within(SUM)} {COMPARISONS[op]} {parts[1].within(SUM)}", COMPARED)
        elif op == "sqrt" and self.style.methods and self._is_array(expression):
            yield Written(f"{parts[0].within(ATOM)}.sqrt()")
        else:
            is_array = any(self._is_array(argument) for argument in expression.arguments)
            if op == "where" and not is_array:
                yield Written(f"{parts[1].within(COMPARED)} if {parts[0].text} else {parts[2].within(IF)}", IF)
            for text in self.style.called(op, [part.text for part in parts], is_array):
                root = f"{parts[0].within(ATOM)}{self.style.power}0.5"
                yield Written(text) if text else Written(root, POWER)


def number(value: float) -> Written:
    """Write a number."""
    return Written(exact(value), ATOM if value >= 0 else SIGN)
