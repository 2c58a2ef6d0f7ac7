"""Traces on disk: netCDF, zarr, csv, parquet. It computes nothing and overwrites nothing unasked."""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mhat.engines.work import variables_of
from mhat.errors import BadValue, InputFileError, MhatError
from mhat.extras import extra
from mhat.inputs.datasets import open_dataset, open_store, read_dataset
from mhat.inputs.files import check_input, reading
from mhat.notation import cut
from mhat.outputs import beside, check_output, said_of
from mhat.traces.netcdf import write_netcdf
from mhat.traces.schema import check_dataset, is_trace, names_of, rule_of

ENDINGS = (".nc", ".csv", ".zarr", ".parquet")
LOADED = (".nc", ".zarr")
AGAIN = "Save the trace again."


def check_save(path: str | Path, *, force: bool = False, endings: tuple[str, ...] = ENDINGS) -> Path:
    """Refuse a name to save a trace under, before the trace is made; `force` overwrites traces and nothing else.

    Raises OutputFileError.
    """
    return check_output(path, endings, force=force, ours=is_saved_trace)


def save(ds: xr.Dataset, path: str | Path, *, force: bool = False) -> Path:
    """Save a trace; the ending of the name says how: .nc (netCDF), .zarr, .csv, .parquet.

    netCDF and zarr carry all that is needed to run the trace again. A table has a row a step and coordinate.
    A file takes its name only when it is whole. Raises OutputFileError, MissingExtra.
    """
    check_dataset(ds)
    path = check_save(path, force=force)
    with beside(path, force=force, ours=is_saved_trace) as partial, said_of(path):
        WRITERS[path.suffix.lower()](ds, partial)
    return path


def is_saved_trace(path: Path) -> bool:
    """Whether a file or store is a trace that mhat has saved; of a table, whether it looks like one."""
    try:
        return _LOOKS[path.suffix.lower()](path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, MhatError):
        return False


def _says_a_rule(attributes: Mapping[str, Any]) -> bool:
    return {"rule", "version"} <= {str(name) for name in attributes}


def _is_store(path: Path) -> bool:
    root, older = path / "zarr.json", path / ".zattrs"
    if root.is_file():
        return _says_a_rule(json.loads(root.read_text(encoding="utf-8"))["attributes"])
    return older.is_file() and _says_a_rule(json.loads(older.read_text(encoding="utf-8")))


def _is_netcdf(path: Path) -> bool:
    with open_dataset(check_input(path, (".nc",))) as ds:
        return _says_a_rule(ds.attrs)


def _is_csv(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        return file.readline(len(STEP)).startswith(STEP)


def _is_parquet(path: Path) -> bool:
    found = extra("pyarrow.parquet", "arrow").read_schema(path).metadata or {}
    return _says_a_rule({name.decode(): value for name, value in found.items()})


STEP = "step,"
_LOOKS: dict[str, Callable[[Path], bool]] = {
    ".nc": _is_netcdf,
    ".zarr": _is_store,
    ".csv": _is_csv,
    ".parquet": _is_parquet,
}


def _write_zarr(ds: xr.Dataset, path: Path) -> None:
    write_zarr(ds, path, mode="w")


def need_zarr() -> None:
    """Raise MissingExtra where zarr is not installed."""
    extra("zarr", "scale")


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
    arrow, parquet = extra("pyarrow", "arrow"), extra("pyarrow.parquet", "arrow")
    names, columns = _table(ds)
    table = arrow.table(dict(zip(names, columns, strict=True)))
    attributes = {str(key): str(value) for key, value in ds.attrs.items()}
    parquet.write_table(table.replace_schema_metadata(attributes), path)


WRITERS: dict[str, Callable[[xr.Dataset, Path], None]] = {
    ".nc": write_netcdf,
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


def load(path: str | Path) -> xr.Dataset:
    """Load a trace saved as netCDF or zarr.

    Raises InputFileError if it is missing, damaged or no trace, BadValue for a format that cannot hold one.
    """
    if not isinstance(path, str | Path):
        raise BadValue(f"{cut(repr(path))} is no path", "Give the name of a file that `mhat trace --save` has written.")
    path = Path(path)
    if path.suffix.lower() not in LOADED and path.exists():
        raise BadValue(
            f"`{path}` is no netCDF or zarr file", "A trace that can be read again is saved as .nc or .zarr."
        )
    file = check_input(path, LOADED)
    with reading(file, AGAIN):
        ds = open_store(file, AGAIN) if file.suffix.lower() == ".zarr" else read_dataset(file, AGAIN)
        if not is_trace(ds):
            raise InputFileError(f"{file} holds no trace of mhat", "Give a file that `mhat trace --save` has written.")
        return _in_order(ds)


def _in_order(ds: xr.Dataset) -> xr.Dataset:
    """Put the variables into the order of the rule: a zarr store has none of its own."""
    try:
        rules = [rule_of(ds, name) for name in names_of(ds)]
    except MhatError:
        return ds
    names = list(dict.fromkeys(name for rule in rules for name in variables_of(rule)))
    ordered = sorted(ds.data_vars, key=lambda name: names.index(str(name)) if name in names else len(names))
    return ds[ordered].assign_coords(ds.coords)
