"""What a trace says about itself: attributes that let it be run again from the file alone. It knows no drawing.

rule, source, paper, level     the rule, as text that parses
knobs                          JSON: every knob that is a number; knobs with dimensions are coordinates
dtype, steps, start, tensor    how it was run; start as JSON (a number, or dimensions and values)
arithmetic                     float16 or bfloat16, where that is the dtype and the values are held as float32
stream or landscape            the recipe on the command line, empty for the user's own gradients
version                        of mhat
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from mhat import landscapes, streams
from mhat.engines.floats import HELD
from mhat.errors import BadValue
from mhat.landscapes import Landscape
from mhat.language import Level, Rule
from mhat.language import rule as rule_of
from mhat.printers import python
from mhat.traces.request import Request, understand
from mhat.version import VERSION


def attributes(request: Request) -> dict[str, str | int]:
    """Give the attributes of a trace."""
    held_wider = {"arithmetic": request.dtype} if HELD[request.dtype] != request.dtype else {}
    array_knobs = {*request.arrays, *request.schedules}
    defaults = {name: value for name, value in request.rule.knobs.items() if name not in array_knobs}
    return {
        "rule": request.rule.name,
        "source": request.rule.source.text or _text_of(request.rule),
        "paper": request.rule.paper,
        "level": str(request.rule.level),
        "knobs": json.dumps({**defaults, **request.numbers}),
        "dtype": request.dtype,
        **held_wider,
        "steps": request.steps,
        "start": json.dumps(_plain_start(request.start)),
        "tensor": json.dumps(request.tensor),
        "landscape" if request.landscape else "stream": request.recipe,
        "version": VERSION,
    }


def _text_of(rule: Rule) -> str:
    """Print a rule that code has made, with its paper, so that it is the same rule when it is read again."""
    paper = f"@rule(paper={rule.paper!r})\n" if rule.paper else ""
    return paper + python.rule_text(rule.tree)


def _plain_start(start: float | xr.DataArray) -> Any:
    # Labels are in the trace: as coordinates of its dimensions.
    if isinstance(start, xr.DataArray):
        return {"dims": list(start.dims), "values": np.asarray(start).tolist()}
    return start


def _start_of(ds: xr.Dataset) -> Any:
    start = json.loads(ds.attrs["start"])
    if not isinstance(start, dict):
        return start
    labels = {name: array for name, array in ds.coords.items() if array.ndim and set(array.dims) <= set(start["dims"])}
    return xr.DataArray(np.asarray(start["values"], dtype=np.float64), dims=start["dims"], coords=labels)


def _knob_of(ds: xr.Dataset, name: str, knobs: Iterable[str]) -> xr.DataArray:
    """Give a knob that is a coordinate, with the labels of its dimensions and without the other knobs."""
    array = ds[name]
    return array.drop_vars([other for other in knobs if other in array.coords and other not in array.dims])


def request_of(ds: xr.Dataset) -> Request:
    """Understand a trace as the request that made it; raises BadValue if it does not hold enough."""
    for name in ("rule", "source", "knobs", "dtype", "steps", "start"):
        if name not in ds.attrs:
            raise BadValue(f"this is not a trace of mhat: it has no attribute `{name}`", "Give a file saved by mhat.")
    rule = rule_of(str(ds.attrs["source"]))
    knobs: dict[str, Any] = json.loads(ds.attrs["knobs"])
    knobs |= {name: _knob_of(ds, name, rule.knobs) for name in rule.knobs if name not in knobs}
    return understand(
        rule,
        _given(ds),
        steps=int(ds.attrs["steps"]),
        start=_start_of(ds),
        dtype=str(ds.attrs["dtype"]),
        keep=[str(name) for name in ds.data_vars],
        tensor=_tensor_of(ds, rule),
        knobs=knobs,
        recipe=str(ds.attrs.get("stream", ds.attrs.get("landscape", ""))),
    )


def _tensor_of(ds: xr.Dataset, rule: Rule) -> tuple[str, ...] | None:
    if "tensor" not in ds.attrs or (rule.level == Level.COORDINATE and "landscape" in ds.attrs):
        return None
    return tuple(json.loads(ds.attrs["tensor"]))


def landscape_of(ds: xr.Dataset) -> Landscape | None:
    """Give the landscape that a trace ran on, if it ran on one of the library."""
    recipe = str(ds.attrs.get("landscape", ""))
    return landscapes.named(recipe) if recipe else None


def _given(ds: xr.Dataset) -> Any:
    if "landscape" in ds.attrs:
        landscape = landscape_of(ds)
        if landscape is None:
            raise BadValue("the trace ran on a landscape of your own", "Run it with the landscape at hand.")
        return landscape
    if "g" in ds:
        return ds["g"]
    if ds.attrs.get("stream"):
        return streams.named(str(ds.attrs["stream"]), steps=int(ds.attrs["steps"]))
    raise BadValue("the trace holds no gradients", "Save it with `g` among the variables to keep.")
