"""Trees run over probes: what edits can make of them too."""

from __future__ import annotations

import numpy as np

from mhat import rule
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Probes


def test_a_gradient_that_an_edit_makes_a_number_is_still_reduced() -> None:
    probes = Probes(np.ones((1, 3, 2, 4)), np.zeros((1, 2, 4)), {"lr": 0.5})
    # One number stands for each of the four coordinates: the norm of four twos is 4.
    edited = rule("def f(x, g, *, lr=0.5):\n    g = 2\n    return x - lr * norm(g)")
    moved = Evaluator(probes).run(edited.tree)
    assert np.isclose(moved, -2.0 * np.arange(1.0, 4.0)[:, None, None, None]).all()
