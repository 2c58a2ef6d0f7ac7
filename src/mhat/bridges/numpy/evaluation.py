"""The parameters to evaluate with: what a rule assigns to `x_eval`, of what is there after a step. It steps nothing.

Of the line only what states carry, the new x, knobs and the number of the step is left; variables are written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from mhat.errors import BadValue
from mhat.language import Rule, of_tree
from mhat.language.tree import EVALUATION, Assignment, Expression, Name, Number, Operation, Tree

COUNTERS = ("t", "k", "n")


@lru_cache(maxsize=64)
def evaluating(rule: Rule) -> Rule | None:
    """Give the rule whose step makes the parameters of evaluation of x and the states as they are after a step.

    None for a rule without `x_eval`; raises BadValue where it is made of what is gone, such as the gradient.
    """
    tree = rule.tree
    lines = [i for i, line in enumerate(tree.body) if EVALUATION in line.targets]
    if not lines:
        return None
    result = _Resolving(tree, _last_lines(tree)).after(Name(EVALUATION), len(tree.body))
    inputs = tuple(dict.fromkeys(("x", *(name for name in COUNTERS if name in tree.inputs))))
    # Without lines every state would be one number a step; a start from x says which are of tensors. None starts here.
    alone, of_tensors = rule.dependence.per_step_states, Operation("sum", (Name("x"),))
    states = tuple(s if s.name in alone else replace(s, start=of_tensors) for s in tree.states)
    return of_tree(Tree(f"{tree.name}_evaluated", inputs, states, tree.knobs, (), result, tree.flatten))


def _last_lines(tree: Tree) -> dict[str, int]:
    return {target: i for i, line in enumerate(tree.body) for target in line.targets}


class _Resolving:
    """Writes names out until only what is there after a step is left."""

    def __init__(self, tree: Tree, last: Mapping[str, int]) -> None:
        self.tree = tree
        self.last = last

    def after(self, node: Expression, line: int) -> Expression:
        """Give what an expression of a line (by its number) is, over what is there after the step."""
        if isinstance(node, Number):
            return node
        if isinstance(node, Operation):
            return replace(node, arguments=tuple(self.after(argument, line) for argument in node.arguments))
        return self.name(node, line)

    def name(self, node: Name, line: int) -> Expression:
        tree, name = self.tree, node.id
        made = next((i for i in range(line - 1, -1, -1) if name in tree.body[i].targets), None)
        newest = made == self.last.get(name)
        if newest and tree.result == Name(name) and (made is not None or name == "x"):
            return Name("x")
        if newest and name in tree.state_names:
            return node
        if made is not None:
            return self.of_line(tree.body[made], made)
        if name in tree.knob_names or (name in COUNTERS):
            return node
        what = "what the state was before the step" if name in tree.state_names else f"`{name}` of the step"
        raise BadValue(
            f"`{EVALUATION}` of {tree.name} is made of {what}, which is gone after it",
            f"Let the rule keep it: assign it to a state, and {EVALUATION} = that state.",
            node.place,
        )

    def of_line(self, line: Assignment, place: int) -> Expression:
        if len(line.targets) > 1:
            raise BadValue(
                f"`{EVALUATION}` of {self.tree.name} is made of one of two values, which are gone after the step",
                f"Let the rule keep it: assign it to a state, and {EVALUATION} = that state.",
                line.place,
            )
        return self.after(line.value, place)
