"""A rule as the formulas of a paper. It runs nothing."""

from __future__ import annotations

from mhat.exports.export import Export
from mhat.language.definition import Rule
from mhat.printers.latex import rule_latex


def write(rule: Rule) -> str:
    """Write the lines of a rule as an aligned block, for an equation environment."""
    return rule_latex(rule).rstrip("\n") + "\n"


EXPORT = Export("latex", "LaTeX", ".tex", write)
