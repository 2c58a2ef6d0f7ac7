"""What every exported file says of itself: from which rule, by whose paper, what checked it, and its first steps.

It knows no language: it gives lines of words, which whoever writes a file puts into comments.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat import rules, streams
from mhat.engines.stepping import step, step_given
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.fit import require_fit
from mhat.language.inference import Level
from mhat.printers.python import rule_text
from mhat.version import VERSION

WIDTH = 100
# The stream whose first numbers are the gradients of the steps that a file shows, rounded so that they can be read.
STREAM, STEPS, PLACES = "normal:seed=42", 3, 3
STARTS = (1.0, -2.0, 0.5, 3.0, -1.5, 2.0, -0.25, 0.75, 1.25)
SHAPES = ((2, 3), (3, 2), (2, 2), (3, 3))
LOSSES = (2.0, 1.5, 1.0)
# Rules whose numbers leave the range of float32, so that no check of theirs ends well there, whoever computes them.
LEAVE_FLOAT32 = {
    "adafactor_vector": "eps1**2 is zero there",
    "dadapt_adam": "a long run is infinite there",
    "dadapt_sgd": "a long run is infinite there",
    "prodigy": "the distance, squared, is infinite there in a long run",
}
# Rules that `mhat check` cannot judge in every language: their files are held against the steps of the rule.
UNCHECKED = {
    "asgo": "eigenvalues that are zero but for rounding stand beside eps, and libraries round them otherwise",
    "galore": "a function is first tried with one column, and rank is 2",
    "soap": "the check itself fails on its bases",
    "splus": "the check itself fails on its bases",
}


@dataclass(frozen=True)
class Example:
    """The first steps of a rule from a start, in float64: what comes in and what must come out."""

    x: np.ndarray
    gradients: tuple[np.ndarray, ...]
    others: tuple[dict[str, Any], ...]
    after: tuple[np.ndarray, ...]

    def said(self, values: np.ndarray) -> str:
        """Write where x is, to as many digits as any machine gives."""
        return " ".join(f"{value:.8g}" for value in values.ravel())


def example_of(rule: Rule) -> Example:
    """Take the first steps of a rule, two numbers or a small matrix, by the first numbers of a stream."""
    shape = _shape(rule)
    size = int(np.prod(shape))
    numbers = np.asarray(streams.named(STREAM, 2 * STEPS * size).values, dtype=float).round(PLACES)
    rows = numbers.reshape(2 * STEPS, *shape)
    start = x = np.array(STARTS[:size]).reshape(shape)
    others, after, state = [], [], None
    for i in range(STEPS):
        given: dict[str, Any] = {"loss": LOSSES[i]} if "loss" in rule.tree.inputs else {}
        given |= {"h": np.abs(rows[STEPS + i])} if "h" in rule.tree.inputs else {}
        others.append(given)
        taken = step_given(rule, x, rows[i], i + 1, state, given, {}) if given else step(rule, x, rows[i], i + 1, state)
        x, state = taken.x, taken.state
        after.append(x)
    return Example(start, tuple(rows[:STEPS]), tuple(others), tuple(after))


def _shape(rule: Rule) -> tuple[int, ...]:
    if rule.level is not Level.MATRIX:
        return (2,)
    for shape in SHAPES:
        try:
            require_fit(rule, shape)
        except BadValue:
            continue
        return shape
    raise BadValue(f"{rule.name} runs on none of the shapes {', '.join(map(str, SHAPES))}", "Mend the rule.")


def title_of(rule: Rule, title: str) -> str:
    """Say in a line what the file is."""
    return f"{spoken_name(rule)} in {title}, without mhat. Written by mhat {VERSION} from the rule `{rule.name}`."


def spoken_name(rule: Rule) -> str:
    """Name a class or a rule as a title: AdamW keeps no capitals of its paper, rmsprop_centered is RmspropCentered."""
    words = re.findall(r"[^_\W]+", rule.name)
    return "".join(word[:1].upper() + word[1:] for word in words) or "Rule"


def about(rule: Rule) -> list[str]:
    """Say what the rule is for, by its docstring, and by whose paper."""
    said = [paragraph.replace("\n", " ") for paragraph in textwrap.dedent(rule.doc).strip().split("\n\n")]
    lines = [line for text in said for line in (*filled(text), "")] if rule.doc.strip() else []
    return [*lines, *filled(f"Paper: {rule.paper}.")] if rule.paper else lines[:-1]


def pseudo_code(rule: Rule) -> list[str]:
    """Give the rule that the file was written from."""
    return rule_text(rule).split("\n")


def checked(rule: Rule, how: str) -> list[str]:
    """Say what has checked the file, which is imported or compiled: tests for a rule of the library, else how to."""
    if rule.name in rules.names() and rules.named(rule.name).tree == rule.tree:
        # `mhat check` gives gradients alone.
        in_check = not rule.tree.given and rule.name not in UNCHECKED
        in_both = rule.name not in LEAVE_FLOAT32
        against = "the rule by `mhat check`" if in_check else "the steps of the rule"
        types = "float64 and float32" if in_both else "float64 (in float32 against the steps of the rule)"
        return filled(f"Checked by the tests of mhat: this file is {how}, run, and held against {against}, in {types}.")
    return filled(
        "Not checked itself: the tests of mhat check what the same printer writes of every rule of the library. "
        "`mhat check` holds this file against its rule."
    )


def knob_lines(rule: Rule) -> list[str]:
    """Say of each knob what it is."""
    return [f"{name}: {rule.meaning(name).sentence}" for name in rule.knobs]


def filled(text: str) -> list[str]:
    """Break a text into lines."""
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
