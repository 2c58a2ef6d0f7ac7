"""Adam with one decay rate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from mhat import rules, streams
from mhat.laws.longest import LongestStep, longest_step
from mhat.results.result import Number, Result
from mhat.results.runs import traced

BETA = 0.95


def _runs() -> Mapping[str, xr.Dataset]:
    return {"noise": traced("adam", streams.heavy_tailed(seed=2, steps=2000), "ratio", beta1=BETA, beta2=BETA)}


def _found() -> Mapping[str, float]:
    derived = longest_step(rules.named("adam"), {"beta1": BETA, "beta2": BETA})
    assert isinstance(derived, LongestStep)
    return {
        "longest step there can be, in lr": derived.value,
        "longest step under heavy tails, in lr": float(np.abs(_runs()["noise"].ratio).max()),
    }


equal_betas = Result(
    name="equal_betas",
    claim="With beta1 = beta2 no step of Adam is longer than lr.",
    source="Orvieto & Gower 2025, in search of Adam's secret sauce, arXiv:2505.21829",
    verdict="holds",
    numbers=(
        Number("longest step there can be, in lr", 1.0, 1e-9),
        Number("longest step under heavy tails, in lr", 1.0, 1e-6),
    ),
    run=_found,
    picture=lambda: (_runs(), "ratio"),
    teaches="The square of an average is never above the average of squares with the same weights.",
    repeat="mhat trace adam --stream heavy_tailed:seed=2 --steps 2000 -k beta1=0.95 -k beta2=0.95 --keep ratio",
)
