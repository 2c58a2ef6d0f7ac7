"""A rule that the compiler refuses, and no compiler at all: all runs without kernels, and says so."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

import mhat
from mhat.engines import plan
from mhat.engines.kernels import operations
from mhat.errors import BadValue

WHY = "TypingError: Untyped global name 'exp_': Cannot determine Numba type of <class 'object'>"
TEXT = "def refused_{}(x, g, t, m='exp(g)', n_steps=0, size=0, *, lr=0.1):\n    m = m + exp(g) / t\n"
ELEMENTWISE = TEXT + "    n_steps = n_steps + 1\n    return x - lr * m * n_steps"
WITH_A_REDUCTION = TEXT + "    size = size + norm(g)\n    n_steps = n_steps + 1\n    return x - lr * m * size * n_steps"


@pytest.fixture
def no_exp(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let there be an operation that Numba does not compile; kernels of other names are not touched."""
    for precision in ("float64", "float32"):
        monkeypatch.setitem(operations._KNOWN[precision], "exp", object())
    monkeypatch.setattr(plan, "WORTH_A_KERNEL", -1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("no_exp")
def test_a_trace_runs_without_kernels_and_says_so() -> None:
    rule = mhat.rule(ELEMENTWISE.format("in_traces"))
    gradients = np.linspace(-1, 1, 30)
    ds = mhat.trace(rule, gradients)
    assert ds.attrs["engine"] == f"without kernels: Numba does not compile the rule ({WHY})"
    expected = plan.run(plan.Work(rule, gradients, 30, ("x",)), "floats")
    np.testing.assert_array_equal(ds.x, expected["x"])
    assert plan.choose(plan.Work(rule, gradients, 30, ("x",))) == "floats"
    assert "engine" not in mhat.trace("sgd", gradients).attrs


@pytest.mark.usefixtures("no_exp")
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("text", [ELEMENTWISE, WITH_A_REDUCTION])
def test_an_optimizer_runs_without_kernels_and_says_so(text: str, dtype: str) -> None:
    rule = mhat.rule(text.format(f"in_steps_{dtype}"))
    params = [np.full((2, 3), 0.5, dtype), np.zeros(4, dtype)]
    gradients = [np.full((2, 3), 0.25, dtype), np.arange(4).astype(dtype)]
    opt = mhat.Optimizer(rule, params, as_written=True)
    assert "without kernels" not in repr(opt)
    states = {name: list(arrays) for name, arrays in opt.state.items()}
    x, state = [p.astype("float32" if dtype == "float16" else dtype) for p in params], None
    held = [g.astype(x[0].dtype) for g in gradients]
    for t in (1, 2, 3):
        opt.step(gradients)
        x, state, _ = mhat.step(rule, x, held, t, state)
        # What is stored in two bytes is rounded once a step.
        x = [each.astype(dtype).astype(each.dtype) for each in x]
        for mine, theirs in zip(params, x, strict=True):
            np.testing.assert_array_equal(mine, theirs.astype(dtype))
    assert repr(opt).endswith(f"t=3, lr=0.1, without kernels: {WHY}>")
    # Who holds a state goes on seeing it.
    for name, arrays in states.items():
        for before, after in zip(arrays, opt.state[name], strict=True):
            np.testing.assert_array_equal(before, after)


@pytest.mark.usefixtures("no_exp")
def test_what_only_kernels_do_is_refused() -> None:
    x = np.full(3, 0.5, np.float16)
    opt = mhat.Optimizer(mhat.rule(ELEMENTWISE.format("with_noise")), x, rounding="stochastic")
    with pytest.raises(BadValue) as refused:
        opt.step(np.ones(3, np.float16))
    assert str(refused.value) == (
        f"refused_with_noise runs without kernels ({WHY}) on whole arrays, "
        "which round to the nearest and keep every bit\n"
        "Leave `rounding` and `flush_denormals` out."
    )
    np.testing.assert_array_equal(x, np.float16(0.5))


WITHOUT_A_COMPILER = """
import numpy as np, mhat
from mhat.engines import plan
plan.WORTH_A_KERNEL = -1.0
x = np.zeros(3)
opt = mhat.Optimizer("adam", x, lr=1.0)
opt.step(np.ones(3))
print(opt, x[0] == mhat.step(mhat.rules.adam, 0.0, 1.0, 1, lr=1.0).x)
print(mhat.trace("adam", np.ones(100)).x.values[-1] == mhat.trace("adam", np.ones((100, 3))).x.values[-1, 0])
print(mhat.check("sgd", "sgd").conforms)
"""


def test_without_a_compiler_all_goes_the_slow_way() -> None:
    own = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_A_COMPILER], env=own, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.endswith("eps=1e-8, without kernels: NUMBA_DISABLE_JIT is set> True")
    assert rest == ["True", "True"]
