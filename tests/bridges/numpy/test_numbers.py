"""What `mhat.Optimizer` makes of numbers: small types and their rounding, accuracy, subnormals, seeds, memory."""

from __future__ import annotations

import tracemalloc
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import mhat
from mhat.checks.oracle import bound, expected
from mhat.engines.kernels.switches import CAN_FLUSH
from mhat.language import rule
from mhat.ops import ipow
from tests.checks.test_oracle import probes_of
from tests.engines.kernels.interpreted import run_by_python

BF16 = np.dtype(ml_dtypes.bfloat16)
SMALL = pytest.mark.parametrize("dtype", [BF16, np.dtype(np.float16)])
SGD = rule("def plain(x, g, *, lr=1):\n    return x - lr * g")


def run(chosen: Any, start: np.ndarray, gradients: np.ndarray, **options: Any) -> tuple[np.ndarray, mhat.Optimizer]:
    x = start.copy()
    opt = mhat.Optimizer(chosen, x, **options)
    for g in gradients:
        opt.step(g.astype(x.dtype))
    return x, opt


def normal(steps: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(steps, size))


# Small types


@SMALL
def test_small_parameters_have_float32_states_and_float32_arithmetic(dtype: np.dtype[Any]) -> None:
    """Parameters are rounded once a step; the states are those of a float32 run on the same values."""
    chosen = mhat.rules.adam
    x, state = np.ones(500, dtype), None
    opt = mhat.Optimizer(chosen, x, as_written=True)
    for t, g in enumerate(normal(6, 500), 1):
        small = g.astype(dtype)
        before = x.astype(np.float32)
        opt.step(small)
        made = mhat.step(chosen, before, small.astype(np.float32), t, state)
        state = made.state
        assert x.tobytes() == made.x.astype(dtype).tobytes()
        assert opt.state["m"].dtype == np.float32
        assert opt.state["v"].tobytes() == state["v"].tobytes()


@SMALL
def test_small_states_of_float32_parameters_are_rounded_once_a_step(dtype: np.dtype[Any]) -> None:
    chosen = mhat.rules.adam
    x = np.ones(500, np.float32)
    opt = mhat.Optimizer(chosen, x, as_written=True, state_dtype=str(dtype))
    state: Any = None
    for t, g in enumerate(normal(5, 500).astype(np.float32), 1):
        before = x.copy()
        opt.step(g)
        made = mhat.step(chosen, before, g, t, state)
        state = {name: value.astype(dtype).astype(np.float32) for name, value in made.state.items()}
        assert x.tobytes() == made.x.tobytes()
        for name in state:
            assert opt.state[name].dtype == dtype
            assert opt.state[name].astype(np.float32).tobytes() == state[name].tobytes()


def test_a_state_starts_in_its_own_type() -> None:
    made = rule("def f(x, g, z='x'):\n    z = z + 0 * g\n    return x - g * z")
    x = np.full(3, 1.1, BF16)
    opt = mhat.Optimizer(made, x)
    opt.step(np.zeros(3, BF16))
    assert (opt.state["z"] == np.float32(BF16.type(1.1))).all()
    y = np.full(3, 1.1, np.float32)
    other = mhat.Optimizer(made, y, state_dtype="bfloat16")
    other.step(np.zeros(3, np.float32))
    assert (other.state["z"].astype(np.float32) == np.float32(BF16.type(1.1))).all()


def test_states_narrower_or_wider_than_the_arithmetic() -> None:
    """The arithmetic is that of the parameters; a wider state holds its numbers, a narrower one rounds them."""
    made = rule("def f(x, g, m=0):\n    m = 0.9 * m + g**2\n    return x - 0.1 * m / norm(m)")
    gradients = normal(4, 300)
    with run_by_python():
        x = np.ones(300)
        opt = mhat.Optimizer(made, x, state_dtype="float32")
        y, m = np.ones(300), np.zeros(300)
        for t, g in enumerate(gradients, 1):
            opt.step(g)
            step = mhat.step(made, y, g, t, {"m": m})
            y, m = step.x, step.state["m"].astype(np.float32).astype(np.float64)
            assert x.tobytes() == y.tobytes()
            assert (opt.state["m"] == m).all()
        singles = [run(made, np.ones(300, np.float32), gradients, state_dtype=d)[0] for d in ("float32", "float64")]
    assert singles[0].tobytes() == singles[1].tobytes()


@SMALL
def test_stochastic_rounding_loses_no_small_change_on_average(dtype: np.dtype[Any]) -> None:
    """Steps of a hundredth of a spacing: to nearest they vanish, by chance they add up."""
    spacing = float(ml_dtypes.finfo(dtype).eps)
    size, steps = 9000, 100
    gradients = np.full((steps, size), -spacing / 100)
    nearest, _ = run(SGD, np.ones(size, dtype), gradients)
    assert (nearest == 1.0).all()
    chance, _ = run(SGD, np.ones(size, dtype), gradients, rounding="stochastic", seed=1)
    moved = (chance.astype(np.float64) - 1.0) / spacing
    wanted = steps * float(np.float64(gradients[0, 0]).astype(dtype)) / -spacing
    # Each coordinate is a sum of `steps` draws with probability of about 1 / 100: five standard errors.
    assert abs(moved.mean() - wanted) < 5 * np.sqrt(steps * 0.01 / size) + steps * 2.0**-13
    assert moved.max() <= 12


@SMALL
def test_kahan_keeps_what_rounding_takes(dtype: np.dtype[Any]) -> None:
    spacing = float(ml_dtypes.finfo(dtype).eps)
    gradients = np.full((1000, 4), -spacing / 50)
    kept, _ = run(SGD, np.ones(4, dtype), gradients, rounding="kahan")
    exact = 1.0 - 1000 * float(gradients.astype(dtype)[0, 0])
    assert np.abs(kept.astype(np.float64) - exact).max() <= spacing
    wild = np.array([[np.inf, np.nan, -np.inf, 1.0]])
    lost, _ = run(SGD, np.ones(4, dtype), np.concatenate([wild, np.zeros((2, 4))]), rounding="kahan")
    assert np.isinf(lost[[0, 2]].astype(float)).all()
    assert (np.isnan(lost[1]), float(lost[3])) == (True, 0.0)


def test_a_seed_and_a_step_give_the_same_bits_and_others_give_others() -> None:
    gradients = normal(3, 1000)
    options = {"rounding": "stochastic"}
    start = np.ones(1000, BF16)
    first, again, other = (run("sgd", start, gradients, seed=s, lr=0.01, **options)[0] for s in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()
    one = run("sgd", start, gradients, seed=1, lr=0.01, threads=1, **options)[0]
    assert one.tobytes() == first.tobytes()


# Accuracy

# Rules of every kind: averages, maxima, signs, reductions, schedules; the others are spelled alike.
REARRANGED = ["adam", "adamw", "amsgrad", "adabelief", "nadam", "lamb", "rmsprop", "lion", "radam"]


@pytest.mark.parametrize("name", REARRANGED)
def test_the_rearranged_form_lies_within_the_derived_bound_of_exact(name: str) -> None:
    with nullcontext() if name in ("adam", "lamb") else run_by_python():
        check_the_bound(name)


def check_the_bound(name: str) -> None:
    chosen = mhat.rules.named(name)
    given = probes_of(chosen, "float32")
    probes = replace(given, gradients=given.gradients.astype(np.float32).astype(np.float64))
    exact = expected(chosen, probes, {})
    limit = bound(chosen, probes, {}, exact, "float32")
    steps, tensors, size = probes.gradients.shape[1:]
    assert tensors == 1
    for i, gradients in enumerate(probes.gradients):
        x = np.zeros(size, np.float32)
        opt = mhat.Optimizer(chosen, x)
        assert opt._state.groups[0].form.rearranged
        for t in range(steps):
            opt.step(gradients[t, 0].astype(np.float32))
            assert (np.abs(x - exact[t, i, 0]) <= limit[t, i, 0]).all(), (i, t)


def test_the_rearranged_form_is_more_accurate_than_as_written() -> None:
    """Adam over 3,000 noisy steps: the distance of each step from float64, in ulp of the update."""
    gradients = (0.1 + normal(3000, 64, 5)).astype(np.float32)
    apart = {}
    for as_written in (False, True):
        x, y = np.zeros(64, np.float32), np.zeros(64)
        single, double = mhat.Optimizer("adam", x, as_written=as_written), mhat.Optimizer("adam", y)
        found = []
        for g in gradients:
            single.step(g)
            double.step(g.astype(np.float64))
            v, w = single.state["v"].astype(np.float64), double.state["v"]
            found.append(np.abs(v - w) / w / 2.0**-23)
        apart[as_written] = np.median(found[-1000:])
    assert apart[False] < 3 < 5 * apart[False] < apart[True]


# Subnormal numbers

DECAY = rule("def decay(x, g, m=0):\n    m = 0.5 * m + g\n    return x + m")


X86 = pytest.mark.skipif(not CAN_FLUSH, reason="only x86 processors are told so here")


@X86
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_subnormal_numbers_count_as_zero_if_asked_for(dtype: Any) -> None:
    tiny = np.finfo(dtype).tiny
    gradients = np.array([[tiny / 4, tiny, 1.0]], dtype)
    kept, opt = run(DECAY, np.zeros(3, dtype), gradients, flush_denormals=False)
    assert kept.tolist() == gradients[0].tolist()
    for _ in range(3):
        opt.step(np.zeros(3, dtype))
    assert opt.state["m"].tolist() == [tiny / 32, tiny / 8, 0.125]
    flushed, opt = run(DECAY, np.zeros(3, dtype), gradients, flush_denormals=True)
    assert flushed.tolist() == [0.0, float(tiny), 1.0]
    opt.step(np.zeros(3, dtype))
    assert opt.state["m"].tolist() == [0.0, 0.0, 0.5]
    # The processor is as it was: here, and in the threads that other steps use.
    assert float(np.asarray(tiny) / np.asarray(4, dtype)) > 0.0
    again, _ = run(DECAY, np.zeros(3, dtype), gradients, flush_denormals=False)
    assert again.tolist() == gradients[0].tolist()


@pytest.mark.parametrize(
    ("dtype", "as_written", "kept"),
    [
        ("float64", None, True), ("float64", False, not CAN_FLUSH),
        ("float32", None, not CAN_FLUSH), ("float32", True, True),
        ("bfloat16", None, not CAN_FLUSH), ("bfloat16", True, True),
    ],
)  # fmt: skip
def test_left_out_subnormal_numbers_are_kept_where_bits_are_promised(dtype: str, as_written: Any, kept: bool) -> None:
    held = BF16 if dtype == "bfloat16" else np.dtype(dtype)
    quarter = float(np.finfo(np.float64 if dtype == "float64" else np.float32).tiny / 4)
    gradients = np.array([[quarter, 1.0]])
    x, opt = run(DECAY, np.zeros(2, held), gradients, as_written=as_written)
    assert x.tolist() == [quarter * kept, 1.0]
    assert opt.state["m"].tolist() == [quarter * kept, 1.0]
    # What is as large as it looks is stepped: float16 ends where float32 is far from subnormal.
    small, _ = run(DECAY, np.zeros(1, np.float16), np.array([[2.0**-24]]))
    assert small.tolist() == [2.0**-24]


def flushed_adam(x: np.ndarray, gradients: np.ndarray) -> list[np.ndarray]:
    """Step Adam in its rearranged form, every operand and every result that is subnormal taken for zero."""
    tiny = np.finfo(np.float32).tiny

    def zeroed(value: np.ndarray) -> np.ndarray:
        return np.where(np.abs(value) < tiny, np.copysign(np.float32(0), value), value)

    def of(op: Any, *arguments: Any) -> np.ndarray:
        return zeroed(op(*(zeroed(np.asarray(each, np.float32)) for each in arguments)))

    lr, beta1, beta2, eps = 1e-3, 0.9, 0.95, 1e-8
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t, g in enumerate(gradients, 1):
        m = of(np.add, m, of(np.multiply, 1 - beta1, of(np.subtract, g, m)))
        v = of(np.add, v, of(np.multiply, 1 - beta2, of(np.subtract, of(np.multiply, g, g), v)))
        m_hat = of(np.multiply, m, 1 / (1 - ipow(beta1, float(t))))
        v_hat = of(np.multiply, v, 1 / (1 - ipow(beta2, float(t))))
        ratio = of(np.divide, m_hat, of(np.add, of(np.sqrt, v_hat), eps))
        x = of(np.subtract, x, of(np.multiply, lr, ratio))
    return [x, m, v]


@X86
def test_moments_that_fade_have_the_bits_of_the_rule_in_which_what_is_subnormal_is_zero() -> None:
    """Steps with gradients of all sizes, then none: moments fade to where float32 ends, in any number of threads."""
    start = 10.0 ** np.linspace(-40, 1, 9000)
    sizes = normal(5, 9000) * 10.0 ** np.linspace(-25, 3, 9000)
    gradients = np.concatenate([sizes, np.zeros((300, 9000))]).astype(np.float32)
    x, m, v = flushed_adam(start.astype(np.float32), gradients)
    for threads in (1, 2):
        found, opt = run("adam", start.astype(np.float32), gradients, threads=threads, beta2=0.95)
        assert (found.tobytes(), opt.state["m"].tobytes(), opt.state["v"].tobytes()) == (
            x.tobytes(), m.tobytes(), v.tobytes()
        )  # fmt: skip
    # They end above what is subnormal, or are zero: no later step is slow.
    for left in (np.abs(m), v):
        assert ((left == 0) | (left >= np.finfo(np.float32).tiny)).all()
    kept, opt = run("adam", start.astype(np.float32), gradients, flush_denormals=False, beta2=0.95)
    assert ((opt.state["v"] > 0) & (opt.state["v"] < np.finfo(np.float32).tiny)).any()
    assert np.allclose(found, kept, rtol=1e-6, atol=1e-28)


@X86
def test_reductions_are_flushed_too() -> None:
    made = rule("def f(x, g):\n    return x - sum(g)")
    tiny = float(np.finfo(np.float32).tiny)
    gradients = np.full((1, 8), tiny / 16)
    kept, _ = run(made, np.zeros(8, np.float32), gradients, flush_denormals=False)
    assert kept.tolist() == [-tiny / 2] * 8
    assert run(made, np.zeros(8, np.float32), gradients)[0].tolist() == [0.0] * 8


def test_matrix_rules_keep_every_bit_and_say_nothing_of_it() -> None:
    made = rule("def f(x, g, m=0):\n    m = 0.5 * m + g\n    return x + m @ identity(x)")
    tiny = np.finfo(np.float32).tiny
    x, _ = run(made, np.zeros((2, 2), np.float32), np.full((1, 2, 2), tiny / 4))
    assert (x == tiny / 4).all()


# Memory


@pytest.mark.parametrize("name", ["adam", "lamb"])
def test_a_step_makes_no_temporary_arrays(name: str) -> None:
    size = 4_000_000
    x, g = np.ones(size, np.float32), np.ones(size, np.float32)
    opt = mhat.Optimizer(name, [x])
    opt.step([g])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        opt.step([g])
        opt.step([g])
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < size * 4 / 20


def test_states_begin_on_cache_lines_and_take_their_own_size() -> None:
    params = [np.zeros(n, np.float32) for n in (1, 3, 0, 17, 1000)]
    opt = mhat.Optimizer("adam", params, state_dtype="bfloat16")
    for array in opt.state["m"]:
        assert array.ctypes.data % 64 == 0 or array.size == 0
        assert array.nbytes == 2 * array.size


def test_tensors_of_two_small_types_draw_noise_of_their_own() -> None:
    params = [np.ones(4000, np.float16), np.ones(4000, BF16)]
    opt = mhat.Optimizer(SGD, params, lr=2.0**-12, rounding="stochastic", seed=3)
    opt.step([np.ones(4000, np.float16), np.ones(4000, BF16)])
    # By 1 - 2**-12 each goes down with a probability: of a half in float16, of a sixteenth in bfloat16.
    down = [p.astype(np.float32) < 1.0 for p in params]
    assert 0.4 < down[0].mean() < 0.6
    assert 0.03 < down[1].mean() < 0.1
    both = (down[0] & down[1]).mean()
    assert abs(both - down[0].mean() * down[1].mean()) < 0.01
