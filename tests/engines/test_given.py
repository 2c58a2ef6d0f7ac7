"""`loss` and `h`: in steps, optimizers and traces on landscapes; whoever has none says so. States may be called so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import mhat
from mhat.language import rule
from mhat.language.inference import WHOLE

polyak = rule("""
def polyak(x, g, loss, best=inf, *, least=0):
    best = minimum(best, loss)
    return x - (loss - least) / sum(g**2) * g
""")
sophia = rule("""
def sophia(x, g, t, h, m=0, v=0, *, lr=0.1, beta1=0.9, beta2=0.99, every=2):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * h if t % every == 1 else v
    return x - lr * clip(m / maximum(v, 1e-12), -1, 1)
""")
kron = rule("def kron(x, g, h, *, lr=0.1): return x - lr * h @ transpose(h) @ g")
G, H = np.array([1.0, -2.0, 3.0]), np.array([2.0, 0.5, 4.0])


def test_what_they_are() -> None:
    assert polyak.dependence.per_step_states == {"best"} and polyak.dependence["x"] >= {"loss", "g"}
    assert sophia.shapes["h"] == WHOLE and sophia.tree.given == ("h",)
    assert rule(str(sophia)) == sophia and rule(str(polyak)) == polyak


def test_steps() -> None:
    first = mhat.step(polyak, np.zeros(3), G, 1, loss=7)
    np.testing.assert_allclose(first.x, -0.5 * G)
    assert first.state["best"] == 7.0 and mhat.step(polyak, 0.0, 2.0, 2, first.state, loss=8.0).state["best"] == 7.0
    one = mhat.step(sophia, np.zeros(3), G, 1, h=H)
    expected = -0.1 * np.clip(0.1 * G / (0.01 * H), -1, 1)
    np.testing.assert_allclose(one.x, expected)
    found = mhat.step(sophia, torch.zeros(3, dtype=torch.float64), torch.tensor(G), 1, h=torch.tensor(H))
    np.testing.assert_allclose(found.x.numpy(), expected)
    both = mhat.step(sophia, [np.zeros(3), np.zeros(3)], [G, H], 1, h=[H, G])
    assert np.array_equal(both.x[0], one.x) and mhat.step(sophia, 0.0, 1.0, 1, h=2.0).x == expected[0]
    matrix = mhat.step(kron, np.zeros((2, 3)), np.eye(2, 3), 1, h=np.ones((2, 3)))
    np.testing.assert_allclose(matrix.x, -0.3 * np.ones((2, 2)) @ np.eye(2, 3))


def test_optimizers() -> None:
    params, x = {"w": np.zeros(3), "b": np.zeros(3)}, np.zeros(3)
    opt = mhat.Optimizer({sophia: ["w"], polyak: mhat.rest}, params, knobs={"sophia": {"lr": 0.2}})
    state = None
    for t in (1, 2, 3):
        opt.step({"w": G, "b": G}, loss=np.float64(7.0), h={"w": H * t, "b": None})
        x, state, _ = mhat.step(sophia, x, G, t, state, h=H * t, lr=0.2)
    assert np.array_equal(params["w"], x)
    np.testing.assert_allclose(params["b"], -1.5 * G)
    assert float(opt.state["best"]["b"]) == 7.0


def test_landscapes_have_both() -> None:
    bowl = mhat.landscapes.quadratic(condition=10)
    trace = mhat.trace(polyak, bowl, steps=30)
    point = np.asarray(bowl.start)
    for t in range(30):
        g, loss = bowl.gradient(point, t + 1), float(bowl.value(point))
        point = point - loss / np.sum(g**2) * g
        np.testing.assert_allclose(trace.x[t], point, rtol=1e-9, atol=1e-300)
    seen = rule("def seen(x, g, h, *, lr=0.01):\n    curvature = h\n    return x - lr * g")
    found = mhat.trace(seen, mhat.landscapes.rosenbrock(), steps=5, lr=[1e-4, 1e-3])
    a, b = found.x.isel(step=0, lr=0).values
    np.testing.assert_allclose(found.curvature.isel(step=1, lr=0), [1200 * a**2 - 400 * b + 2, 200], rtol=1e-7)
    assert found.curvature.dims == ("step", "lr", "i")


def test_states_and_knobs_may_be_called_so() -> None:
    old = rule("def old(x, g, h=0, *, loss=0.5):\n    h = h + g\n    return x - loss * h")
    assert old.tree.given == () and old.tree.state_names == ("h",)
    assert mhat.trace(old, [1.0, 1.0]).x.values.tolist() == [-0.5, -1.5]
    assert mhat.step(old, 0.0, 1.0, 1, loss=2.0).x == -2.0
    plain = rule("def plain(x, g, *, lr=0.1):\n    h = g**2\n    return x - lr * h")
    assert mhat.step(plain, 0.0, 2.0, 1).x == -0.4


H_IS = "(a second array of the shape of x, such as the diagonal of a Hessian)"
WITHOUT: dict[str, tuple[Any, str]] = {
    "a step": (lambda: mhat.step(sophia, 0.0, 1.0, 1), f"sophia reads `h` {H_IS}, and none is given\nGive it: h=..."),
    "a loss": (lambda: mhat.step(polyak, 0.0, 1.0, 1),
               "polyak reads `loss` (the loss at x, a number), and none is given\nGive it: loss=..."),
    "a loss of many": (lambda: mhat.step(polyak, 0.0, 1.0, 1, loss=G),
                       "loss is an array of the shape (3,)\nGive the loss of the step, one number."),
    "another shape": (lambda: mhat.step(sophia, G, G, 1, h=H[:2]),
                      "h has the shape [(2,)], x [(3,)]\nGive both one shape."),
    "nobody asked": (lambda: mhat.step("sgd", 0.0, 1.0, 1, h=1.0),
                     "sgd reads no `h`\nLeave h= out, or write `h` among its inputs."),
    "an optimizer": (lambda: mhat.Optimizer(sophia, np.zeros(3)).step(G),
                     f"sophia reads `h` {H_IS}, and none is given\nGive it: opt.step(gradients, h=...)."),
    "an optimizer that asks for none": (lambda: mhat.Optimizer("sgd", np.zeros(3)).step(G, loss=1.0),
                                        "sgd reads no `loss`\nLeave loss= out."),
    "an h of another shape": (lambda: mhat.Optimizer(sophia, {"w": np.zeros(3)}).step({"w": G}, h={"w": G[:2]}),
                              "params['w'] has the shape (3,), its h the shape (2,)\n"
                              "Give h as the gradients are given."),
    "a stream": (lambda: mhat.trace(sophia, "constant:10"),
                 f"sophia reads `h` {H_IS}, and a stream has none\n"
                 "Give a landscape, where it is known, or take steps that are given it: mhat.step(..., h=...)."),
    "a check": (lambda: mhat.check(lambda gradients: gradients, against=sophia),
                f"sophia reads `h` {H_IS}, and here there are gradients alone\nmhat.step and"),
    "a subject": (lambda: mhat.identify(polyak),
                  "polyak reads `loss` (the loss at x, a number), and a check gives gradients alone\nmhat.step and"),
    "an explanation": (lambda: mhat.explain(sophia), f"sophia reads `h` {H_IS}, and here there are gradients alone\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", WITHOUT)
def test_who_has_none_says_so(case: str) -> None:
    ask, said = WITHOUT[case]
    with pytest.raises(mhat.errors.BadValue) as caught:
        ask()
    assert str(caught.value).startswith(said)


def test_an_input_is_not_assigned() -> None:
    with pytest.raises(mhat.errors.LanguageError, match="the input `loss` is assigned"):
        rule("def f(x, g, loss):\n    loss = loss + 1\n    return x - loss * g")
