"""What a rule costs, derived from its tree: what it keeps and what it computes.

It knows no rule by name and no dtype.
"""

from __future__ import annotations

from dataclasses import dataclass

from mhat.language.definition import Rule
from mhat.language.inference import SCALAR, WHOLE
from mhat.language.tree import Operation
from mhat.language.walking import names_in, subexpressions


@dataclass(frozen=True)
class Kept:
    """The states of a rule by size: as many numbers as parameters, a row or a column, one a tensor or a step.

    `other`: matrices of another shape, such as one as high and as wide as the matrix is high.
    """

    whole: tuple[str, ...]
    partial: tuple[str, ...]
    other: tuple[str, ...]
    single: tuple[str, ...]

    def bytes_each(self, size: int) -> int:
        """Give the bytes of state a parameter at so many bytes a number; smaller states are left out."""
        return len(self.whole) * size


def kept_by(rule: Rule) -> Kept:
    """Sort the states of a rule by their size."""
    per_step = rule.dependence.per_step_states
    single = [name for name in rule.tree.state_names if name in per_step or rule.shapes[name] == SCALAR]
    whole = [name for name in rule.tree.state_names if name not in single and rule.shapes[name] == WHOLE]
    rest = [name for name in rule.tree.state_names if name not in single and name not in whole]
    partial = [name for name in rest if "1" in rule.shapes[name]]
    other = [name for name in rest if name not in partial]
    return Kept(tuple(whole), tuple(partial), tuple(other), tuple(single))


def operations_of(rule: Rule) -> tuple[int, int]:
    """Count the operations of a step for each coordinate, and those that are done once a step."""
    of = rule.dependence.of
    each = once = 0
    for value in (*(line.value for line in rule.tree.body), rule.tree.result):
        for node in subexpressions(value):
            if isinstance(node, Operation):
                once, each = (once + 1, each) if _is_per_step(node, of) else (once, each + 1)
    return each, once


def _is_per_step(node: Operation, of: dict[str, frozenset[str]]) -> bool:
    return not any({name, *of.get(name, ())} & {"x", "g", "h"} for name in names_in(node))
