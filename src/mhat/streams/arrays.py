"""Files of arrays: npy, npz, netCDF and zarr. They know shapes and names of dimensions, and no stream.

They are read as a whole (`read_...`), or opened (`open_...`) as a DataArray that reads what is asked of it.
"""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat.errors import BadValue, InputFileError, UnknownName
from mhat.extras import extra
from mhat.streams.stream import dims_of

Read = tuple[NDArray[np.float64], tuple[str, ...]]


def read_npy(file: Path, column: str | None) -> Read:
    """Read one array; its first axis is the step. `column` is the number, from 1, of a column of a table."""
    values, dims = _plain(file, _single(file))
    if column is None:
        return values, dims
    if values.ndim != 2:
        raise BadValue(f"{file} has the shape {values.shape}, and no columns to choose from", "Leave `column` out.")
    numbers = [str(number) for number in range(1, values.shape[1] + 1)]
    if column not in numbers:
        raise UnknownName(f"column of {file}", column, numbers)
    return values[:, int(column) - 1], ("step",)


def open_npy(file: Path, column: str | None) -> Any:
    """Open one array by mapping it; a chosen column is read."""
    array = _single(file, mmap_mode="r") if column is None else read_npy(file, column)[0]
    _check(file, array)
    return importlib.import_module("xarray").DataArray(array, dims=dims_of(array.ndim))


def _single(file: Path, **options: Any) -> NDArray[Any]:
    array: Any = _load(file, **options)
    if not isinstance(array, np.ndarray):
        array.close()
        raise InputFileError(f"{file} is an archive of arrays", "Give it the ending .npz.")
    return array


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
    return _read(file, open_netcdf(file, column))


def open_netcdf(file: Path, column: str | None) -> Any:
    """Open one variable of a netCDF file."""
    return _variable(file, column, engine="h5netcdf", cure="Write it again as netCDF 4: to_netcdf(engine='h5netcdf').")


def read_zarr(file: Path, column: str | None) -> Read:
    """Read one variable of a zarr group, or a plain zarr array whose first axis is the step."""
    return _read(file, open_zarr(file, column))


def open_zarr(file: Path, column: str | None) -> Any:
    """Open one variable of a zarr group, or a plain zarr array."""
    zarr = extra("zarr", "scale")
    cure = "Write it with xarray: to_zarr."
    try:
        node = zarr.open(str(file), mode="r")
    except Exception as error:
        raise InputFileError(f"{file} is no zarr store: {_line(error)}", cure) from error
    if isinstance(node, zarr.Array):
        _check(file, node)
        return importlib.import_module("xarray").DataArray(_on_demand(node), dims=dims_of(node.ndim))
    return _variable(file, column, engine="zarr", cure=cure, consolidated=False)


def _on_demand(array: Any) -> Any:
    """Wrap an array on disk as xarray's own backends do: what is asked for is read, and no more."""
    indexing = importlib.import_module("xarray.core.indexing")

    class OnDemand(importlib.import_module("xarray.backends").BackendArray):  # type: ignore[misc]
        shape, dtype = array.shape, array.dtype

        def __getitem__(self, key: Any) -> Any:
            level = indexing.IndexingSupport.BASIC
            return indexing.explicit_indexing_adapter(key, self.shape, level, lambda at: np.asarray(array[at]))

    return indexing.LazilyIndexedArray(OnDemand())


def _load(file: Path, **options: Any) -> Any:
    try:
        return np.load(file, allow_pickle=False, **options)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        cure = "Save numbers with numpy.save or numpy.savez."
        raise InputFileError(f"{file} is no NumPy file of numbers: {_line(error)}", cure) from error


def _variable(file: Path, column: str | None, engine: str, cure: str, **options: object) -> Any:
    """Open one variable of a file; it closes the file when it is closed."""
    xarray = importlib.import_module("xarray")
    try:
        dataset = xarray.open_dataset(file, engine=engine, decode_times=False, **options)
    except Exception as error:  # the libraries below raise what they like
        raise InputFileError(f"{file} cannot be read: {_line(error)}", cure) from error
    try:
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
        _check_type(file, variable, name)
    except BaseException:
        dataset.close()
        raise
    variable = variable.transpose("step", ...).drop_vars(list(variable.coords)).rename(None)
    variable.attrs = {}
    variable.set_close(dataset.close)
    return variable


def _read(file: Path, variable: Any) -> Read:
    with variable:
        values = np.asarray(variable.values).astype(np.float64, copy=False)
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
    _check(file, array, name)
    return array.astype(np.float64, copy=False), dims_of(array.ndim)


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


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
