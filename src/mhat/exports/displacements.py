"""From a rule, which gives a new x, to the rule that gives what is added to x. It knows no numbers.

Where the new x is written as x and something more, that is taken as it stands, so that nothing is lost by rounding:
`x - lr * ratio` becomes `-(lr * ratio)`, and `(1 - lr * weight_decay) * x` becomes `-(lr * weight_decay * x)`; a
quotient by `1 + e` likewise. Anything else becomes itself less the x before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from mhat.language import Rule, of_tree
from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree, is_taken
from mhat.language.walking import names_in, values_in

ONE = Number(1.0)
ZERO = Number(0.0)


@dataclass(frozen=True)
class Displacement:
    """The rule whose result is added to x; whether a step looks at x; the states that begin with the first gradient."""

    rule: Rule
    reads_x: bool
    late: tuple[str, ...]


@lru_cache(maxsize=256)
def displacement(rule: Rule) -> Displacement:
    """Give the rule of what is added to x: the same states and knobs, another result.

    >>> from mhat.language import rule
    >>> print(displacement(rule("def sgd(x, g, *, lr=0.1): return x - lr * g")).rule)
    def sgd(x, g, *, lr=0.1):
        return -(lr * g)
    """
    tree = _Parting(rule.tree).parted()
    made = of_tree(tree, paper=rule.paper, doc=rule.doc, knobs=rule.knob_sentences)
    alone = rule.dependence.per_step_states
    late = [s for s in tree.states if s.name not in alone and values_in(s.start) & {"g", *tree.given}]
    values = [line.value for line in tree.body] + [tree.result] + [state.start for state in late]
    return Displacement(made, any("x" in values_in(value) for value in values), tuple(s.name for s in late))


class _Parting:
    """Goes through the lines of a rule, and notes for each name that is x and something more what more that is."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.taken = {*tree.inputs, *tree.state_names, *tree.knob_names, *tree.variables, "x"}
        # What is more in a name than in x, as it is now; nothing at all is 0.
        self.more: dict[str, Expression] = {"x": ZERO}
        self.before = "x"

    def parted(self) -> Tree:
        tree = self.tree
        body: list[Assignment] = []
        if "x" in tree.variables:
            self.before = self.free("x_before")
            body.append(Assignment((self.before,), Name("x")))
        for line in tree.body:
            more = self.of(line.value) if len(line.targets) == 1 else None
            body.append(line)
            for target in line.targets:
                self.more.pop(target, None)
            if more is not None:
                (target,) = line.targets
                named = self.free(f"{target}_moved")
                # What x is made of may have changed with this line: name it before.
                body.insert(-1, Assignment((named,), more))
                self.more[target] = Name(named)
        result = self.all_of(tree.result)
        return replace(tree, body=tuple(_needed(tree, body, result)), result=result)

    def free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.taken or is_taken(name):
            number += 1
            name = f"{wanted}_{number}"
        self.taken.add(name)
        return name

    def all_of(self, node: Expression) -> Expression:
        """Give an expression less the x before."""
        if isinstance(node, Operation) and node.op == "where":
            condition, *branches = node.arguments
            parts = [self.all_of(branch) for branch in branches]
            return replace(node, arguments=(condition, *parts))
        more = self.of(node)
        return Operation("sub", (node, Name(self.before))) if more is None else more

    def of(self, node: Expression) -> Expression | None:
        """Give what is more in an expression than x; None where it is not x and something more."""
        if isinstance(node, Name):
            return self.more.get(node.id)
        if not isinstance(node, Operation):
            return None
        if node.op == "where":
            condition, *branches = node.arguments
            parts = [self.of(branch) for branch in branches]
            if any(part is None for part in parts):
                return None
            return replace(node, arguments=(condition, *parts))  # type: ignore[arg-type]
        if node.op in ("add", "sub"):
            return self.of_sum(node)
        if node.op == "div":
            return self.of_quotient(node)
        return self.of_product(node) if node.op == "mul" else None

    def of_sum(self, node: Operation) -> Expression | None:
        first, second = node.arguments
        more, other = self.of(first), second
        if more is None and node.op == "add":
            more, other = self.of(second), first
        if more is None:
            return None
        if more == ZERO:
            return other if node.op == "add" else Operation("neg", (other,))
        return Operation(node.op, (more, other))

    def of_product(self, node: Operation) -> Expression | None:
        """Take `(1 - e) * y` as y less `e * y`."""
        for factor, rest in (node.arguments, node.arguments[::-1]):
            more = self.of(rest)
            if more is not None and isinstance(factor, Operation) and factor.op == "sub" and factor.arguments[0] == ONE:
                lost = Operation("mul", (factor.arguments[1], rest))
                return Operation("neg", (lost,)) if more == ZERO else Operation("sub", (more, lost))
        return None

    def of_quotient(self, node: Operation) -> Expression | None:
        """Take `y / (1 + e)`, where y is x and something more, as that less `e * x`, over `1 + e`."""
        top, bottom = node.arguments
        more = self.of(top)
        if more is None or not (isinstance(bottom, Operation) and bottom.op == "add" and bottom.arguments[0] == ONE):
            return None
        lost = Operation("mul", (bottom.arguments[1], Name(self.before)))
        left = Operation("neg", (lost,)) if more == ZERO else Operation("sub", (more, lost))
        return Operation("div", (left, bottom))


def _needed(tree: Tree, body: list[Assignment], result: Expression) -> list[Assignment]:
    """Leave out lines that neither a state nor the result is made of."""
    wanted = {*tree.state_names, *names_in(result)}
    kept: list[Assignment] = []
    for line in reversed(body):
        if wanted.isdisjoint(line.targets):
            continue
        wanted -= {*line.targets}
        wanted |= names_in(line.value)
        kept.append(line)
    return kept[::-1]
