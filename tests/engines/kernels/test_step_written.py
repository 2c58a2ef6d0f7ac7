"""The fused step against floats, bit for bit: rules for what the library does not use. Random ones: `tests/fuzz`."""

from __future__ import annotations

import numpy as np
import pytest

import mhat
from mhat import rules as library
from mhat.language import Rule, rule
from tests.engines.kernels.stepping import SHAPES, check_bit_for_bit, check_rule, use_threads
from tests.engines.test_agreement import OVER_ALL, drive_numpy, stream

WRITTEN = {
    "over all": OVER_ALL[0],
    "n and k": "def f(x, g, t, k, n, m=0, c=0, *, lr=0.1):\n    c = c + k / n\n    m = m * c + g\n"
    "    return x - lr * m * k**2 / t",
    "a number a tensor": "def f(x, g, v=0, *, lr=0.1):\n    v = 0.9 * v + 0.1 * sum(g * g)\n"
    "    return x - lr * g / sqrt(v)",
    "numbers that feed each other": "def f(x, g, a='norm(x)', b=0):\n    b = a\n    a = a / 2 + mean(g)\n"
    "    return x - b * g",
    "x is one number": "def f(x, g, t, m=0):\n    m = m + g\n    return 1 / t",
    "x is one number a tensor": "def f(x, g):\n    return norm(g) - sum(x, over='all')",
    "starts from x and g": "def f(x, g, z='x', h='g**2', d='lr * 2', *, lr=0.1):\n    z = z / 2 + x\n    h = h + g\n"
    "    d = d * 0.5\n    return x - d * z - h",
    "a state from one number": "def f(x, g, t, m=3, p=2):\n    m = t\n    p = p * t\n    return x - m * p * g",
    "three passes": "def f(x, g, m=0, *, lr=0.1):\n    old = m\n    m = m + g / norm(g)\n    u = m - mean(m)\n"
    "    return x - lr * u / (1 + sum(u * u, over='all')) - old",
    "names of the kernel": "def f(x, g, at=0, k_in=1, x_lost=0, number=0, *, count=0.5, seeds=2, i=1):\n"
    "    scratch = g * count\n    at = at + scratch\n    begin = at * seeds\n    k_in = k_in + begin\n    x_lost = x\n"
    "    number = i + g\n    return x - begin * k_in",
    "an input assigned anew": "def f(x, g, t, m=0):\n    g = g * 2\n    x = x - m\n    m = m + g\n"
    "    return x - m / t",
    "choices": "def f(x, g, t, m=0):\n    m = m if g > 0 and m < 3 or not g else g\n"
    "    u = clip(m, -1, 1) % 0.3 // 0.1\n"
    "    return x - maximum(minimum(u, g), -2) * sign(x) * abs(m) if t >= 2 else x + g",
}  # fmt: skip


@pytest.mark.parametrize("what", WRITTEN)
def test_written_rules(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_threads(monkeypatch)
    check_rule(rule(WRITTEN[what]), "float64" if len(what) % 2 else "float32")


# Rules that are not lowered run on whole arrays, to the same bits.
WHOLE = {
    "a reduction of numbers": OVER_ALL[1],
    "a number a step summed": "def f(x, g, t, v=1):\n    v = v * sum(t) + mean(norm(g))\n    return x - v * g",
}
MATRIX = {
    "muon": "def f(x, g, m=0, *, lr=0.1):\n    m = 0.9 * m + g\n    return x - lr * orthogonal(m)",
    "rows and columns": "def f(x, g, r=0, c=0, old='x'):\n    r = 0.9 * r + row_mean(g * g)\n"
    "    c = c + column_mean(g)\n    moved = x - old\n    old = x\n    return x - g / sqrt(r + 1) - c - moved * 0.5",
    "shampoo in small": "def f(x, g, left=0):\n    left = left + g @ transpose(g)\n    return x - 0.1 * (left @ g)",
}


@pytest.mark.parametrize("what", WHOLE)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rules_on_whole_arrays(what: str, dtype: str) -> None:
    check_rule(rule(WHOLE[what]), dtype, fused=False)


@pytest.mark.parametrize("what", MATRIX)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rules_per_matrix(what: str, dtype: str) -> None:
    streams = [stream((3, 4), steps=4), stream((2, 2), steps=4, seed=1), stream((1, 5), steps=4)]
    # Products of matrices are NumPy's own, so the same engine over whole arrays gives the same bits.
    check_bit_for_bit(
        rule(MATRIX[what]), dtype, streams, fused=False, layouts=("plain", "Fortran", "strided"), drive=drive_numpy
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("made", [library.adam, library.lamb, rule(WRITTEN["three passes"])])
def test_any_number_of_threads_gives_the_same_bits(made: Rule, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    sizes = [70_001, 5, 64 * 1024, 1, 0, 1023, 33_333]
    gradients = [[random.normal(size=n).astype(dtype) for n in sizes] for _ in range(2)]
    use_threads(monkeypatch)
    results = []
    for threads in (1, 2, 3, 7, 64):
        params = [np.full(n, 0.5, dtype) for n in sizes]
        opt = mhat.Optimizer(made, params, threads=threads)
        for given_gradients in gradients:
            opt.step(given_gradients)
        results.append([*params, *(a for each in opt.state.values() for a in each)])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a.tobytes() == b.tobytes()


def test_many_shapes_are_here() -> None:
    assert {len(shape) for shape in SHAPES} == {0, 1, 2}
