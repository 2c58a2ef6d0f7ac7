"""What modifiers share: the rule that is meant, names that are free, a knob more. It knows no modifier by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from mhat.errors import BadValue
from mhat.language import Assignment, Expression, Knob, Name, Operation, Rule, State, Tree, of_tree
from mhat.language import rule as rule_of
from mhat.language.pieces import expression_of, lines_of
from mhat.language.tree import INPUTS, is_taken
from mhat.language.walking import mapped, names_in


def rule_meant(modifier: str, given: Rule | Callable[..., Any] | str) -> Rule:
    """Give the rule that a modifier was handed; raises BadValue for a mere name, LanguageError outside the language."""
    if isinstance(given, str) and given.isidentifier():
        raise BadValue(
            f"{modifier} was given the name `{given}`", f"Give it the rule itself: {modifier}(mhat.rules.{given})."
        )
    return rule_of(given)


def require_gradient(modifier: str, rule: Rule) -> None:
    """Refuse a rule that never looks at the gradient; raises BadValue."""
    if "g" not in rule.tree.inputs:
        raise BadValue(f"{rule.name} has no input `g` for {modifier} to change", "Give a rule that reads the gradient.")


def free_name(tree: Tree, wanted: str) -> str:
    """Give a name for a new variable: the one wanted, or with the first number behind it that makes it free."""
    own = {*INPUTS, *tree.state_names, *tree.knob_names, *tree.variables}
    wishes = chain([wanted], (f"{wanted}_{i}" for i in count(2)))
    return next(name for name in wishes if name not in own and not is_taken(name))


def with_knob(modifier: str, tree: Tree, knob: Knob) -> Tree:
    """Add a knob behind the others; raises BadValue if the rule has that name, for a knob's name is its meaning."""
    kinds = {
        **dict.fromkeys(tree.variables, "variable"),
        **dict.fromkeys(tree.state_names, "state"),
        **dict.fromkeys(tree.knob_names, "knob"),
    }
    if knob.name in kinds:
        raise BadValue(
            f"{modifier} adds the knob `{knob.name}`, and {tree.name} has a {kinds[knob.name]} of that name",
            f"Rename it in {tree.name}, or leave {modifier} out.",
        )
    return replace(tree, knobs=(*tree.knobs, knob))


def with_inputs(tree: Tree, *inputs: str) -> Tree:
    """Let a rule read these inputs too."""
    return replace(tree, inputs=tuple(name for name in INPUTS if name in {*tree.inputs, *inputs}))


def with_states(tree: Tree, **starts: str) -> Tree:
    """Add states behind the others, each with the text of its start."""
    states = tuple(State(name, expression_of(start)) for name, start in starts.items())
    return replace(tree, states=(*tree.states, *states))


def with_lines(
    tree: Tree,
    before: tuple[Assignment, ...] = (),
    after: tuple[Assignment, ...] = (),
    result: Expression | None = None,
) -> Tree:
    """Put lines before and after those of a rule, and another result in place of its own."""
    return replace(tree, body=(*before, *tree.body, *after), result=tree.result if result is None else result)


def with_gradient(tree: Tree, changed: Expression, lines: tuple[Assignment, ...] = ()) -> Tree:
    """Let a rule see another gradient, made of `g`, x and knobs; starts that read the first gradient see it too.

    `lines`: how the body says it, where not in one line.
    """

    def first(state: State) -> State:
        if "g" not in names_in(state.start):
            return state
        return replace(state, start=mapped(state.start, lambda part: changed if part == Name("g") else part))

    states = tuple(map(first, tree.states))
    return replace(tree, states=states, body=(*(lines or (Assignment(("g",), changed),)), *tree.body))


def keeping_x(tree: Tree) -> tuple[Tree, str]:
    """Give the tree, and the name under which x stands as it was before the step even where the body assigns it."""
    if "x" not in tree.variables:
        return tree, "x"
    name = free_name(tree, "x_before")
    return with_lines(tree, before=lines_of(f"{name} = x")), name


@dataclass(frozen=True)
class Move:
    """A result `x - lr * factor`, or `x - lr * (factor + weight_decay * x)`: its parts."""

    factor: Expression
    decay: Expression | None

    def result(self, factor: Expression) -> Expression:
        """Give the result with another factor, the decay left as it is."""
        inner = factor if self.decay is None else Operation("add", (factor, self.decay))
        return Operation("sub", (Name("x"), Operation("mul", (Name("lr"), inner))))


def move_of(tree: Tree) -> Move | None:
    """Take a result `x - lr * factor` apart; None where a rule ends otherwise."""
    match tree.result:
        case Operation("sub", (Name("x"), Operation("mul", (Name("lr"), inner)))):
            match inner:
                case Operation("add", (factor, Operation("mul", (Name("weight_decay"), Name("x"))) as decay)):
                    return Move(factor, decay)
            return Move(inner, None)
    return None


def required_move(modifier: str, tree: Tree) -> Move:
    """Take a result apart; raises BadValue where a rule does not end in `x - lr * factor`."""
    move = move_of(tree)
    if move is None:
        raise BadValue(
            f"{tree.name} does not end in `x - lr * ratio`, and {modifier} changes what lr is a factor of",
            "Write the result as `x - lr * ratio`.",
        )
    return move


def reading_instead(tree: Tree, index: int, old: str, new: str) -> Tree:
    """Let every line after one, and the result, read another name; a state's own next line is not after it."""

    def change(node: Expression) -> Expression:
        return Name(new) if node == Name(old) else node

    body = tuple(
        line if place <= index else replace(line, value=mapped(line.value, change))
        for place, line in enumerate(tree.body)
    )
    return replace(tree, body=body, result=mapped(tree.result, change))


def recursions(tree: Tree) -> Iterable[tuple[int, Assignment]]:
    """Give the lines in which a state is made of itself, with their places."""
    for place, line in enumerate(tree.body):
        if len(line.targets) == 1 and line.targets[0] in tree.state_names and line.targets[0] in names_in(line.value):
            yield place, line


def made(modifier: str, rule: Rule, tree: Tree, sentence: str, paper: str) -> Rule:
    """Make the rule `MODIFIER_NAME` of a tree, with the papers of both and a sentence before the rule's own."""
    named = replace(tree, name=f"{modifier}_{rule.tree.name}")
    doc = f"{sentence}\n\n{rule.doc}".rstrip()
    return of_tree(named, paper="; ".join(filter(None, [rule.paper, paper])), doc=doc, knobs=rule.knob_sentences)
