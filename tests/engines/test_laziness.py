"""A branch that a number of the step chooses is computed alone, and so is what feeds it: the same bits, less work."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import jax
import numpy as np
import pytest

import mhat
from mhat.engines import array_operations
from mhat.engines.program import _waiting_lines
from mhat.language import of_tree, rule
from mhat.language.tree import Operation, Tree
from mhat.language.walking import mapped_tree
from tests.engines.columns import doubles, same_bits

SHAMPOO = rule("""
def shampoo(x, g, t, left="1e-3 * identity(g @ transpose(g))", basis=0, scale=0, *, lr=0.1, beta2=0.9, every=5):
    left = beta2 * left + (1 - beta2) * g @ transpose(g)
    due = (t - 1) % every == 0
    w, u = eigh(left)
    basis = u if due else basis
    scale = 1 / sqrt(w) if due else scale
    u = basis * scale
    return x - lr * u @ transpose(basis) @ g
""")
G = np.random.default_rng(3).standard_normal((11, 4, 6))


def eager(tree: Tree) -> Tree:
    """Write every condition so that it is no number of the step any more, and everything is computed."""

    def change(node: Any) -> Any:
        if isinstance(node, Operation) and node.op == "where":
            condition, first, second = node.arguments
            unsure = rule("def f(x, g): return 0 * sum(x - x)").tree.result
            return Operation("where", (Operation("add", (condition, unsure)), first, second))
        return node

    return mapped_tree(tree, change)


def trained(made: mhat.Rule, steps: int = 11) -> tuple[np.ndarray, Any]:
    x = np.zeros((4, 6))
    opt = mhat.Optimizer(made, x)
    for g in G[:steps]:
        opt.step(g)
    return x, opt.state


def counted(what: Any) -> int:
    """Count how often `eigh` is computed."""
    calls = 0
    original = array_operations._matrices(np)["eigh"]

    def counting(a: Any) -> Any:
        nonlocal calls
        calls += 1
        return original(a)

    with patch.dict(array_operations.operations(np), {"eigh": counting}):
        from mhat.engines import stepping, whole_steps

        stepping._array_program.cache_clear()
        what()
        stepping._array_program.cache_clear()
        del whole_steps
    return calls


def test_the_bits_are_those_of_both_branches() -> None:
    (x, state), (other, others) = trained(SHAMPOO), trained(of_tree(eager(SHAMPOO.tree)))
    assert same_bits(x, other).all()
    assert all(same_bits(state[name], others[name]).all() for name in state)
    lazy, whole = mhat.trace(SHAMPOO, G), mhat.trace(of_tree(eager(SHAMPOO.tree)), G)
    assert all(same_bits(lazy[name].values, whole[name].values).all() for name in ("x", "basis", "scale", "w"))


def test_what_feeds_a_branch_alone_is_computed_when_it_is_due() -> None:
    assert _waiting_lines(SHAMPOO, ()) == {2} and _waiting_lines(SHAMPOO, ("w",)) == set()
    assert counted(lambda: trained(SHAMPOO)) == 3  # steps 1, 6 and 11
    assert counted(lambda: mhat.trace(SHAMPOO, G, keep="x")) == 3
    # A trace that shows the eigenvalues computes them.
    assert counted(lambda: mhat.trace(SHAMPOO, G)) == 11


def test_a_branch_is_computed_alone_on_every_step() -> None:
    inside = rule("""
def inside(x, g, t, q=0, *, every=4):
    q = orthogonal(g @ transpose(g)) if t % every == 1 else q
    return x - q @ g
""")
    calls = []
    original = array_operations._matrices(np)["orthogonal"]
    with patch.dict(array_operations.operations(np), {"orthogonal": lambda a: calls.append(1) or original(a)}):
        mhat.trace(inside, G[:9])
    assert len(calls) == 3


LINES = {
    "a name that changes meanwhile": """
    a = g @ transpose(g)
    b = orthogonal(a)
    a = a + 1
    m = b if t % 3 == 1 else m
    return x - m @ g - mean(a)""",
    "a chain of lines": """
    a = g @ transpose(g)
    b = a + 1
    w, u = eigh(b)
    m = u * w if t % 3 == 1 else m
    return x - m @ g""",
    "a branch of one number": """
    u = g if t % 2 == 1 else lr
    v = sum(u) + (norm(g) if t > 2 else 1)
    m = m + g @ transpose(g)
    return x - m @ u * v if t < 5 else x""",
    "a state that is one number yet": """
    m = g @ transpose(g) if t % 2 == 0 else m
    u = sum(m)
    return x - u * g""",
    "choices in choices": """
    w, u = eigh(g @ transpose(g))
    v, q = eigh(transpose(g) @ g)
    m = (u if t % 3 == 1 else u * w) if t % 2 == 1 else m
    return x - m @ g - (mean(q) if t > 3 else 0)""",
    "a reduction over all tensors": """
    u = g / norm(g, over="all")
    v = sum(u @ transpose(u), over="all")
    m = m + (v if t % 2 == 1 else 0) + g @ transpose(g)
    return x - m @ g""",
    "x and g anew": """
    g = g - row_mean(g) if t % 2 == 1 else g
    x = 0.9 * x if t > 2 else x
    m = g @ transpose(g) if t == 3 else m
    return x - m @ g""",
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("case", LINES)
def test_nothing_else_changes(case: str, dtype: str) -> None:
    made = rule("def f(x, g, t, m='g @ transpose(g)', *, lr=0.1):" + LINES[case])
    for one in (made, rule(str(made).replace('"g @ transpose(g)"', "0"))):
        whole = of_tree(eager(one.tree))
        lazy, other = mhat.trace(one, G, dtype=dtype), mhat.trace(whole, G, dtype=dtype)
        assert all(same_bits(lazy[name].values, other[name].values).all() for name in lazy.data_vars)
        if dtype == "float64":
            params, others = [np.zeros((4, 6)), np.ones((4, 6))], [np.zeros((4, 6)), np.ones((4, 6))]
            opts = mhat.Optimizer(one, params), mhat.Optimizer(whole, others)
            for t, g in enumerate(G):
                # Tensors whose counts of steps are not the same.
                gradients = [g, None if t % 4 == 1 else g / 2]
                [opt.step(gradients) for opt in opts]
            assert all(same_bits(a, b).all() for a, b in zip(params, others, strict=True))


def test_sweeps_and_what_a_framework_traces_choose_element_by_element() -> None:
    made = rule("def f(x, g, t, *, every=2): return x - (g if t % every == 1 else 0 * g)")
    swept = mhat.trace(made, [1.0, 2.0, 3.0], every=[2, 3])
    assert swept.x.sel(every=2).values.tolist() == [-1.0, -1.0, -4.0]
    assert swept.x.sel(every=3).values.tolist() == [-1.0, -1.0, -1.0]
    with doubles():
        step = jax.jit(lambda x, g, t: mhat.step(made, x, g, t).x)
        assert [float(step(jax.numpy.zeros(()), jax.numpy.ones(()), float(t))) for t in (1, 2)] == [-1.0, 0.0]


def test_every_fifty_steps_costs_a_fiftieth() -> None:
    def train() -> None:
        opt = mhat.Optimizer(SHAMPOO, np.zeros((4, 6)), every=50)
        for step in range(101):
            opt.step(G[step % len(G)])

    assert counted(train) == 3
