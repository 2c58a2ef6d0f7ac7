"""Files of arrays: npy, npz, netCDF and zarr. They know shapes and names of dimensions, and no stream."""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat.errors import BadValue, InputFileError, MissingExtra, UnknownName
from mhat.streams.stream import dims_of

Read = tuple[NDArray[np.float64], tuple[str, ...]]


def read_npy(file: Path, column: str | None) -> Read:
    """Read one array; its first axis is the step. `column` is the number, from 1, of a column of a table."""
    array = _load(file)
    if not isinstance(array, np.ndarray):
        array.close()
        raise InputFileError(f"{file} is an archive of arrays", "Give it the ending .npz.")
    values, dims = _plain(file, array)
    if column is None:
        return values, dims
    if values.ndim != 2:
        raise BadValue(f"{file} has the shape {values.shape}, and no columns to choose from", "Leave `column` out.")
    numbers = [str(number) for number in range(1, values.shape[1] + 1)]
    if column not in numbers:
        raise UnknownName(f"column of {file}", column, numbers)
    return values[:, int(column) - 1], ("step",)


def read_npz(file: Path, column: str | None) -> Read:
    """Read one of several arrays: `g`, the chosen one, or the only one."""
    archive = _load(file)
    if isinstance(archive, np.ndarray):
        raise InputFileError(f"{file} is a single array", "Give it the ending .npy.")
    with archive:
        name = _choose(file, [each for each in archive.files if each != "step"], column)
        try:
            array = archive[name]
        except ValueError as error:
            raise InputFileError(f"{file}, array `{name}` cannot be read: {error}", "Save it as numbers.") from error
    return _plain(file, array, name)


def read_netcdf(file: Path, column: str | None) -> Read:
    """Read one variable of a netCDF file; its dimensions keep their names."""
    return _dataset(file, column, engine="h5netcdf", cure="Write it again as netCDF 4: to_netcdf(engine='h5netcdf').")


def read_zarr(file: Path, column: str | None) -> Read:
    """Read one variable of a zarr group, or a plain zarr array whose first axis is the step."""
    try:
        zarr = importlib.import_module("zarr")
    except ImportError:
        raise MissingExtra("zarr", "scale") from None
    cure = "Write it with xarray: to_zarr."
    try:
        node = zarr.open(str(file), mode="r")
    except Exception as error:
        raise InputFileError(f"{file} is no zarr store: {_line(error)}", cure) from error
    if isinstance(node, zarr.Array):
        return _plain(file, np.asarray(node[...]))
    return _dataset(file, column, engine="zarr", cure=cure, consolidated=False)


def _load(file: Path) -> Any:
    try:
        return np.load(file, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        cure = "Save numbers with numpy.save or numpy.savez."
        raise InputFileError(f"{file} is no NumPy file of numbers: {_line(error)}", cure) from error


def _dataset(file: Path, column: str | None, engine: str, cure: str, **options: object) -> Read:
    xarray = importlib.import_module("xarray")
    try:
        opened = xarray.open_dataset(file, engine=engine, decode_times=False, **options)
    except Exception as error:  # the libraries below raise what they like
        raise InputFileError(f"{file} cannot be read: {_line(error)}", cure) from error
    with opened as dataset:
        names = [str(name) for name in dataset.data_vars]
        variables = {str(name): dataset[name] for name in dataset.variables}
        name = _choose(file, names, column, variables)
        variable = dataset[name]
        if "step" not in variable.dims:
            dims = ", ".join(map(str, variable.dims)) or "none"
            example = variable.dims[0] if variable.dims else "time"
            raise InputFileError(
                f"{file}, variable `{name}` has no dimension `step`; its dimensions: {dims}",
                f"Rename the one that counts the steps: dataset.rename({{{example!r}: 'step'}}).",
            )
        variable = variable.transpose("step", ...)
        values = _floats(file, np.asarray(variable.values), name)
    return values, tuple(map(str, variable.dims))


def _choose(file: Path, names: list[str], column: str | None, more: Mapping[str, object] | None = None) -> str:
    if column is not None:
        if column not in names and column not in (more or {}):
            raise UnknownName(f"variable of {file}", column, names)
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


def _plain(file: Path, array: NDArray[Any], name: str = "") -> Read:
    values = _floats(file, array, name)
    if values.ndim == 0:
        raise InputFileError(
            f"{file} holds a single number and no dimension step", "Save an array whose first axis is the step."
        )
    return values, dims_of(values.ndim)


def _floats(file: Path, array: NDArray[Any], name: str) -> NDArray[np.float64]:
    if array.dtype.kind not in "biuf":
        where = f"{file}, variable `{name}`" if name else str(file)
        raise InputFileError(f"{where} holds no real numbers but {array.dtype}", "Save it as float64.")
    return array.astype(np.float64, copy=False)


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
