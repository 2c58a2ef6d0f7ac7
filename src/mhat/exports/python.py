"""A rule in the rule language, as a file that mhat reads. It runs nothing."""

from __future__ import annotations

from mhat.exports.export import Export
from mhat.language.definition import Rule
from mhat.printers.python import module_text


def write(rule: Rule) -> str:
    """Write the text of a module that holds the rule."""
    return module_text(rule, "\n\n".join((*filter(None, (rule.doc, rule.paper)), "")))


EXPORT = Export("python", "the rule language", ".py", write)
