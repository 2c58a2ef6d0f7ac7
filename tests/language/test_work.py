"""What is done for a rule grows with its lines and not with their square: parsing, inference and printing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mhat.language import Rule, rule
from mhat.language.inference import dependence, level, names_read, shapes
from mhat.language.tree import Tree
from mhat.printers.latex import lines_latex
from mhat.printers.python import rule_text
from tests.language.work import work

FEW, MANY = 30, 240


def chain(lines: int, joint: str = "\n    ") -> str:
    body = joint.join(f"u{i} = 2 * u{i - 1} + lr * g / t" for i in range(1, lines))
    return f"def f(x, g, t, *, lr=0.1):\n    u0 = g{joint}{body}{joint}return x - u{lines - 1}"


def states(lines: int) -> str:
    """States that hand on to the next what they had the step before: nothing is known after one look."""
    signature = ", ".join(f"s{i}='lr'" for i in range(lines))
    body = "\n    ".join(f"s{i} = s{i - 1} if t > 1 else 0" for i in range(lines - 1, 0, -1))
    return (
        f"def f(x, g, t, {signature}, *, lr=1):\n    {body}\n    s0 = g @ transpose(g)\n    return x - s{lines - 1} @ g"
    )


def knobs(lines: int) -> str:
    signature = ", ".join(f"k{i}=0.5" for i in range(lines))
    body = "\n    ".join(f"u = u + k{i} * g" for i in range(lines))
    return f"def f(x, g, *, {signature}):\n    u = 0\n    {body}\n    return x - u"


TEXTS: dict[str, Callable[[int], str]] = {
    "chain": chain,
    "one line": lambda lines: chain(lines, "; "),
    "letters of two bytes": lambda lines: chain(lines, "; ").replace("u", "ü").replace("retürn", "return"),
    "states": states,
    "knobs": knobs,
}
TASKS: dict[str, Callable[[Tree], Any]] = {
    "level": level,
    "dependence": dependence,
    "shapes": shapes,
    "names read": names_read,
    "text": rule_text,
    "LaTeX": lines_latex,
}
# Eight times the lines may take this many times the work; their square would take 64 times.
AT_MOST = 12


@pytest.mark.parametrize("kind", TEXTS)
def test_parsing(kind: str) -> None:
    few, many = TEXTS[kind](FEW), TEXTS[kind](MANY)
    assert work(lambda: rule(many)) < AT_MOST * work(lambda: rule(few))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", ["chain", "states", "knobs"])
def test_what_is_done_with_the_tree(kind: str, task: str) -> None:
    few, many = (rule(TEXTS[kind](lines)).tree for lines in (FEW, MANY))
    assert work(lambda: TASKS[task](many)) < AT_MOST * work(lambda: TASKS[task](few))


def test_knobs_are_checked_one_by_one() -> None:
    def checked(made: Rule) -> int:
        return work(lambda: made.check_knobs(made.knobs))

    assert checked(rule(knobs(MANY))) < AT_MOST * checked(rule(knobs(FEW)))


def test_the_square_would_be_seen() -> None:
    def splitting(lines: int) -> int:
        text = chain(lines)
        return work(lambda: [text.splitlines() for _ in range(lines)])

    def comparing(lines: int) -> int:
        return work(lambda: [i for i in range(lines) for _ in range(lines)])

    assert splitting(MANY) > AT_MOST * splitting(FEW)
    assert comparing(MANY) > AT_MOST * comparing(FEW)
