"""Adam written by hand: in Numba, in C, in NumPy; the peers that a determined person would write."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from mhat.speed.timing import Run

Array = np.ndarray[Any, np.dtype[Any]]
# The rate is a power of two: a step from 0 then tells the ratio exactly.
LR, BETA1, BETA2, EPS = 2.0**-10, 0.9, 0.999, 1e-8
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-shared", "-fPIC")


@numba.njit(parallel=True, error_model="numpy")
def multiplying(x, g, m, v, lr, rate1, rate2, eps, correction1, correction2):
    """Multiply by the inverse of the bias corrections."""
    for i in numba.prange(x.size):
        m[i] += rate1 * (g[i] - m[i])
        v[i] += rate2 * (g[i] * g[i] - v[i])
        x[i] -= lr * (m[i] * correction1 / (np.sqrt(v[i] * correction2) + eps))


@numba.njit(parallel=True, error_model="numpy")
def dividing(x, g, m, v, lr, rate1, rate2, eps, correction1, correction2):
    """Divide by the bias corrections, as the pseudo code does."""
    for i in numba.prange(x.size):
        m[i] += rate1 * (g[i] - m[i])
        v[i] += rate2 * (g[i] * g[i] - v[i])
        x[i] -= lr * (m[i] / correction1 / (np.sqrt(v[i] / correction2) + eps))


def corrections(t: int) -> tuple[float, float]:
    """Give both bias corrections of a step."""
    return 1 - BETA1**t, 1 - BETA2**t


def numba_step(x: Array, g: Array, *, divide: bool = False) -> Run:
    """Give a step of the Numba kernel on arrays that it keeps."""
    m, v, kind = np.zeros_like(x), np.zeros_like(x), x.dtype.type
    kernel = dividing if divide else multiplying
    held = [kind(each) for each in (LR, 1 - BETA1, 1 - BETA2, EPS)]
    t = 0

    def run() -> None:
        nonlocal t
        t += 1
        given = corrections(t) if divide else tuple(1 / each for each in corrections(t))
        kernel(x, g, m, v, *held, *(kind(each) for each in given))

    return run


def c_step(x: Array, g: Array) -> Run:
    """Give a step of the C kernel, float32."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    function = c_library().adam
    pointers = [each.ctypes.data_as(ctypes.c_void_p) for each in (x, g, m, v)]
    held = [ctypes.c_float(each) for each in (LR, 1 - BETA1, 1 - BETA2, EPS)]
    kept = (x, g, m, v)
    t = 0

    def run() -> None:
        nonlocal t
        t += 1
        given = (ctypes.c_float(1 / each) for each in corrections(t))
        function(ctypes.c_long(kept[0].size), *pointers, *held, *given)

    return run


@cache
def c_library() -> ctypes.CDLL:
    """Compile the C kernel; raises RuntimeError where there is no compiler."""
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "cc", "gcc", "clang"))), None)
    if compiler is None:
        raise RuntimeError("there is no C compiler")
    # The folder may go once the library is loaded.
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "adam.so"
        command = [compiler, *FLAGS, str(Path(__file__).with_name("adam.c")), "-o", str(made), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{compiler} failed: {done.stderr.strip()[:200]}")
        return ctypes.CDLL(str(made))


def numpy_step(x: Array, g: Array) -> Run:
    """Give a step of NumPy in place, with two arrays for what is in between."""
    m, v, kind = np.zeros_like(x), np.zeros_like(x), x.dtype.type
    one, two = np.empty_like(x), np.empty_like(x)
    t = 0

    def run() -> None:
        nonlocal t
        t += 1
        first, second = corrections(t)
        np.subtract(g, m, out=one)
        np.multiply(one, kind(1 - BETA1), out=one)
        np.add(m, one, out=m)
        np.multiply(g, g, out=one)
        np.subtract(one, v, out=one)
        np.multiply(one, kind(1 - BETA2), out=one)
        np.add(v, one, out=v)
        np.multiply(v, kind(1 / second), out=one)
        np.sqrt(one, out=one)
        np.add(one, kind(EPS), out=one)
        np.multiply(m, kind(LR / first), out=two)
        np.divide(two, one, out=two)
        np.subtract(x, two, out=x)

    return run


def textbook_step(x: Array, g: Array) -> Run:
    """Give a step of textbook NumPy, every line with its temporaries."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    lr, beta1, beta2, eps = LR, BETA1, BETA2, EPS
    t = 0

    def run() -> None:
        nonlocal t, m, v
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x[...] = x - lr * m_hat / (np.sqrt(v_hat) + eps)

    return run
