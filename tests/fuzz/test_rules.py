"""Random rules through the kernels, bit for bit against the living definition; what they found, as fixed examples.

A minute in CI, hours by hand: `MHAT_FUZZ_EXAMPLES=3000 pytest tests/fuzz/test_rules.py` tries so many in each test.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from mhat.engines.kernels import trace as traces_of_kernels
from mhat.engines.kernels import trace_text
from mhat.engines.kernels.trace import LANES_FOR_SEVERAL, run_on_kernels, runs_on_kernels
from mhat.engines.running import run_on_floats
from mhat.engines.work import CARRIED, Work, variables_of
from mhat.language import Rule, of_tree, rule
from mhat.language.tree import Operation, Tree
from mhat.language.walking import all_expressions, subexpressions
from tests.engines.columns import same_bits
from tests.engines.kernels.interpreted import run_by_python
from tests.engines.kernels.stepping import check_bit_for_bit
from tests.engines.test_agreement import stream
from tests.engines.test_operations import NEAR
from tests.strategies import rules

EXAMPLES = int(os.environ.get("MHAT_FUZZ_EXAMPLES", "0"))
STEPS, LEG, LANES, SPAN = 5, 3, LANES_FOR_SEVERAL + 1, 1024
DTYPES = st.sampled_from(["float64", "float32"])
ELEMENTWISE = rules(mixed=True, elementwise=True, depth=2)
WITH_REDUCTIONS = rules(mixed=True, matrices=False, depth=2)


def tries(few: int, *, shrinks: bool = True) -> settings:
    phases = [Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if shrinks else [])]
    return settings(max_examples=EXAMPLES or few, deadline=None, suppress_health_check=list(HealthCheck), phases=phases)


def is_exact(tree: Tree, *, starts_only: bool) -> bool:
    """Whether an engine's own functions cannot make a difference: starts are NumPy's, steps those that are compiled."""
    nodes = [node for state in tree.states for node in subexpressions(state.start)]
    nodes += [] if starts_only else all_expressions(tree)
    return not any(isinstance(node, Operation) and node.op in NEAR - {"floordiv"} for node in nodes)


def check_steps(made: Rule, dtype: str, wild: bool) -> None:
    streams = [stream(shape, steps=3, wild=wild) for shape in ((), (3,), (0,), (2, 2))]
    check_bit_for_bit(made, dtype, streams, start=0.5, fused=None)


def check_traces(made: Rule, dtype: str, wild: bool, shapes: Sequence[tuple[int, ...]] = ((), (2,), (17,))) -> None:
    """Hold a trace of one coordinate, of a few and of many against floats, in one piece and in two legs."""
    for shape in shapes:
        given = Work(made, stream(shape, steps=STEPS, wild=wild), STEPS, tuple(variables_of(made)), start=0.5,
                     dtype=dtype, tensor_dimensions=len(shape))  # fmt: skip
        if not runs_on_kernels(given):
            continue
        expected = run_on_floats(given)
        check_same(expected, run_on_kernels(given))
        check_same(expected, in_legs(given))


def in_legs(given: Work) -> dict[str, Any]:
    first = run_on_kernels(replace(given, gradients=given.gradients[:LEG], steps=LEG, carries=True))
    carried = first.pop(CARRIED)
    rest = replace(given, gradients=given.gradients[LEG:], steps=STEPS - LEG, first=LEG + 1, carried=carried)
    second = run_on_kernels(rest)
    return {name: np.concatenate([first[name], second[name]]) for name in first}


def check_same(expected: dict[str, Any], found: dict[str, Any], which: object = "") -> None:
    assert list(found) == list(expected)
    for name, values in expected.items():
        others = np.broadcast_to(found[name], values.shape)
        assert same_bits(np.ascontiguousarray(values), np.ascontiguousarray(others)).all(), (
            which,
            name,
            values,
            others,
        )


def check_sweeps(made: Rule, dtype: str, wild: bool) -> None:
    """Hold members of a sweep that go several at once against floats, one by one."""
    starts = np.linspace(-1, 1, LANES).astype(dtype).astype(np.float64)
    knobs = {name: value * np.linspace(0.5, 1, LANES) for name, value in made.knobs.items()}
    given = Work(made, stream((), steps=STEPS, wild=wild), STEPS, tuple(variables_of(made)), starts, knobs, dtype=dtype)
    if not runs_on_kernels(given):
        return
    found = run_on_kernels(given)
    for i in (0, 1, 2, LANES - 1):
        lane = replace(given, start=float(starts[i]), knobs={name: float(values[i]) for name, values in knobs.items()})
        check_same(run_on_floats(lane), {name: a[i] if a.ndim > 1 else a for name, a in found.items()}, i)


def check_two_threads(made: Rule, dtype: str) -> None:
    """Hold one coordinate that two threads share, over stretches that are short for once, against floats."""
    steps = 2 * SPAN + 100
    given = Work(made, stream((), steps=steps), steps, tuple(variables_of(made)), 0.5, dtype=dtype)
    long_row = SPAN + trace_text.BEFORE
    with (
        patch.multiple(trace_text, LONG=SPAN, LONG_ROW=long_row),
        patch.multiple(traces_of_kernels, LONG=SPAN, LONG_ROW=long_row, threads_for=lambda work, wanted: 2),
    ):
        traces_of_kernels._printed.cache_clear()
        if not runs_on_kernels(given):
            return
        check_same(run_on_floats(given), run_on_kernels(given))
    traces_of_kernels._printed.cache_clear()


# What was found, each a kind: kernels did not compile, or gave other numbers.
FOUND = {
    "a per-step state that reads a state of tensors, set to a number of the step":
        "def f(x, g, p='x', q=0, *, lr=0.1):\n    p = lr * q\n    q = p + lr\n    return x - g * q",
    "what is computed from a state of tensors, set to a number of the step":
        "def f(x, g, t, m='g', *, b=0.5):\n    m = t / (1 - b**t)\n    w = -m\n    return x - w",
    "that state itself, averaged":
        "def f(x, g, t, m='g', *, b=0.5):\n    m = t / (1 - b**t)\n    m = b * m + (1 - b) * (2 > 2)\n"
        "    w = (-m) / (1 - b**t)\n    return x - g * w",
    "two states that take over the same":
        "def f(x, g, m=1, v=2):\n    u = m * 1\n    w = v * 1\n    m = g\n    v = g\n    return x - u - w",
    "x takes over a state that never changes": "def f(x, g, m='-g'):\n    u = x\n    return m",
    "x and a state take over one value": "def f(x, g, m=1):\n    u = x + m\n    m = u * g\n    return m",
}  # fmt: skip
# Also on steps: reductions count coordinates, of a state that is one number too.
FOUND_IN_STEPS = {
    **FOUND,
    "a state of tensors that starts as one number": "def f(x, g, m=2):\n    u = norm(m)\n    m = m / 2 + g\n"
    "    return x - u * m",
    "a state of tensors that becomes one number": "def f(x, g, m='g'):\n    m = norm(m)\n    return x - m * g",
    "of all tensors": "def f(x, g, m='g'):\n    m = sum(m, over='all')\n    return x - m * g",
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("what", FOUND)
def test_found_in_traces(what: str, dtype: str) -> None:
    with run_by_python():
        check_traces(rule(FOUND[what]), dtype, wild=False)
        check_sweeps(rule(FOUND[what]), dtype, wild=False)
        check_two_threads(rule(FOUND[what]), dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("what", FOUND_IN_STEPS)
def test_found_in_steps(what: str, dtype: str) -> None:
    with run_by_python():
        check_steps(rule(FOUND_IN_STEPS[what]), dtype, wild=False)


def test_found_compiled() -> None:
    check_steps(rule(FOUND["that state itself, averaged"]), "float32", wild=True)
    check_traces(rule(FOUND["two states that take over the same"]), "float64", wild=True, shapes=[()])


@tries(60)
@given(tree=WITH_REDUCTIONS, dtype=DTYPES, wild=st.booleans())
def test_steps_as_printed(tree: Tree, dtype: str, wild: bool) -> None:
    assume(is_exact(tree, starts_only=True))
    with run_by_python():
        check_steps(of_tree(tree), dtype, wild)


@tries(40)
@given(tree=ELEMENTWISE, dtype=DTYPES, wild=st.booleans())
def test_traces_as_printed(tree: Tree, dtype: str, wild: bool) -> None:
    assume(is_exact(tree, starts_only=True))
    with run_by_python():
        check_traces(of_tree(tree), dtype, wild)


@tries(30)
@given(tree=ELEMENTWISE, dtype=DTYPES, wild=st.booleans())
def test_sweeps_as_printed(tree: Tree, dtype: str, wild: bool) -> None:
    assume(is_exact(tree, starts_only=True))
    with run_by_python():
        check_sweeps(of_tree(tree), dtype, wild)


@tries(5)
@given(tree=ELEMENTWISE, dtype=DTYPES)
def test_two_threads_as_printed(tree: Tree, dtype: str) -> None:
    assume(is_exact(tree, starts_only=True))
    with run_by_python():
        check_two_threads(of_tree(tree), dtype)


@tries(3, shrinks=False)
@given(tree=ELEMENTWISE, dtype=DTYPES, shape=st.sampled_from([(), (2,), (17,)]), wild=st.booleans())
def test_traces_compiled(tree: Tree, dtype: str, shape: tuple[int, ...], wild: bool) -> None:
    assume(is_exact(tree, starts_only=False))
    check_traces(of_tree(tree), dtype, wild, shapes=[shape])


@tries(5, shrinks=False)
@given(tree=WITH_REDUCTIONS, dtype=DTYPES, wild=st.booleans())
def test_steps_compiled(tree: Tree, dtype: str, wild: bool) -> None:
    assume(is_exact(tree, starts_only=False))
    check_steps(of_tree(tree), dtype, wild)
