"""Parameters to evaluate with: what a trace records as `x_eval`, taken from an optimizer after its step."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import mhat
from mhat.language import rule

G = np.random.default_rng(2).standard_normal((6, 3, 4))
RULES = {
    "an average that is a state": """
def free(x, g, t, z="x", average="x", *, lr=0.1, beta=0.9):
    z = z - lr * g
    average = (1 - 1 / t) * average + z / t
    x_eval = average
    return (1 - beta) * z + beta * average""",
    "an average that is corrected": """
def corrected(x, g, t, average=0, n_steps=0, *, lr=0.1, beta=0.9):
    n_steps = n_steps + 1
    new = x - lr * g
    average = beta * average + (1 - beta) * new
    weight = 1 - beta**n_steps
    mean_of_all = average / weight
    x_eval = mean_of_all + 0 * t
    return new""",
    "of the new x": """
def newest(x, g, m=0, *, lr=0.1, beta=0.9):
    m = beta * m + g
    x = x - lr * m
    x_eval = x - lr * norm(m) * m
    return x""",
    "of a matrix, and of all tensors": """
@rule(flatten="first")
def whitened(x, g, m=0, *, lr=0.1):
    m = m + g
    x_eval = m @ transpose(m) @ m / norm(m, over="all")
    return x - lr * m""",
}


@pytest.mark.parametrize("case", RULES)
def test_it_is_what_a_trace_records(case: str) -> None:
    made = rule(RULES[case])
    trace = mhat.trace(made, G, start=1.0)
    opt = mhat.Optimizer(made, x := np.ones((3, 4)))
    assert np.array_equal(opt.evaluation(), x)
    for step, g in enumerate(G):
        opt.step(g)
        found = opt.evaluation()
        np.testing.assert_allclose(found, trace.x_eval[step], rtol=1e-13)
        assert np.array_equal(x, trace.x[step])
    found[...] = 0
    assert np.array_equal(x, trace.x[-1])
    other = pickle.loads(pickle.dumps(opt))
    np.testing.assert_allclose(other.evaluation(), trace.x_eval[-1], rtol=1e-13)


def test_in_containers_with_rules_that_have_none() -> None:
    free = rule(RULES["an average that is a state"])
    params = {"w": np.ones((2, 2)), "b": np.ones(2, np.float32), "late": np.ones(2)}
    opt = mhat.Optimizer({free: ["w", "late"], "sgd": mhat.rest}, params)
    for _ in range(3):
        opt.step({"w": np.eye(2), "b": np.ones(2, np.float32), "late": None})
    found = opt.evaluation()
    assert not np.array_equal(found["w"], params["w"]) and np.array_equal(found["w"], opt.state["average"]["w"])
    assert np.array_equal(found["b"], params["b"]) and found["b"].dtype == np.float32 and found["b"] is not params["b"]
    assert np.array_equal(found["late"], params["late"])


def test_kernels_of_more_dimensions() -> None:
    made, kernel = rule(RULES["of a matrix, and of all tensors"]), np.zeros((3, 2, 2))
    opt = mhat.Optimizer(made, kernel)
    opt.step(G[0].reshape(3, 2, 2))
    np.testing.assert_allclose(opt.evaluation().reshape(3, 4), mhat.trace(made, G[:1]).x_eval[0], rtol=1e-13)


@pytest.mark.parametrize(("line", "what"), [
    ("x_eval = x - g", "`x` of the step"),
    ("x_eval = m - g\n    m = m + g", "what the state was before the step"),
])  # fmt: skip
def test_what_is_gone_is_refused(line: str, what: str) -> None:
    made = rule(f"def gone(x, g, m=0, *, lr=0.1):\n    {line}\n    return x - lr * m")
    opt = mhat.Optimizer(made, np.zeros(2))
    opt.step(np.ones(2))
    with pytest.raises(mhat.errors.BadValue) as caught:
        opt.evaluation()
    assert caught.value.what == f"`x_eval` of gone is made of {what}, which is gone after it"
    assert caught.value.cure == "Let the rule keep it: assign it to a state, and x_eval = that state."
