"""Ranks and orders: the first columns, as many as a knob says, and columns sorted by a row; in every engine."""

from __future__ import annotations

import pickle
from typing import Any

import jax
import numpy as np
import pytest
import torch

import mhat
from mhat.language import rule
from tests.engines.columns import doubles
from tests.engines.test_matrices import ENGINES, matrix, on_floats

GALORE = rule("""
def galore(x, g, t, p="leading(g @ transpose(g), rank)", m=0, *, lr=0.1, beta1=0.9, rank=2, every=3):
    w, u = eigh(g @ transpose(g))
    p = leading(sorted_by(u, w), rank) if t % every == 1 else p
    low = transpose(p) @ g
    m = beta1 * m + (1 - beta1) * low
    return x - lr * p @ m
""")
G = np.random.default_rng(5).standard_normal((5, 4, 6))


def by_hand(rank: int) -> np.ndarray:
    x, m = np.zeros((4, 6)), np.zeros((rank, 6))
    for t, g in enumerate(G, 1):
        if t % 3 == 1:
            _, u = np.linalg.eigh(g @ g.T)
            u = u * np.sign(u[np.abs(u).argmax(0), range(4)])
            p = u[:, ::-1][:, :rank]
        m = 0.9 * m + 0.1 * p.T @ g
        x = x - 0.1 * p @ m
    return x


def test_shapes_have_the_rank() -> None:
    assert GALORE.shapes["p"] == ("rows", "@rank") and GALORE.shapes["m"] == ("@rank", "columns")
    assert GALORE.shape_of("m", (4, 6)) == (2, 6) and GALORE.sized({"rank": 3}).shape_of("m", (4, 6)) == (3, 6)
    assert GALORE.sized({"rank": 2.0, "lr": 1}) is GALORE and rule(str(GALORE)) == GALORE


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_steps_traces_and_optimizers(rank: int) -> None:
    expected = by_hand(rank)
    trace = mhat.trace(GALORE, G, rank=rank)
    np.testing.assert_allclose(trace.x[-1], expected, rtol=1e-10, atol=1e-13)
    assert trace.m.shape[1:] == ((6,) if rank == 1 else (rank, 6)) or rank == 1
    opt = mhat.Optimizer(GALORE, x := np.zeros((4, 6)), rank=rank)
    for g in G:
        opt.step(g)
    np.testing.assert_allclose(x, expected, rtol=1e-10, atol=1e-13)
    assert opt.state["m"].shape == (rank, 6) and opt.rank == rank
    again = pickle.loads(pickle.dumps(opt))
    assert np.array_equal(again.state["m"], opt.state["m"])
    state: Any = None
    y = torch.zeros(4, 6, dtype=torch.float64)
    for t, g in enumerate(G, 1):
        y, state, _ = mhat.step(GALORE, y, torch.tensor(g), t, state, rank=rank)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("engine", [on_floats, *ENGINES])
def test_sorted_columns(engine: Any) -> None:
    a, keys = matrix((3, 5)), np.array([[1.0, np.nan, 3.0, 1.0, -np.inf]])
    (found,) = engine("sorted_by", a, keys)
    assert np.array_equal(found, a[:, [2, 0, 3, 1, 4]])
    (found,) = engine("leading", a, np.array([[2.0]]))
    assert np.array_equal(found, a[:, :2])


def test_sorted_batches() -> None:
    with doubles():
        made = rule("def f(x, g): return x + sorted_by(g, column_mean(g))")
        a = matrix((3, 4))
        assert np.array_equal(mhat.step(made, jax.numpy.zeros((3, 4)), jax.numpy.asarray(a), 1).x,
                              a[:, np.argsort(-a.mean(0), kind="stable")])  # fmt: skip


UNFIT = rule("def f(x, g): return x - sorted_by(g, row_mean(g))")
REFUSED: dict[str, tuple[Any, str]] = {
    "more than there are": (lambda: mhat.step(GALORE, np.zeros((4, 6)), G[0], 1, rank=5),
                            "takes 5 columns of a matrix that has 4"),
    "a broken number": (lambda: mhat.Optimizer(GALORE, np.zeros((4, 6)), rank=1.5),
                        "rank=1.5 counts no columns\nGive rank one whole number from 1 on."),
    "a sweep": (lambda: mhat.trace(GALORE, G, rank=[1, 2]),
                "`rank` gives states their shapes, and is one number\nTrace one value at a time."),
    "a change": (lambda: mhat.Optimizer(GALORE, np.zeros((4, 6))).knobs.update({"rank": 3}),
                 "`rank` gives states their shapes, and cannot be changed\nMake another optimizer with it."),
    "no number": (lambda: rule("def f(x, g, t): return x - leading(g, t)"),
                  "`leading` is not told how many columns\n    def f(x, g, t): return x - leading(g, t)\n"
                  "                                          ^\nWrite a whole number, or a knob."),
    "keys that do not fit": (lambda: mhat.step(UNFIT, G[0], G[0], 1),
                             "`sorted_by(g, row_mean(g))` sorts 6 columns by what has the shape (4, 1)"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    ask, said = REFUSED[case]
    with pytest.raises(mhat.MhatError) as caught:
        ask()
    assert said in str(caught.value)
