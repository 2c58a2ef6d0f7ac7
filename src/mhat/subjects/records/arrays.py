"""Records as arrays with the steps first: npz, nc, zarr. They know what an array is for by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import BadValue, InputFileError, UnknownName
from mhat.inputs.arrays import read_npz
from mhat.inputs.datasets import read_dataset
from mhat.notation.strict_json import data_in, numbers_in
from mhat.subjects.records.columns import knobs_among, paired
from mhat.subjects.records.digits import stored_halves
from mhat.subjects.records.record import Record
from mhat.subjects.records.tables import chosen
from mhat.subjects.subject import Array

ARRAYS = "Write g and x, or g.NAME and x.NAME for each tensor."


def from_npz(file: Path, observe: str, columns: Mapping[str, str]) -> Record:
    """Read an archive of arrays; raises InputFileError, UnknownName."""
    return from_arrays(file, read_npz(file), {}, None, observe, columns)


def from_dataset(file: Path, observe: str, columns: Mapping[str, str]) -> Record:
    """Read a netCDF file or a zarr store, a trace of mhat or somebody else's; raises InputFileError, UnknownName."""
    ds = read_dataset(file)
    arrays = {str(name): np.asarray(v.transpose("step", ...) if "step" in v.dims else v) for name, v in ds.items()}
    knobs, start = (_told(ds.attrs.get(name)) for name in ("knobs", "start"))
    return from_arrays(file, arrays, knobs if isinstance(knobs, dict) else {}, start, observe, columns)


def _told(text: Any) -> Any:
    """Read what an attribute of a trace says; None where it says nothing that can be read."""
    try:
        data = data_in(text)
        if isinstance(data, dict):
            return {name: numbers_in(value) for name, value in data.items() if name != "dims"}
        return numbers_in(data)
    except (TypeError, ValueError):
        return None


def from_arrays(
    file: Path, arrays: Mapping[str, Array], knobs: Mapping[str, float], start: Any, observe: str,
    columns: Mapping[str, str],
) -> Record:  # fmt: skip
    """Make a record of arrays by their names; raises InputFileError, UnknownName."""
    pairs, observe = _pairs(file, arrays, observe, columns)
    gradients = [_steps(file, _real(file, g, arrays[g])) for g, _ in pairs.values()]
    observed = [_real(file, x, arrays[x]) for _, x in pairs.values()]
    for name, g, x in zip(pairs, gradients, observed, strict=True):
        if g.shape != x.shape:
            of = f" of {name}" if name else ""
            raise InputFileError(
                f"{file}: g{of} has the shape {g.shape} and {observe} the shape {x.shape}", "Give both one shape."
            )
    taken = {each for pair in pairs.values() for each in pair}
    single, course = _knobs(file, {n: a for n, a in arrays.items() if n not in taken}, len(gradients[0]))
    said = {name: value for name, value in knobs.items() if isinstance(value, float)} | single
    return Record(
        str(file), gradients, observed, observe, _starts(file, arrays, list(pairs), gradients, start), said,
        tuple(pairs),
        schedules=course,
        g_halves=[stored_halves(arrays[g]) for g, _ in pairs.values()],
        x_halves=[stored_halves(arrays[x]) for _, x in pairs.values()],
        dtype=_kept_in([arrays[x] for _, x in pairs.values()]),
    )  # fmt: skip


def _pairs(
    file: Path, arrays: Mapping[str, Array], observe: str, columns: Mapping[str, str]
) -> tuple[dict[str, tuple[str, str]], str]:
    """Find which arrays are the gradients and which were observed, a pair for each tensor, and what is observed."""
    if "g" in columns:
        for name in columns.values():
            if name not in arrays:
                raise UnknownName(f"array of {file}", name, arrays)
        x = columns.get("x", "x")
        return {"": (columns["g"], x)}, observe
    names = [name.removeprefix("g").removeprefix(".") for name in arrays if name == "g" or name.startswith("g.")]
    if not names:
        pairs = paired(name for name, array in arrays.items() if np.ndim(array))
        if not pairs:
            raise InputFileError(f"{file} has no array `g`", "Write g and x, with the steps first.")
        return pairs, observe
    for name in names:
        _steps(file, arrays[f"g.{name}" if name else "g"])
    plain = [
        name for name, array in arrays.items()
        if name.partition(".")[0] not in ("g", "start") and np.ndim(array) and name not in knobs_among([name]).values()
    ]  # fmt: skip
    observe = chosen(file, dict.fromkeys(name.partition(".")[0] for name in plain), observe)
    full = {name: tuple(f"{of}.{name}" if name else of for of in ("g", observe)) for name in names}
    for pair in full.values():
        for each in pair:
            if each not in arrays:
                raise InputFileError(f"{file} has no array `{each}`", ARRAYS)
    return {name: (pair[0], pair[1]) for name, pair in full.items()}, observe


def _knobs(file: Path, arrays: Mapping[str, Array], steps: int) -> tuple[dict[str, float], dict[str, Array]]:
    """Read the arrays that are knobs: a number, or a number a step."""
    single = {
        name: float(_real(file, name, array)) for name, array in arrays.items()
        if not np.ndim(array) and name.partition(".")[0] != "start"
    }  # fmt: skip
    course = {
        knob: _real(file, name, arrays[name]) for knob, name in knobs_among(arrays).items()
        if np.shape(arrays[name]) == (steps,)
    }  # fmt: skip
    return single, course


def _kept_in(arrays: Iterable[Array]) -> str | None:
    """Give the type that all parameters are kept in, if it is one that a run can have had."""
    kinds = {str(array.dtype) for array in arrays}
    return kinds.pop() if len(kinds) == 1 and kinds <= {"float32", "float16", "bfloat16"} else None


def _real(file: Path, name: str, array: Array) -> Array:
    if array.dtype.kind not in "biuf" and str(array.dtype) != "bfloat16":
        raise InputFileError(f"{file}, array `{name}` holds no real numbers but {array.dtype}", "Save it as float64.")
    return np.asarray(array, np.float64)


def _steps(file: Path, array: Array) -> Array:
    if not np.ndim(array) or not array.size:
        raise InputFileError(f"{file}: there is no step in g", "Write g and x, with the steps first.")
    return array


def _starts(
    file: Path, arrays: Mapping[str, Array], names: list[str], gradients: list[Array], told: Any
) -> list[Array] | None:
    if all((f"start.{name}" if name else "start") in arrays for name in names):
        given = [_real(file, "start", arrays[f"start.{name}" if name else "start"]) for name in names]
    elif isinstance(told, int | float):
        given = [np.asarray(told, np.float64)] * len(names)
    elif isinstance(told, dict) and "values" in told:
        given = [np.asarray(told["values"], np.float64)]
    else:
        return None
    try:
        return [np.array(np.broadcast_to(s, g.shape[1:])) for s, g in zip(given, gradients, strict=True)]
    except ValueError:
        raise BadValue(f"{file}: the start does not fit the gradients", "Give it the shape of one step.") from None
