"""Exported functions of NumPy: the examples in them run, and they are the rule, number by number."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.engines.stepping import step_given
from mhat.exports import EXPORTS
from mhat.language import Level, rule
from mhat.names import find_rule
from tests.choices import often
from tests.exports.modules import module_of, numpy_subject
from tests.exports.odd import ODD

ALL = [name for name in rules.names() if EXPORTS["numpy"].lacking(rules.named(name)) is None]
MODIFIED = ["cautious(adam)", "clipped(adam)", "lookahead(adam)", "skip_outliers(adam)", "clipped(muon)"]


@pytest.mark.parametrize("name", [*ALL, *MODIFIED])
def test_the_first_steps_in_the_docstring_are_those_of_the_function(name: str) -> None:
    with module_of(find_rule(name), "numpy") as module:
        result = doctest.testmod(module)
    assert result.attempted >= 3
    assert result.failed == 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", often(ALL))
def test_it_moves_as_the_rule_does(name: str, dtype: str) -> None:
    made = rules.named(name)
    shape = (3, 4) if made.level is Level.MATRIX else (5,)
    g = np.random.default_rng(1).normal(size=(12, *shape)).astype(dtype)
    start = np.random.default_rng(2).normal(size=shape).astype(dtype)
    x, state, expected = start, None, []
    for i in range(len(g)):
        given: dict[str, Any] = {"loss": 1.5, "h": abs(g[i])}
        given = {each: given[each] for each in made.tree.given}
        taken = step_given(made, x, g[i], i + 1, state, given, {})
        x, state = taken.x, taken.state
        expected.append(x)
    with module_of(made, "numpy") as module:
        out = numpy_subject(made, module, dtype)(g, start)
    moved = np.abs(np.array(expected) - start).max()
    assert out.dtype == dtype
    # Sums run in another order, and eigenvectors magnify what that leaves.
    assert np.abs(out - expected).max() <= moved * (1e-10 if dtype == "float64" else 3e-3)


def test_a_wrong_one_is_found_wrong() -> None:
    wrong = find_rule(str(rules.adam).replace("1 - beta2**t", "1 - beta1**t"))
    with module_of(wrong, "numpy") as module:
        assert not mhat.check(module.adam, "adam").conforms


def test_nothing_that_is_given_is_changed_or_kept() -> None:
    with module_of(rules.optimistic, "numpy") as module:
        x, g = np.array([1.0, 2.0]), np.array([0.5, -0.5])
        moved, state = module.optimistic(x, g)
        kept = [np.array(value) for value in state]
        g[:], x[:] = 7.0, 7.0
        assert all(np.array_equal(a, b) for a, b in zip(state, kept, strict=True))
        assert not np.shares_memory(moved, x)


def test_numbers_of_the_step_that_python_would_raise_for() -> None:
    made = rule("def made(x, g, t, *, lr=0.1, p=-400.0, zero=0.0): return x - lr * g * (t / zero + (t + 1)**p)")
    with module_of(made, "numpy") as module:
        assert np.isinf(module.made(np.ones(1), np.ones(1), 1)[0])
        assert module.made(np.ones(1), np.ones(1), 1, zero=1.0, p=1e9)[0] == -np.inf


def test_what_is_no_matrix_is_refused_and_what_is_more_is_flattened() -> None:
    kernel = np.arange(12.0).reshape(3, 2, 2)
    with module_of(rules.muon, "numpy") as module:
        with pytest.raises(ValueError, match=r"muon takes matrices, not the shape \(2,\)"):
            module.muon(np.ones(2), np.ones(2))
        moved, state = module.muon(kernel, kernel - 5.0)
        flat, same = module.muon(kernel.reshape(3, 4), kernel.reshape(3, 4) - 5.0)
        assert moved.shape == (3, 2, 2)
        assert np.array_equal(moved.reshape(3, 4), flat)
        assert np.array_equal(state.m, same.m)
    with module_of(rules.shampoo, "numpy") as module, pytest.raises(ValueError, match=r"not the shape \(3, 2, 2\)"):
        module.shampoo(kernel, kernel, 1)


def test_names_that_mean_something_there_are_written_otherwise() -> None:
    with module_of(ODD, "numpy") as module:
        assert doctest.testmod(module).failed == 0
