"""What a step costs: operations a parameter, and bytes that pass through memory. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.explanations.claims import Claim, Comparison
from mhat.explanations.lines.reading import Reading
from mhat.explanations.runs import Setting
from mhat.language.inference import Level
from mhat.language.tree import Expression, Number, Operation
from mhat.language.walking import subexpressions

# What takes a processor many times as long as a sum.
SLOW = frozenset({"div", "sqrt", "cbrt", "pow", "exp", "log", "sin", "cos", "tanh", "atan2", "mod", "floordiv"})
WIDTH = 4
POWERS = (Number(2.0), Number(3.0))


def claims(setting: Setting) -> Iterator[Claim]:
    """Yield what is carried from step to step, and what a step costs."""
    reading = Reading(setting)
    if setting.rule.level == Level.MATRIX:
        return
    values = [line.value for line in reading.tree.body] + [reading.tree.result]
    found = [op for value in values for op in _operations(reading, value)]
    slow = sum(op in SLOW for op in found)
    of_these = f", {slow} of them divisions, roots or the like" if slow else ""
    carried = [name for name in reading.tree.state_names if name not in reading.per_step]
    read, written = 2 + len(carried), 1 + len(carried)
    names = ", ".join(["x", "g", *carried])
    rows = (
        ("operations", len(found)),
        ("of these slow", slow),
        ("bytes read", WIDTH * read),
        ("written", WIDTH * written),
    )
    sentence = (
        f"A step takes {len(found)} operations a parameter{of_these}; in float32 it reads {WIDTH * read} bytes "
        f"({names}) and writes {WIDTH * written}."
    )
    yield Claim("cost", sentence, "computed", Comparison(("a parameter", "count"), rows), "step")


def _operations(reading: Reading, value: Expression) -> Iterator[str]:
    """Yield the operations that are done for every parameter."""
    for node in subexpressions(value):
        if isinstance(node, Operation) and not reading.is_number(node):
            square = node.op == "pow" and node.arguments[1] in POWERS
            yield "mul" if square else node.op
