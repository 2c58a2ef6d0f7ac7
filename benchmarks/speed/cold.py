"""Cold starts: what a new process takes to its first result, in processes of their own, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.speed.harness import Aim, Figure, Plan, at_most, figures, reason
from mhat.speed.timing import Ratio, Run, interleaved

XARRAY, ARRAY = "import xarray", "import xarray; xarray.DataArray([1.0])"
LESSON = "import mhat; mhat.trace('adam', mhat.streams.constant(10, steps=100))"
# mhat does not ask for Dask, which xarray loads with the first array where it is installed.
WITHOUT = "import sys; sys.modules['dask'] = None\n"
NUMBA = "import numba"
KERNEL = """
import numpy as np, mhat
opt = mhat.Optimizer(mhat.rules.adam, np.zeros(1000, np.float32))
opt.step(np.ones(1000, np.float32))
"""
SLOWER, LATER = at_most(1.2), 0.4


def process(code: str) -> Run:
    """Give the running of code in a new process, whose modules have their bytecode on disk as any that is installed."""
    told = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run() -> None:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=told)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])

    return run


def lesson(plan: Plan) -> Iterator[Figure]:
    """Compare a lesson of 100 steps with the import of xarray, and with a first array: that loads Dask where it is."""
    runs = {plan.ours: process(WITHOUT + LESSON), XARRAY: process(WITHOUT + XARRAY)}
    taken = interleaved(runs, repeats=plan.repeats, lasting=0.0)
    yield from figures("cold 100-step lesson", taken, plan.ours, {XARRAY: SLOWER})
    runs = {plan.ours: process(LESSON), "a first DataArray": process(ARRAY)}
    taken = interleaved(runs, repeats=plan.repeats, lasting=0.0)
    yield from figures("cold lesson beside Dask", taken, plan.ours, {"a first DataArray": SLOWER})


def kernel(plan: Plan) -> Iterator[Figure]:
    """Compare the first step of a kernel that is on disk with the bare import of Numba: how many seconds more."""
    try:
        runs = {plan.ours: process(KERNEL), NUMBA: process(NUMBA)}
        taken = interleaved(runs, repeats=plan.repeats, lasting=0.0)
    except RuntimeError as error:
        yield Figure("cold first kernel", NUMBA, "", "", "", None, f"<= +{LATER} s", reason(error))
        return
    for figure in figures("cold first kernel", taken, plan.ours, {}):
        more = [a - b for a, b in zip(taken[plan.ours].seconds, taken[NUMBA].seconds, strict=True)]
        found = Ratio(sorted(more)[len(more) // 2], min(more), max(more))
        outcome = Aim("<=", LATER).outcome(max(found.median, 1e-9))
        row = (figure.ours, figure.peer, "ours - import numba, s", found, f"<= +{LATER} s", outcome)
        yield Figure(figure.work, figure.against, *row)
