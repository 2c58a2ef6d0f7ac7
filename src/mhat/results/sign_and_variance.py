"""Adam as a sign, shortened by the relative variance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from mhat.results.result import Number, Result
from mhat.results.runs import traced

STEPS, NOISES = 20_000, (1.0, 2.0)


def _runs() -> Mapping[str, xr.Dataset]:
    random = np.random.Generator(np.random.PCG64(5)).normal(size=STEPS)
    return {f"noise of {eta:g} times the mean": traced("adam", 1 + eta * random, "ratio") for eta in NOISES}


sign_and_variance = Result(
    name="sign_and_variance",
    claim="On average Adam steps by the sign of the mean gradient times 1 / sqrt(1 + variance / mean**2).",
    source="Balles & Hennig 2018, section 1.1, arXiv:1705.07774",
    verdict="holds",
    numbers=(
        Number("noise of 1 times the mean, mean step in lr", 0.7071, 0.01),
        Number("noise of 2 times the mean, mean step in lr", 0.4472, 0.02),
    ),
    run=lambda: {f"{name}, mean step in lr": float(ds.ratio[2000:].mean()) for name, ds in _runs().items()},
    picture=lambda: (_runs(), "ratio"),
    teaches="The size of a gradient does not steer the step, how sure its sign is does.",
    repeat="mhat trace adam --stream normal:mean=1,scale=2,seed=5 --steps 2000 --keep ratio",
)
