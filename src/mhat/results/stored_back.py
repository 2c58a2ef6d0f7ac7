"""The mistake that mhat began with."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from mhat import rules, streams
from mhat.language import rule
from mhat.printers.python import rule_text
from mhat.results.result import Number, Result
from mhat.results.runs import traced

WRONG = (
    rule_text(rules.adam)
    .replace("m_hat = m / (1 - beta1**t)", "m = m / (1 - beta1**t)")
    .replace("v_hat = v / (1 - beta2**t)", "v = v / (1 - beta2**t)")
    .replace("m_hat / (sqrt(v_hat)", "m / (sqrt(v)")
)


def _runs() -> Mapping[str, xr.Dataset]:
    stream = streams.constant(10.0, steps=100)
    return {name: traced(each, stream, "ratio") for name, each in (("adam", rules.adam), ("stored back", rule(WRONG)))}


stored_back = Result(
    name="stored_back",
    claim="Adam with the corrected moments stored back into the moments gives 3.40488818e-70 where 1 is expected.",
    source="the question that mhat began with",
    verdict="shown",
    numbers=(
        Number("adam, ratio at step 100", 1.0, 1e-8),
        Number("stored back, ratio at step 100", 3.40488818e-70, 1e-78),
    ),
    run=lambda: {f"{name}, ratio at step 100": float(ds.ratio[-1]) for name, ds in _runs().items()},
    picture=lambda: (_runs(), "ratio"),
    teaches="The correction divides what was divided before: v is divided by almost 0 at every step, and explodes.",
    repeat="mhat explain examples/stored_back.py:stored_back",
)
