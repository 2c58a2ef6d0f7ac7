"""Which rules of the library a test goes over: those of vectors, the classics, or some often and the others seldom.

With a hundred rules not every test can run each of them through each engine. A kind of operation, of state or of
reduction is there often; what is like another comes with the long tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from mhat import rules
from mhat.language import Level, Operation, Rule
from mhat.language.walking import all_expressions, names_in

# Rules that run on vectors; those per matrix have tests of their own.
VECTORS = [
    name for name in rules.names() if rules.named(name).level is not Level.MATRIX and not rules.named(name).tree.given
]
# The rules that tables of known numbers are about.
CLASSICS = [
    "adabelief", "adabound", "adadelta", "adagrad", "adam", "adamax", "adamw", "adan", "adopt", "amsgrad", "lamb",
    "lion", "momentum", "nadam", "nesterov", "qhadam", "radam", "rmsprop", "rmsprop_centered", "sgd", "signsgd",
    "signum", "tiger", "yogi",
]  # fmt: skip
# One of each kind among the others.
KINDS = [
    "adagrad_norm", "adam_atan2", "adamp", "ademamix", "diffgrad", "dog", "ftrl", "madgrad", "pnm", "prodigy", "rprop",
    "schedule_free", "stable_adamw",
]  # fmt: skip
OFTEN = {*CLASSICS, *KINDS}


def operations_in(rule: Rule) -> set[str]:
    """List the operations of values that change with the coordinate."""
    of = rule.dependence.of
    nodes = [node for node in all_expressions(rule.tree) if isinstance(node, Operation)]
    return {node.op for node in nodes if any({name, *of.get(name, ())} & {"x", "g"} for name in names_in(node))}


# Other functions come from a library each, and are compared within bounds.
OTHER_FUNCTIONS = {"atan2", "cbrt", "exp", "log", "tanh"}
BIT_FOR_BIT = [name for name in VECTORS if not OTHER_FUNCTIONS & operations_in(rules.named(name))]


def often(names: Iterable[str] = VECTORS) -> list[Any]:
    """Mark those that are like others as long."""
    return [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in names]
