"""The tables of slips and of what is made of them. It knows no search and no edit.

A line of a table is a slip, `rule.slip | family | written => instead`: an exchange in the text of a rule (a second one
after `;;`, a new line as `\\n`), or a case, `rule = slip + slip`. The slips of a case are made one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import mhat
from benchmarks.cases import claims
from mhat.language import Rule
from mhat.language.walking import all_expressions, names_in
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Probes
from mhat.subjects.subject import Subject

SETS = ("first", "second")
Exchanges = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Slip:
    """One thing that was done wrong, as exchanges in the text of a rule."""

    rule: str
    name: str
    family: str
    exchanges: Exchanges

    def made_in(self, text: str) -> str:
        """Make it; raises ValueError if what is to be exchanged does not stand there once."""
        for old, new in self.exchanges:
            if text.count(old) != 1:
                raise ValueError(f"{self.rule}.{self.name}: {old!r} stands {text.count(old)} times in\n{text}")
            text = text.replace(old, new)
        return text


@dataclass(frozen=True)
class Outside:
    """A rule with some slips, seen as a run without knobs."""

    rule: str
    slips: tuple[Slip, ...]

    @property
    def id(self) -> str:
        """Say it in a word."""
        return f"{self.rule}:{'+'.join(slip.name for slip in self.slips)}"

    @property
    def truth(self) -> Rule:
        """What it computes."""
        text = claims.text(self.rule)
        for slip in self.slips:
            text = slip.made_in(text)
        head, body = text.split("\n", 1)
        for name in ("t", "k", "n"):
            if re.search(rf"\b{name}\b", body) and f", {name}" not in head.split("=")[0]:
                head = head.replace("(x, g", f"(x, g, {name}", 1)
        return mhat.rule(f"{head}\n{body}")

    @property
    def told(self) -> dict[str, float]:
        """What a checker is told: the learning rate; all else is to be found out."""
        return {"lr": float(self.truth.knobs["lr"])}

    def subject(self) -> Subject:
        """Make a run without knobs of it, of several tensors where it treats them unlike."""
        tree = self.truth.tree
        several = any(names_in(node) & {"k", "n"} for node in all_expressions(tree))
        several |= any(getattr(node, "over", None) == "all" for node in all_expressions(tree))

        def drive(gradients: list[Any], start: list[Any], knobs: dict[str, float]) -> list[Any]:
            # Tensors of other sizes are filled up with coordinates that never move.
            steps, sizes = len(gradients[0]), [int(np.prod(g.shape[1:])) for g in gradients]
            given, begun = np.zeros((1, steps, len(sizes), max(sizes))), np.zeros((1, len(sizes), max(sizes)))
            for i, (g, s, size) in enumerate(zip(gradients, start, sizes, strict=True)):
                given[0, :, i, :size] = g.reshape(steps, -1)
                begun[0, i, :size] = np.broadcast_to(s, g.shape[1:]).reshape(-1)
            made = Evaluator(Probes(given, begun, {})).run(tree)
            shaped = enumerate(zip(gradients, sizes, strict=True))
            return [made[:, 0, i, :size].reshape(g.shape) for i, (g, size) in shaped]

        return Subject(self.id, drive, several=several, starts=True, tensors=3 if several else None)


@cache
def _lines(name: str) -> tuple[tuple[str, ...], ...]:
    text = (Path(__file__).parent / f"{name}.txt").read_text()
    return tuple(tuple(line.split(" | ")) for line in text.splitlines() if line and not line.startswith("#"))


@cache
def slips_of(name: str) -> dict[str, Slip]:
    """Read the slips of a table, by `rule.slip`."""
    found = {}
    for line in _lines(name):
        if len(line) == 3:
            rule, slip = line[0].split(".")
            pairs = [pair.replace("\\n ", "\n    ").split(" => ") for pair in line[2].split(" ;; ")]
            found[line[0]] = Slip(rule, slip, line[1], tuple((old, new) for old, new in pairs))
    return found


def outside_cases(name: str) -> Iterator[Outside]:
    """Read the cases of a table, in their order."""
    slips = slips_of(name)
    for line in _lines(name):
        if len(line) == 1:
            rule, what = line[0].split(" = ")
            yield Outside(rule, tuple(slips[f"{rule}.{slip}"] for slip in what.split(" + ")))
