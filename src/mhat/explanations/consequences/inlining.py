"""Variables written as what their lines make of them. It knows no rule by name.

>>> from mhat import rules
>>> from mhat.printers.python import expression_text
>>> expression_text(step_written_out(rules.rmsprop))
'lr * (g / (sqrt(v) + eps))'
"""

from __future__ import annotations

from collections.abc import Mapping

from mhat.explanations.consequences.pairs import step_of
from mhat.language import Rule
from mhat.language.tree import Expression, Name
from mhat.language.walking import mapped

# Lines that lead back to themselves are not followed for ever.
DEEPEST = 8


def lines_of(rule: Rule) -> dict[str, Expression]:
    """Give the last line of every variable that is no state and stands alone in its line."""
    states = set(rule.tree.state_names)
    lines = {line.targets[0]: line.value for line in rule.tree.body if len(line.targets) == 1}
    return {name: value for name, value in lines.items() if name not in states}


def written_out(node: Expression, lines: Mapping[str, Expression], depth: int = 0) -> Expression:
    """Put what their lines make of them in the place of names."""

    def change(part: Expression) -> Expression:
        if isinstance(part, Name) and part.id in lines and depth < DEEPEST:
            return written_out(lines[part.id], lines, depth + 1)
        return part

    return mapped(node, change)


def step_written_out(rule: Rule) -> Expression:
    """Write the step, or the new x where it is nothing that is taken from x, in states, knobs and gradients alone."""
    step = step_of(rule.tree.result)
    return written_out(rule.tree.result if step is None else step, lines_of(rule))
