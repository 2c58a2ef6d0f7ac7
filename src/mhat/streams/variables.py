"""Gradients in files of arrays: npy, npz, netCDF and zarr. They are read whole, or opened to be read when asked.

It knows shapes and names of dimensions, and no format.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import BadValue, InputFileError, UnknownName
from mhat.inputs.arrays import PARTLY, Archive, read_npy
from mhat.inputs.datasets import on_demand, open_dataset, open_zarr_array
from mhat.inputs.sizes import check_room
from mhat.notation import cut
from mhat.streams.stream import Stream, dims_of


def read_array(file: Path, column: str | None) -> Stream:
    """Read one array, whose first axis is the step; `column` is the number, from 1, of a column of a table."""
    return _stream(file, _column(file, read_npy(file), column))


def open_array(file: Path, column: str | None) -> Any:
    """Open one array as a DataArray, whose numbers stay in the file until they are asked for."""
    array = _column(file, read_npy(file, mapped=True), column)
    _check(file, array)
    return importlib.import_module("xarray").DataArray(array, dims=dims_of(array.ndim))


def read_archive(file: Path, column: str | None) -> Stream:
    """Read one of several arrays: `g`, the chosen one, or the only one."""
    archive = Archive(file)
    name = _choose(file, [each for each in archive.names if each != "step"], column, archive.names)
    return _stream(file, archive.array(name), name)


def read_variable(file: Path, column: str | None) -> Stream:
    """Read one variable of a netCDF file or a zarr store; its dimensions keep their names and labels."""
    with open_variable(file, column) as variable:
        check_room(file, variable.nbytes, PARTLY)
        labels = {str(dim): tuple(variable[dim].values.tolist()) for dim in variable.dims if dim in variable.coords}
        values = np.asarray(variable.values).astype(np.float64, copy=False)
        dims = tuple(map(str, variable.dims))
    if not values.size:
        raise InputFileError(f"{file} holds no gradients", "Give a file with at least one step.")
    return Stream(values, dims, labels=labels)


def open_variable(file: Path, column: str | None) -> Any:
    """Open one variable as a DataArray; it closes the file when it is closed."""
    xarray = importlib.import_module("xarray")
    plain = open_zarr_array(file) if file.suffix.lower() == ".zarr" else None
    if plain is not None:
        _check(file, plain)
        return xarray.DataArray(on_demand(file, plain), dims=dims_of(plain.ndim))
    dataset = open_dataset(file, decode_times=False)
    try:
        name = _choose(file, [str(name) for name in dataset.data_vars], column, map(str, dataset.variables))
        variable = dataset[name]
        if "step" not in variable.dims:
            dims = ", ".join(map(str, variable.dims)) or "none"
            example = variable.dims[0] if variable.dims else "time"
            raise InputFileError(
                f"{file}, variable `{name}` has no dimension `step`; its dimensions: {dims}",
                f"Rename the one that counts the steps: dataset.rename({{{example!r}: 'step'}}).",
            )
        _check_type(file, variable, name)
        variable = variable.transpose("step", ...)
        labels = {dim: variable[dim].values for dim in variable.dims if dim in variable.indexes and dim != "step"}
    except BaseException:
        dataset.close()
        raise
    opened = xarray.DataArray(on_demand(file, variable.variable), dims=variable.dims, coords=labels)
    opened.set_close(dataset.close)
    return opened


def _column(file: Path, array: Any, column: str | None) -> Any:
    if column is None:
        return array
    if array.ndim != 2:
        what = f"{file} has the shape {array.shape}, and no columns to choose from"
        raise BadValue(what, "Leave `column` out.")
    numbers = [str(number) for number in range(1, array.shape[1] + 1)]
    if column not in numbers:
        raise UnknownName(f"column of {file}", cut(column), numbers)
    return array[:, int(column) - 1]


def _choose(file: Path, names: list[str], column: str | None, more: Iterable[str]) -> str:
    if column is not None:
        if column not in names and column not in set(more):
            raise UnknownName(f"variable of {file}", cut(column), names)
        return column
    if not names:
        raise InputFileError(f"{file} holds no variable", "Save the gradients as the variable `g`.")
    if "g" in names:
        return "g"
    if len(names) > 1:
        raise InputFileError(
            f"{file} holds several variables and none is `g`: {', '.join(names)}",
            f"Choose one: {file}:column={names[0]}, or from_file(..., column={names[0]!r}).",
        )
    return names[0]


def _stream(file: Path, array: Any, name: str = "") -> Stream:
    _check(file, array, name)
    if not array.size:
        raise InputFileError(f"{file} holds no gradients", "Give a file with at least one step.")
    return Stream(array.astype(np.float64, copy=False), dims_of(array.ndim))


def _check(file: Path, array: Any, name: str = "") -> None:
    _check_type(file, array, name)
    if array.ndim == 0:
        raise InputFileError(
            f"{file} holds a single number and no dimension step", "Save an array whose first axis is the step."
        )


def _check_type(file: Path, array: Any, name: str) -> None:
    if array.dtype.kind not in "biuf":
        where = f"{file}, variable `{name}`" if name else str(file)
        raise InputFileError(f"{where} holds no real numbers but {array.dtype}", "Save it as float64.")
