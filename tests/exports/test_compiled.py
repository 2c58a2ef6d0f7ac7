"""Exported C and Rust: compiled without a warning, and the same bits as the rule has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.engines.stepping import step_given
from mhat.language import Rule
from mhat.language.tree import GIVEN
from mhat.names import find_rule
from tests.choices import BIT_FOR_BIT, OFTEN
from tests.exports.conftest import ALL, MODIFIED, Library
from tests.exports.odd import ODD

NAMES = [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in ALL]


def stepped(rule: Rule, g: np.ndarray, h: np.ndarray, start: np.ndarray) -> np.ndarray:
    x, state, after = start, None, []
    for i in range(len(g)):
        given: dict[str, Any] = {"loss": 1.5, "h": h[i]}
        given = {name: given[name] for name in GIVEN if name in rule.tree.inputs}
        taken = step_given(rule, x, g[i], i + 1, state, given, {})
        x, state = taken.x, taken.state
        after.append(x)
    return np.array(after)


def assert_alike(rule: Rule, run: Callable[..., np.ndarray], dtype: str, size: int, steps: int) -> None:
    chance = np.random.default_rng(3)
    g, h = chance.normal(size=(2, steps, size)).astype(dtype)
    start = chance.normal(size=size).astype(dtype)
    found = run(g, start, others=abs(h), loss=1.5)
    expected = stepped(rule, g, abs(h), start)
    # padam's power is the library's, which arrays have from elsewhere.
    if dtype == "float64" and rule.name in BIT_FOR_BIT and rule.name != "padam":
        assert found.view(np.int64).tolist() == expected.view(np.int64).tolist()
    else:
        moved = np.abs(expected - start).max()
        assert np.abs(found - expected).max() <= moved * (1e-12 if dtype == "float64" else 3e-3)


@pytest.mark.parametrize("language", ["c", "rust"])
@pytest.mark.parametrize("name", [*NAMES, *MODIFIED])
def test_it_moves_as_the_rule_does_bit_for_bit(runs: Library, name: str, language: str) -> None:
    rule = find_rule(name)
    assert_alike(rule, runs(rule, language, "float64"), "float64", 3, 25)


@pytest.mark.parametrize("language", ["c", "rust"])
@pytest.mark.parametrize("name", NAMES)
def test_it_moves_as_the_rule_does_in_single_precision(runs: Library, name: str, language: str) -> None:
    assert_alike(rules.named(name), runs(rules.named(name), language, "float32"), "float32", 3, 25)


@pytest.mark.parametrize("language", ["c", "rust"])
@pytest.mark.parametrize("size", [1, 2, 1023, 1024, 1025, 3000])
def test_sums_run_in_the_order_of_every_engine(runs: Library, language: str, size: int) -> None:
    for name in ("lamb", "dog", "skip_outliers(adam)"):
        rule = find_rule(name)
        assert_alike(rule, runs(rule, language, "float64"), "float64", size, 3)


@pytest.mark.parametrize("language", ["c", "rust"])
def test_what_is_not_finite_stays_so(runs: Library, language: str) -> None:
    for name in ("adam", "lion", "amsgrad", "rprop"):
        rule = rules.named(name)
        g = np.array([[1.0, np.nan, np.inf], [0.0, 1.0, -1.0], [-0.0, 1.0, 1.0]])
        found = runs(rule, language, "float64")(g, np.zeros(3))
        expected = stepped(rule, g, g, np.zeros(3))
        assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("language", ["c", "rust"])
def test_names_that_mean_something_there_are_written_otherwise(runs: Library, language: str) -> None:
    for dtype in ("float64", "float32"):
        assert_alike(ODD, runs(ODD, language, dtype), dtype, 3, 5)
