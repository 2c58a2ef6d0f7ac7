"""What a proof is: its steps in sentences, a formula, and what it assumes. It knows no law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mhat.language import Rule, of_tree
from mhat.language.algebra import ZERO, added, multiplied, subtracted
from mhat.language.tree import Expression, Name, Operation
from mhat.language.walking import mapped_tree
from mhat.printers.python import expression_text


@dataclass(frozen=True)
class Proof:
    """The steps of an argument; `assumes` names knobs and what they have to be for it, as `eps = 0`, or nothing."""

    steps: tuple[str, ...]
    formula: Expression | None = None
    assumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoProof:
    """Why there is none; nothing is said of the law by that."""

    reason: str


Attempt = Proof | NoProof


def at_zero(rule: Rule, knob: str) -> Rule:
    """Give the rule with a knob at zero, products with it left out; the knob is still there."""
    joins = {"add": added, "sub": subtracted, "mul": multiplied}

    def change(node: Expression) -> Expression:
        if node == Name(knob):
            return ZERO
        return joins[node.op](*node.arguments) if isinstance(node, Operation) and node.op in joins else node

    return of_tree(mapped_tree(rule.tree, change))


def without_decay(prove: Callable[[Rule], Attempt], rule: Rule) -> Attempt:
    """Try a proof, and where there is none, one for the rule without its weight decay: then it assumes that."""
    attempt = prove(rule)
    if isinstance(attempt, Proof) or "weight_decay" not in rule.knobs:
        return attempt
    other = prove(at_zero(rule, "weight_decay"))
    if isinstance(other, NoProof):
        return attempt
    return replace(other, steps=("Let weight_decay = 0.", *other.steps), assumes=(*other.assumes, "weight_decay = 0"))


def quoted(node: Expression) -> str:
    """Print an expression for a sentence."""
    return f"`{expression_text(node)}`"


def listed(names: list[str]) -> str:
    """List names in a sentence.

    >>> listed(["m"]), listed(["m", "v", "x"])
    ('`m`', '`m`, `v` and `x`')
    """
    told = [f"`{name}`" for name in names]
    return " and ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else "".join(told)
