"""The bound of Adam's step in its own paper, and the true one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from mhat import rules, streams
from mhat.laws.longest import LongestStep, longest_step
from mhat.results.result import Number, Result
from mhat.results.runs import traced

STEPS = 3000


def _runs() -> Mapping[str, xr.Dataset]:
    return {"gradients that grow": traced("adam", streams.exponential(0.999 / 0.9, steps=STEPS), "ratio", eps=0.0)}


def _found() -> Mapping[str, float]:
    derived = longest_step(rules.named("adam"))
    assert isinstance(derived, LongestStep)
    return {
        "the paper's bound, in lr": (1 - 0.9) / float(np.sqrt(1 - 0.999)),
        "step 3000 under growing gradients, in lr": float(_runs()["gradients that grow"].ratio[-1]),
        "true bound, in lr": derived.value,
    }


adam_bound = Result(
    name="adam_bound",
    claim="No step of Adam is longer than (1 - beta1) / sqrt(1 - beta2) learning rates.",
    source="Kingma & Ba 2015, section 2.1, arXiv:1412.6980",
    verdict="refuted",
    numbers=(
        Number("the paper's bound, in lr", 3.16228, 1e-5),
        Number("step 3000 under growing gradients, in lr", 7.087, 0.005),
        Number("true bound, in lr", 7.2703, 1e-4),
    ),
    run=_found,
    picture=lambda: (_runs(), "ratio"),
    teaches="Gradients that grow by beta2 / beta1 a step weigh more in m than in v, all along. The true bound is "
    "(1 - beta1) / sqrt((1 - beta2) (1 - beta1**2 / beta2)), by the inequality of Cauchy and Schwarz.",
    repeat="mhat trace adam --stream exponential:1.11 --steps 3000 -k eps=0",
)
