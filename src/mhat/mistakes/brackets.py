"""Brackets that stand elsewhere: one pair left out, or one too many. It knows no rule by name, and reads text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mhat.errors import MhatError
from mhat.language.expressions import ExpressionParser
from mhat.language.source import SourceText
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import names_in
from mhat.mistakes.slots import Edit, worded_slots
from mhat.printers import python

_TOKEN = re.compile(r"\s*(\*\*|//|[<>=!]=|[-+*/%()<>,=]|\d[\d.]*(?:e[-+]?\d+)?|\w+|\S)")
_OPERATORS = frozenset({"+", "-", "*", "/", "//", "**", "%", "@"})
# Beyond this many words nobody counts brackets on one line.
LONGEST = 60


def bracketed(tree: Tree) -> Iterator[Edit]:
    """Leave out a pair of brackets, or put one more pair, in every line and in the result."""
    for whole in worded_slots(tree):
        words = _TOKEN.findall(python.expression_text(whole.part))
        if len(words) > LONGEST:
            continue
        met = {whole.part}
        for other, missing in _others(words):
            new = _read(" ".join(other), names_in(whole.part))
            if new is None or new in met:
                continue
            met.add(new)
            kind = "brackets are missing" if missing else "brackets are one pair too many"
            sentence = f"{whole.where} {kind}: `{python.expression_text(new)}`"
            yield whole.edit(new, sentence, "brackets", 1.0 if missing else 1.1)


def _others(words: list[str]) -> Iterator[tuple[list[str], bool]]:
    """Yield the words with one pair left out, then with one more; and whether a pair is missing."""
    closing = _pairs(words)
    for begin, end in closing.items():
        if begin == 0 or words[begin - 1] in _OPERATORS or words[begin - 1] in ("(", "-", ","):
            yield [word for i, word in enumerate(words) if i not in (begin, end)], True
    operands = _operands(words, closing)
    for i, (begin, _, depth) in enumerate(operands):
        for _, end, other in operands[i + 1 :]:
            if depth == other and all(words[j] != "," for j in range(begin, end)):
                yield [*words[:begin], "(", *words[begin : end + 1], ")", *words[end + 1 :]], False


def _pairs(words: list[str]) -> dict[int, int]:
    """Find where each bracket is closed."""
    opened: list[int] = []
    closing: dict[int, int] = {}
    for i, word in enumerate(words):
        if word == "(":
            opened.append(i)
        elif word == ")":
            closing[opened.pop()] = i
    return closing


def _operands(words: list[str], closing: dict[int, int]) -> list[tuple[int, int, tuple[int, ...]]]:
    """List what operators join: where each begins and ends, and the brackets that it stands in."""
    found = []
    for i, word in enumerate(words):
        inside = tuple(begin for begin, end in closing.items() if begin < i < end)
        if word == "(" and not (i > 0 and words[i - 1][0].isalpha()):
            found.append((i, closing[i], inside))
        elif word[0].isalnum() or word[0] == "_":
            called = i + 1 < len(words) and words[i + 1] == "("
            found.append((i, closing[i + 1] if called else i, inside))
    return found


def _read(text: str, readable: set[str]) -> Expression | None:
    """Read an expression; None if it is none."""
    try:
        node = ast.parse(text, mode="eval").body
        return _unplaced(ExpressionParser(SourceText(text, "")).parse(node, dict.fromkeys(readable, ""), ""))
    except (SyntaxError, MhatError):
        return None


def _unplaced(node: Expression) -> Expression:
    """Forget where it stood: no user wrote it."""
    if isinstance(node, Operation):
        return Operation(node.op, tuple(map(_unplaced, node.arguments)), node.over)
    return Name(node.id) if isinstance(node, Name) else Number(node.value)
