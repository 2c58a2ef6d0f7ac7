"""Traces of several rules on the same gradients, in one Dataset with the dimension `rule`. It knows no drawing.

A knob goes to every rule that has it. What a rule lacks is NaN, so that all variables have one shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mhat.engines.work import variables_of
from mhat.errors import BadValue, UnknownName
from mhat.language import Rule
from mhat.traces.dimensions import RULE
from mhat.traces.request import Request, check_rule, names_in, understand_one
from mhat.traces.run import Report, run
from mhat.traces.schema import attributes_of_several, parts_of, request_of
from mhat.traces.streaming import run_one_in_blocks, steps_in_a_block


@dataclass(frozen=True)
class Several:
    """Traces to be made of several rules, by the names that tell these apart, and the variables to keep."""

    requests: Mapping[str, Request]
    keep: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How many steps each takes."""
        return self._first.steps

    @property
    def name(self) -> str:
        """What they are called together."""
        return ", ".join(self.requests)

    @property
    def closed(self) -> bool:
        """Whether the gradients answer to where x is, and are of each rule's own."""
        return self._first.landscape is not None

    @property
    def _first(self) -> Request:
        return next(iter(self.requests.values()))

    def keeping(self, *names: str) -> Several:
        """Keep more variables, those that are to be kept already among them."""
        return Several(
            {name: request.keeping(*_own(request.rule, names)) for name, request in self.requests.items()},
            tuple(dict.fromkeys((*names, *self.keep))),
        )


def understand_several(
    rules: Sequence[Rule],
    given: Any,
    *,
    steps: int | None,
    start: Any,
    dtype: str,
    keep: str | Iterable[str] | None,
    tensor: str | Iterable[str] | None,
    knobs: Mapping[str, Any],
) -> Several:
    """Understand the arguments of `trace_rules`; raises UnknownName or BadValue."""
    if not rules:
        raise BadValue("there is no rule in the list", "Give at least one: trace(['adam', 'sgd'], ...).")
    for rule in rules:
        check_rule(rule)
    for name in knobs:
        if not any(name in rule.knobs for rule in rules):
            have = {knob for rule in rules for knob in rule.knobs}
            raise UnknownName(f"knob of {', '.join(rule.name for rule in rules)}", name, have)
    known = list(dict.fromkeys(name for rule in rules for name in variables_of(rule)))
    wanted = known if keep is None else list(names_in("keep", keep))
    for name in wanted:
        if name not in known:
            raise UnknownName(f"variable of {', '.join(rule.name for rule in rules)}", name, known)
    if not wanted:
        raise BadValue("keep names no variable", f"Name some of {', '.join(known)}.")
    requests = {}
    for name, rule in zip(told_apart([rule.name for rule in rules]), rules, strict=True):
        own = {knob: value for knob, value in knobs.items() if knob in rule.knobs}
        # Of a rule that has none of what is wanted something must be run all the same.
        kept = _own(rule, wanted) or ["x"]
        requests[name] = understand_one(
            rule, given, steps=steps, start=start, dtype=dtype, keep=kept, tensor=tensor, knobs=own
        )
    return Several(requests, tuple(name for name in known if name in wanted))


def _own(rule: Rule, names: Iterable[str]) -> list[str]:
    own = variables_of(rule)
    return [name for name in names if name in own]


def told_apart(names: Sequence[str]) -> list[str]:
    """Number names that are there before.

    >>> told_apart(["adam", "sgd", "adam"])
    ['adam', 'sgd', 'adam (2)']
    """
    return [
        name if names.index(name) == place else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]


def run_several(several: Several, report: Report | None = None) -> xr.Dataset:
    """Run the traces of several rules; `report` is called with the number of steps that are done by all."""
    told = _shares(several, report)
    parts = {name: run(request, told[name]) for name, request in several.requests.items()}
    return _joined(several, parts)


def run_several_in_blocks(several: Several, report: Report | None = None) -> Iterator[xr.Dataset]:
    """Run the traces of several rules some steps at a time, as `run_one_in_blocks` does, all by the same steps."""
    requests, told = several.requests, _shares(several, report)
    length = max(1, min(map(steps_in_a_block, requests.values())) // len(requests))
    blocks = [run_one_in_blocks(request, told[name], length) for name, request in requests.items()]
    for parts in zip(*blocks, strict=True):
        yield _joined(several, dict(zip(requests, parts, strict=True)))


def again_several(ds: xr.Dataset) -> xr.Dataset:
    """Run a trace of several rules again from what it carries; raises BadValue if it lacks any."""
    keep = tuple(str(name) for name in ds.data_vars)
    return run_several(Several({name: request_of(part) for name, part in parts_of(ds).items()}, keep))


def _shares(several: Several, report: Report | None) -> dict[str, Report | None]:
    """Give each rule a report of its own, which adds to that of all."""
    if report is None:
        return dict.fromkeys(several.requests)
    done = dict.fromkeys(several.requests, 0)

    def telling(name: str) -> Callable[[int], None]:
        def tell(count: int) -> None:
            done[name] = count
            report(sum(done.values()) // len(done))

        return tell

    return {name: telling(name) for name in several.requests}


def _joined(several: Several, parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Put traces together along `rule`, in the shape that all have together."""
    steps = next(iter(parts.values())).indexes["step"]
    ds = xr.Dataset(coords={"step": steps, RULE: np.array([*parts])}, attrs=attributes_of_several(several.requests))
    for name in several.keep:
        having = {rule: _bare(part[name]) for rule, part in parts.items() if name in part}
        if name == "g" and not several.closed:
            ds[name] = next(iter(having.values()))
            continue
        spread = dict(zip(having, xr.broadcast(*having.values()), strict=True))
        template = next(iter(spread.values()))
        every = [spread.get(rule, xr.full_like(template, np.nan)) for rule in parts]
        ds[name] = xr.concat(every, dim=RULE, coords="minimal", compat="override")
    for part in parts.values():
        missing = {name: array for name, array in part.coords.items() if name not in ds.coords}
        ds = ds.assign_coords({name: array.drop_vars(RULE, errors="ignore") for name, array in missing.items()})
    swept = dict.fromkeys(dim for part in parts.values() for dim in part.dims)
    return ds.transpose("step", RULE, *(dim for dim in swept if dim in ds.dims and dim != "step"), ...)


def _bare(array: xr.DataArray) -> xr.DataArray:
    """Drop the coordinates that are no labels: those that rules do not share would be in the way."""
    return array.drop_vars([name for name in array.coords if name not in array.dims])
