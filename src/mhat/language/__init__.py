"""The rule language: from the text of a rule to its tree, and what the tree says about itself.

    Rule, rule, of_tree                     a rule, and ways to make one
    Tree, Assignment, State, Knob,          the grammar (`tree`)
    Number, Name, Operation
    Level                                   per coordinate, per tensor, per matrix

It knows no arrays, no engine and no rule of the library.
"""

from mhat.language.definition import Rule, of_tree, rule
from mhat.language.inference import Level
from mhat.language.tree import Assignment, Expression, Knob, Name, Number, Operation, State, Tree

__all__ = [
    "Assignment", "Expression", "Knob", "Level", "Name", "Number", "Operation", "Rule", "State", "Tree", "of_tree",
    "rule",
]  # fmt: skip
