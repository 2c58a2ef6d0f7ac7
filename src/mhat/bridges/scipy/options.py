"""The options of a method of `scipy.optimize.minimize`, read and checked. It computes nothing and knows no SciPy."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import Any

import numpy as np

from mhat.bridges.scipy.descent import Stops
from mhat.errors import BadValue, UnknownName
from mhat.language import Level, Rule
from mhat.language.fit import require_fit
from mhat.notation import number, whole
from mhat.notation.decimals import exact

Limits = tuple[Any, Any]  # lower and upper bounds, arrays like x
GTOL = 1e-5  # as in SciPy's BFGS
MAXITER = 10_000  # first-order methods take thousands of steps where BFGS takes a few
WAYS = ("2-point", "3-point", "cs")


@dataclass(frozen=True)
class Options:
    """What a user may write into `options`, with SciPy's names where SciPy has one."""

    tol: float | None = None
    gtol: float | None = None
    norm: float = math.inf
    xtol: float | None = None
    ftol: float | None = None
    patience: int = 10
    maxiter: int | None = None
    disp: bool = False
    trace: bool = False
    best: bool = False
    shape: tuple[int, ...] | None = None
    differences: str | None = None
    eps: Any = None
    finite_diff_rel_step: Any = None
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def stops(self, longest: int | None) -> Stops:
        """Give the reasons to end; `longest`: how many steps the shortest schedule of a knob has, or None."""
        gtol = self.gtol if self.gtol is not None else self.tol if self.tol is not None else GTOL
        maxiter = self.maxiter
        if maxiter is None:
            maxiter = MAXITER if longest is None else longest
        return Stops(maxiter, gtol, self.norm, self.xtol, self.ftol, self.patience)

    def steps_of_differences(self, way: str | None, dtype: Any, size: int) -> dict[str, Any]:
        """Give the size of the steps in SciPy's words: of one size where no way is asked for, else relative to x.

        Raises BadValue where there is one a coordinate, and not so many as x has (`size`).
        """
        for name in ("eps", "finite_diff_rel_step"):
            given = np.size(getattr(self, name))
            if np.ndim(getattr(self, name)) and given != size:
                raise BadValue(f"`{name}` has {given} numbers and x0 has {size}", "Give a number, or one a coordinate.")
        if way is None and self.finite_diff_rel_step is None:
            # SciPy's step, which is that of doubles, would be lost in float32.
            eps = math.sqrt(np.finfo(dtype).eps) if self.eps is None else self.eps
            return {"abs_step": eps}
        return {"rel_step": self.finite_diff_rel_step}


def options_of(given: Mapping[str, Any]) -> Options:
    """Read options; what is not among them is kept as unknown. Raises BadValue for values that cannot be."""
    known = {each.name for each in fields(Options)} - {"unknown"}
    read = {name: value for name, value in given.items() if name in known}
    for name in ("tol", "gtol", "xtol", "ftol"):
        if read.get(name) is not None:
            read[name] = _tolerance(name, read[name])
    if "norm" in read:
        read["norm"] = _order(read["norm"])
    if "patience" in read:
        read["patience"] = whole("patience", read["patience"], least=1)
    if read.get("maxiter") is not None:
        read["maxiter"] = whole("maxiter", read["maxiter"], least=0)
    if read.get("differences") not in (None, *WAYS):
        raise UnknownName("way of differences", str(read["differences"]), WAYS)
    if read.get("shape") is not None:
        read["shape"] = _shape(read["shape"])
    for name in ("eps", "finite_diff_rel_step"):
        if read.get(name) is not None:
            read[name] = _sizes(name, read[name])
    for name in ("trace", "best"):
        if not isinstance(read.get(name, False), bool | np.bool_):
            raise BadValue(f"`{name}` is {read[name]!r}", f"Give True or False: {name}=True.")
    return Options(**read, unknown={name: value for name, value in given.items() if name not in known})


def shape_of(rule: Rule, size: int, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """Give the shape of the tensor that x is; raises BadValue where it cannot be."""
    if shape is not None and math.prod(shape) != size:
        raise BadValue(
            f"the shape {shape} has {math.prod(shape)} numbers and x0 has {size}", "Give both the same size."
        )
    found = (size,) if shape is None else shape
    if rule.level == Level.MATRIX and len(found) != 2:
        raise BadValue(
            f"{rule.name} is a rule per matrix and x has the shape {found}",
            "Say how x0 is a matrix: options={'shape': (rows, columns)}.",
        )
    require_fit(rule, found)
    return found


def start_of(x0: Any) -> Any:
    """Give a flat copy of x0: float32 stays float32, every other real number is a double. Raises BadValue."""
    start = np.asarray(x0)
    if start.dtype.kind == "O":
        with contextlib.suppress(TypeError, ValueError):
            start = start.astype(np.float64)
    if start.dtype.kind not in "biuf":
        raise BadValue(f"x0 holds values of type {start.dtype}", "Give real numbers.")
    dtype = np.float32 if start.dtype == np.float32 else np.float64
    return np.array(start, dtype=dtype).reshape(-1)


def limits_of(bounds: Any, x: Any) -> Limits | None:
    """Give lower and upper bounds as arrays like x: of `scipy.optimize.Bounds`, or of pairs with None for no bound.

    Raises BadValue where a bound is not a number, their number is not that of x, or they cross.
    """
    if bounds is None:
        return None
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        ends = bounds.lb, bounds.ub
    else:
        try:
            pairs = [(low, high) for low, high in bounds]
        except (TypeError, ValueError):
            cure = "Give scipy.optimize.Bounds(lower, upper), or a pair for each coordinate."
            raise BadValue(f"bounds={bounds!r} are no pairs", cure) from None
        ends = (
            [-math.inf if low is None else low for low, _ in pairs],
            [math.inf if high is None else high for _, high in pairs],
        )
    try:
        low, high = (np.broadcast_to(np.asarray(end, dtype=x.dtype), x.shape) for end in ends)
    except (TypeError, ValueError):
        raise BadValue(
            f"the bounds do not fit the {x.size} coordinates of x0", "Give one lower and one upper bound for each."
        ) from None
    crossed = np.flatnonzero(~(low <= high))
    if crossed.size:
        i = int(crossed[0])
        raise BadValue(
            f"the lower bound {exact(float(low[i]))} of coordinate {i} is not below its upper bound "
            f"{exact(float(high[i]))}",
            "Give bounds with lower <= upper.",
        )
    return low, high


def _tolerance(name: str, value: Any) -> float:
    checked = number(name, value)
    if not checked >= 0:
        raise BadValue(f"`{name}` is {exact(checked)}", f"Give a number of at least zero: {name}=1e-6.")
    return checked


def _order(value: Any) -> float:
    checked = number("norm", value)
    if math.isnan(checked) or checked == 0:
        raise BadValue(
            f"`norm` is {exact(checked)}", "Give the order of a norm: norm=2, or inf for the largest coordinate."
        )
    return checked


def _sizes(name: str, value: Any) -> Any:
    """Give the sizes of steps of differences, one or one a coordinate."""
    try:
        sizes = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadValue(f"`{name}` is {value!r}", f"Give a number, or one a coordinate: {name}=1e-8.") from None
    if sizes.ndim > 1 or not np.isfinite(sizes).all():
        raise BadValue(f"`{name}` is {value!r}", f"Give finite numbers: {name}=1e-8.")
    return sizes[()]


def _shape(value: Any) -> tuple[int, ...]:
    given = (value,) if isinstance(value, Real) else value
    try:
        return tuple(whole("shape", length) for length in given)
    except TypeError:
        raise BadValue(f"`shape` is {value!r}", "Give the lengths of the tensor: shape=(3, 4).") from None
