"""Each kind of difference between two courses is told from the others."""

from __future__ import annotations

import numpy as np
import pytest

from mhat.explanations.consequences.shapes import shape_of

T = np.arange(1.0, 1001.0)
ONE = np.ones(1000)
CASES = {
    "same": ONE * (1 + 1e-6),
    "constant": ONE * 3,
    "uphill": -ONE,
    "transient": 1 + 0.9**T,
    "limit": 2 - 0.9**T,
    "dies": 0.9**T,
    "power": np.sqrt(T),
    "grows": 1.02**T,
    "still": ONE * 0,
    "nan": np.where(T > 5, np.nan, 1.0),
    "infinite": np.where(T > 5, np.inf, 1.0),
    "skips": np.where(T % 3 == 1, 1.0, 0.0),
    "wanders": 2 + np.sin(T),
}


@pytest.mark.parametrize("kind", CASES)
def test_kinds(kind: str) -> None:
    shape = shape_of(CASES[kind], ONE)
    assert shape.kind == kind
    if kind in ("nan", "infinite"):
        assert shape.step == 6


def test_the_numbers_of_a_shape() -> None:
    assert shape_of(CASES["transient"], ONE).step == 44
    assert shape_of(CASES["limit"], ONE).last == pytest.approx(2)
    assert shape_of(CASES["dies"], ONE).rate == pytest.approx(0.9)
    assert shape_of(CASES["power"], ONE).power == pytest.approx(0.5)
    assert shape_of(CASES["skips"], ONE).step == 3
    assert shape_of(ONE, ONE * 0).kind == "moves"
