"""What an export is: a language, and who writes a rule in it. It knows no language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mhat.language.definition import Rule


def says_all(rule: Rule) -> str | None:
    """Say what of a rule a language lacks that lacks nothing."""
    return None


@dataclass(frozen=True)
class Export:
    """One language that rules are written in.

    `language` is what `--as` takes, `title` what people call it. `write` makes the text of a file of a rule; its knobs
    have the defaults that the file is to have. `lacking` gives in words why a rule cannot be said in it ("it has
    `eigh`, and ..."), None where it can; nobody calls `write` on a rule that it refuses.
    """

    language: str
    title: str
    ending: str
    write: Callable[[Rule], str]
    lacking: Callable[[Rule], str | None] = says_all
