"""The traces of one figure, each with its name: one, several beside each other, or a trace of several rules.

It reads datasets, and draws nothing.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mhat.checks.verdict import Verdict
from mhat.errors import BadValue, MhatError, UnknownName
from mhat.figures import inks
from mhat.figures.canvas import escaped
from mhat.figures.families import MOST_NAMED
from mhat.figures.wording import rule_in, words_of
from mhat.landscapes import Landscape
from mhat.language import Rule
from mhat.traces.schema import SEVERAL, landscape_of, parts_of

RULES = "rule"


@dataclass(frozen=True, eq=False)
class Run:
    """One trace of a figure; it has a label where it is not alone."""

    ds: xr.Dataset
    label: str = ""

    @cached_property
    def rule(self) -> Rule | None:
        """The rule that ran, if the trace carries it."""
        return rule_in(self.ds)

    @cached_property
    def steps(self) -> NDArray[np.floating[Any]]:
        """The step numbers."""
        return np.asarray(self.ds["step"], dtype=np.float64)

    def array(self, name: str) -> NDArray[np.floating[Any]]:
        """Give a variable as a table: a row a step."""
        array = self.ds[name].transpose("step", ...)
        return np.asarray(array).reshape(array.shape[0], math.prod(array.shape[1:]))

    @cached_property
    def names(self) -> list[str]:
        """The variables over the steps."""
        return [str(name) for name in self.ds.data_vars if "step" in self.ds[name].dims]


def runs_of(what: Any) -> tuple[Run, ...]:
    """Understand what is to be drawn: a trace, several in a list, or several by their labels.

    Raises BadValue for anything else.
    """
    if isinstance(what, xr.Dataset):
        return _named(_members(_checked(what)))
    if isinstance(what, Mapping) and what:
        labelled = [(str(label), member) for label, ds in what.items() for member in _members(_checked(ds))]
        several = len(labelled) > len(what)
        return tuple(
            Run(run.ds, escaped(f"{label}, {run.label}" if several and run.label else label)) for label, run in labelled
        )
    if isinstance(what, list | tuple) and what:
        return _named([member for ds in what for member in _members(_checked(ds))])
    return (Run(_checked(what)),)


def _checked(what: Any) -> xr.Dataset:
    if isinstance(what, xr.Dataset):
        if "step" in what.dims:
            return what
        raise BadValue("this Dataset has no dimension `step`, so it is no trace", "Give what mhat.trace gives.")
    if isinstance(what, xr.DataArray):
        name = what.name or "ratio"
        raise BadValue(
            f"`{name}` is a variable without its trace", f'Give the whole trace: mhat.plot(ds, variables="{name}").'
        )
    if isinstance(what, str) and what.endswith((".nc", ".zarr")):
        raise BadValue(f"`{what}` is the name of a file", f'Load it first: mhat.plot(mhat.load("{what}")).')
    if isinstance(what, str):
        raise BadValue(f"`{what}` is no trace", f'Run it first: mhat.plot(mhat.trace("{what}", "constant:10")).')
    if isinstance(what, Verdict):
        raise BadValue(f"the verdict of {what.subject} is no trace", "Draw it by itself: mhat.plot(verdict).")
    if isinstance(what, Rule):
        raise BadValue(
            f"{what.name} is a rule that has not run", "Run it first: mhat.plot(mhat.trace(rule, 'constant:10'))."
        )
    empty = what is None or (isinstance(what, list | tuple | Mapping) and not what)
    wrong = "there is nothing to draw" if empty else f"`{reprlib.repr(what)}` is no trace"
    raise BadValue(wrong, "Give what mhat.trace or mhat.check gives, or a list of traces.")


def _members(ds: xr.Dataset) -> list[Run]:
    """Take a trace of several rules apart, each with the variables that it has."""
    if RULES not in ds.dims:
        return [Run(ds)]
    if SEVERAL in ds.attrs:
        return [Run(part.drop_vars(RULES), escaped(name)) for name, part in parts_of(ds).items()]
    # What xr.concat has put together does not say how each rule ran, nor always their names.
    labels = [str(label) for label in np.asarray(ds[RULES]).tolist()] if RULES in ds.coords else []
    runs = []
    for place in range(ds.sizes[RULES]):
        part = ds.isel({RULES: place}, drop=True)
        lacking = [name for name, array in part.data_vars.items() if bool(array.isnull().all())]
        name = labels[place] if labels else str(place + 1)
        runs.append(Run(part.drop_vars(lacking).assign_attrs(rule=name), escaped(name)))
    return runs


def _named(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Name runs by what they do not have in common; a run that is alone needs no name."""
    labels = [run.label for run in runs]
    if len(runs) == 1 or not all(labels) or len(set(labels)) < len(labels):
        labels = list(words_of([run.ds for run in runs]).labels)
    return tuple(Run(run.ds, label) for run, label in zip(runs, labels, strict=True))


def landscape_in(runs: Sequence[Run]) -> Landscape | None:
    """Find the landscape that all runs share, if it is one of the library still: the variables can be drawn without."""
    recipes = {str(run.ds.attrs.get("landscape", "")) for run in runs}
    try:
        return landscape_of(runs[0].ds) if len(recipes) == 1 else None
    except MhatError:
        return None


def named_runs(runs: Sequence[Run]) -> int:
    """How many runs have a colour and an entry in the legend of their own; the others share one."""
    most = min(len(inks.distinct()), MOST_NAMED)
    return len(runs) if len(runs) <= most else min(most, MOST_NAMED - 1)


def colours_of(runs: Sequence[Run]) -> list[str]:
    """Give every run its colour; what the colours do not reach for is a pale grey."""
    known = inks.distinct()[: named_runs(runs)]
    return [known[i] if i < len(known) else inks.faded(0.7) for i in range(len(runs))]


def chosen(runs: Sequence[Run], variables: str | Iterable[str] | None) -> list[str]:
    """Give the names of the variables to draw, in the order of the traces; raises UnknownName or BadValue."""
    known = list(dict.fromkeys(name for run in runs for name in run.names))
    if variables is None:
        return known
    if isinstance(variables, xr.Dataset):
        raise BadValue("there is a second trace where the variables stand", "Give traces in a list: mhat.plot([a, b]).")
    if not isinstance(variables, str | Iterable):
        raise BadValue(f"`variables` is {variables!r}", 'Name one, or several in a list: variables=["m_hat", "x"].')
    wanted = [variables] if isinstance(variables, str) else list(variables)
    for name in wanted:
        if name not in known:
            raise UnknownName("variable of the trace", str(name), known)
    return [name for name in known if name in wanted]
