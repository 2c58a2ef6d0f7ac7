"""Traces on disk: netCDF, zarr, csv, parquet. It computes nothing and overwrites nothing unasked."""

from __future__ import annotations

import csv
import importlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mhat.errors import BadValue, InputFileError, MissingExtra, OutputFileError

ENDINGS = (".nc", ".csv", ".zarr", ".parquet")


def check_output(path: str | Path, endings: tuple[str, ...], *, force: bool = False) -> Path:
    """Refuse an output before anything is computed.

    Raises OutputFileError if it exists already (unless `force`), if its ending is none of `endings`, or if its
    directory is missing or cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise OutputFileError(
            f"`{path}` ends in {repr(path.suffix) if path.suffix else 'nothing that names a format'}",
            f"Choose a name that ends in {', '.join(endings)}.",
        )
    if path.exists() and not force:
        raise OutputFileError(f"`{path}` exists already", "Choose another name, or overwrite it with --force.")
    if path.is_dir() and path.suffix.lower() != ".zarr":
        raise OutputFileError(f"`{path}` is a directory", "Name a file.")
    parent = path.parent
    if not parent.is_dir():
        raise OutputFileError(f"there is no directory `{parent}` to write `{path.name}` into", "Make it first.")
    if not os.access(parent, os.W_OK):
        raise OutputFileError(f"the directory `{parent}` cannot be written", "Choose a directory of your own.")
    return path


def save(ds: xr.Dataset, path: str | Path, *, force: bool = False) -> Path:
    """Save a trace; the ending of the name says how: .nc (netCDF), .zarr, .csv, .parquet.

    netCDF and zarr carry all that is needed to run the trace again. A table has a row a step and coordinate.
    A file takes its name only when it is whole. Raises OutputFileError, MissingExtra.
    """
    path = check_output(path, ENDINGS, force=force)
    with beside(path) as partial, said_of(path):
        WRITERS[path.suffix.lower()](ds, partial)
    return path


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give a name to write to in place of `path`, which takes its place at the end; on the way out it is removed."""
    partial = path.with_name(f".{path.name}.part")
    _remove(partial)
    try:
        yield partial
        with said_of(path):
            if path.is_dir():
                _remove(path)
            partial.replace(path)
    finally:
        _remove(partial)


@contextmanager
def said_of(path: Path) -> Iterator[None]:
    """Say what the system has against writing; raises OutputFileError."""
    try:
        yield
    except OSError as error:
        raise OutputFileError(
            f"`{path}` could not be written: {error.strerror or error}", "Free some space, or choose another place."
        ) from None


def _remove(path: Path) -> None:
    if path.is_dir():
        importlib.import_module("shutil").rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_netcdf(ds: xr.Dataset, path: Path) -> None:
    ds.to_netcdf(path, engine="h5netcdf")


def _write_zarr(ds: xr.Dataset, path: Path) -> None:
    write_zarr(ds, path, mode="w")


def need_zarr() -> None:
    """Raise MissingExtra where zarr is not installed."""
    _extra("zarr", "scale")


def write_zarr(ds: xr.Dataset, path: Path, **options: Any) -> None:
    """Write a Dataset as zarr; `options` are those of `Dataset.to_zarr`. Raises MissingExtra."""
    need_zarr()
    with warnings.catch_warnings():
        # Labels that are text have no place in the zarr 3 standard yet; zarr reads what it writes.
        warnings.filterwarnings("ignore", message="The data type .* does not have a Zarr V3 specification")
        ds.to_zarr(path, consolidated=False, **options)


def _write_csv(ds: xr.Dataset, path: Path) -> None:
    names, columns = _table(ds)
    with path.open("w", encoding="utf-8", newline="") as file:
        # The writer writes floats with all their digits, and quotes a label where it has a comma.
        table = csv.writer(file, lineterminator="\n")
        table.writerow(names)
        table.writerows(zip(*(column.tolist() for column in columns), strict=True))


def _write_parquet(ds: xr.Dataset, path: Path) -> None:
    arrow = _extra("pyarrow", "arrow")
    parquet = importlib.import_module("pyarrow.parquet")
    names, columns = _table(ds)
    table = arrow.table(dict(zip(names, columns, strict=True)))
    attributes = {str(key): str(value) for key, value in ds.attrs.items()}
    parquet.write_table(table.replace_schema_metadata(attributes), path)


WRITERS: dict[str, Callable[[xr.Dataset, Path], None]] = {
    ".nc": _write_netcdf,
    ".zarr": _write_zarr,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}


def _table(ds: xr.Dataset) -> tuple[list[str], list[Any]]:
    """Lay a trace out as columns: the dimensions first, then every variable, repeated where it does not vary."""
    full = xr.broadcast(ds)[0]
    dims = ["step", *(dim for dim in full.sizes if dim != "step")]
    grid = np.meshgrid(*(np.asarray(full[dim]) for dim in dims), indexing="ij")
    order = [full[name].transpose(*dims) for name in full.data_vars]
    names = [*map(str, dims), *map(str, full.data_vars)]
    return names, [*(axis.ravel() for axis in grid), *(np.asarray(array).ravel() for array in order)]


def _extra(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtra(module, extra) from None


def load(path: str | Path) -> xr.Dataset:
    """Load a trace saved as netCDF or zarr.

    Raises InputFileError if it is missing or holds no trace, BadValue for a format that cannot hold one.
    """
    path = Path(path)
    if not path.exists():
        raise InputFileError(f"there is no file `{path}`", "Check the name; `mhat trace ... --save NAME.nc` makes one.")
    if path.suffix.lower() not in (".nc", ".zarr"):
        raise BadValue(
            f"`{path}` is no netCDF or zarr file", "A trace that can be read again is saved as .nc or .zarr."
        )
    try:
        if path.suffix.lower() == ".zarr":
            _extra("zarr", "scale")
            ds: xr.Dataset = xr.open_zarr(path, consolidated=False)
        else:
            with xr.open_dataset(path, engine="h5netcdf") as opened:
                ds = opened.load()
    except (OSError, ValueError, KeyError) as error:
        raise InputFileError(f"`{path}` cannot be read: {error}", "Save the trace again.") from None
    if "rule" not in ds.attrs or "step" not in ds.dims:
        raise InputFileError(f"`{path}` holds no trace of mhat", "Give a file that `mhat trace --save` has written.")
    return ds
