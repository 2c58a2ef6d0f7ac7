"""Rules with a knob that counts columns: they are checked, found among others, and a count is taken as it is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mhat
from mhat.checks.question import Question
from mhat.engines.array_operations import operations
from mhat.errors import BadValue
from mhat.subjects.rules import subject_of_rule


class MyDion:
    """Dion by another hand, with names of its own and a count that it does not tell."""

    def __init__(self, lr: float = 0.02, mu: float = 0.95, r: int = 3) -> None:
        self.lr, self.mu, self.r = lr, mu, r
        self.kept: Any = None

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        if self.kept is None:
            self.kept = (np.zeros_like(g), np.eye(g.shape[1])[:, : self.r])
        m, q = self.kept
        b = m + g
        p = np.linalg.qr(b @ q)[0]
        turned = b.T @ p
        q = turned / (np.linalg.norm(turned, axis=0) + 1e-8)
        self.kept = (b - (1 - self.mu) * p @ turned.T, q)
        return np.asarray(w - self.lr * (g.shape[0] / g.shape[1]) ** 0.5 * p @ q.T)


@pytest.mark.parametrize("name", ["galore", "dion"])
def test_the_library_conforms_to_itself(name: str) -> None:
    assert mhat.check(name).conforms


def test_a_count_that_is_told() -> None:
    verdict = mhat.check(MyDion, "dion", knobs={"rank": 3})
    assert verdict.conforms and verdict.estimated.keys() <= {"lr", "momentum"}


def test_a_count_that_nobody_tells_is_said() -> None:
    verdict = mhat.check(MyDion, "dion", seconds=0.2)
    assert not verdict.conforms
    assert "rank counts columns, and is not found out: it was taken to be 2. Say it: -k rank=3" in verdict.notes


def test_it_is_found_among_all() -> None:
    assert mhat.identify("dion").against == "dion"


def test_an_edit_that_counts_by_another_knob_does_not_fit() -> None:
    rule = mhat.rules.galore
    question = Question(subject_of_rule(rule), rule)
    wrong = mhat.rule(str(rule).replace("leading(u, rank)", "leading(u, every)"))
    assert question.matcher.agreed(wrong.tree) == -1
    assert question.matcher.agreed(rule.tree) == question.matcher.steps


def test_many_counts_are_refused() -> None:
    leading, matrix = operations(np)["leading"], np.eye(3)
    assert leading(matrix, np.array([2.0, 2.0])).shape == (3, 2)
    with pytest.raises(BadValue) as error:
        leading(matrix, np.array([2.0, 1.0]))
    assert str(error.value) == "`leading` is given many numbers of columns\nGive its knob one whole number."
