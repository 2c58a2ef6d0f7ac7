"""Datasets, whose arrays have names and dimensions: netCDF and zarr. They are opened, and read when they are asked.

It knows no stream, no record and no trace. xarray is loaded when a file is opened.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import InputFileError
from mhat.extras import extra
from mhat.inputs.arrays import PARTLY
from mhat.inputs.files import reading
from mhat.inputs.sizes import check_room

CURES = {
    ".nc": "Write it again as netCDF 4: to_netcdf(engine='h5netcdf').",
    ".zarr": "Write it with xarray: to_zarr.",
}
# What a zarr store has at its root, by the version of the format.
ROOTS = ("zarr.json", ".zgroup", ".zarray")


def open_dataset(file: Path, cure: str = "", **options: Any) -> Any:
    """Open a netCDF file or a zarr group as an `xarray.Dataset` that reads what is asked of it.

    `cure`: what to do where it is damaged. Raises InputFileError, MissingExtra.
    """
    xarray = importlib.import_module("xarray")
    ending = file.suffix.lower()
    if ending == ".zarr":
        extra("zarr", "scale")
        if not is_store(file):
            raise InputFileError(f"{file} is no zarr store: it has no zarr.json", cure or CURES[ending])
        options = {"engine": "zarr", "consolidated": False, **options}
    else:
        options = {"engine": "h5netcdf", **options}
    with reading(file, cure or CURES[ending]):
        if ending == ".nc":
            # Where this fails h5netcdf leaves half an object behind, which complains when it is collected.
            with importlib.import_module("h5py").File(file, "r") as opened:
                opened.attrs.get("_nc3_strict")
        return xarray.open_dataset(file, **options)


def open_store(file: Path, cure: str) -> Any:
    """Open a zarr group as an `xarray.Dataset`: lazily, and on Dask where that is installed, a chunk a block.

    What is wrong with a chunk is said when it is read. Raises InputFileError, MissingExtra.
    """
    ds = open_dataset(file, cure)
    with reading(file, cure):
        # A single number or label is no work for anybody.
        ds = ds.assign_coords({name: array.load() for name, array in ds.coords.items() if not array.ndim})
    lazy = {name: variable for name, variable in ds.variables.items() if variable.ndim and name not in ds.indexes}
    guarded = {name: variable.copy(data=on_demand(file, variable)) for name, variable in lazy.items()}
    if importlib.util.find_spec("dask") is not None:
        chunks = {name: variable.encoding.get("preferred_chunks", {}) for name, variable in lazy.items()}
        guarded = {name: variable.chunk(chunks[name]) for name, variable in guarded.items()}
    return ds.assign({name: guarded[name] for name in ds.data_vars if name in guarded}).assign_coords(
        {name: variable for name, variable in guarded.items() if name in ds.coords}
    )


def read_dataset(file: Path, cure: str = "", **options: Any) -> Any:
    """Read all of a dataset, if it fits into memory; raises InputFileError, MissingExtra."""
    with open_dataset(file, cure, **options) as opened:
        check_room(file, opened.nbytes, PARTLY)
        with reading(file, cure or CURES[file.suffix.lower()]):
            return opened.load()


def is_store(folder: Path) -> bool:
    """Whether a folder has at its root what a zarr store has."""
    return any((folder / root).is_file() for root in ROOTS)


def open_zarr_array(file: Path) -> Any:
    """Open a plain zarr array, if the store is one, and not a group. Raises InputFileError, MissingExtra."""
    zarr = extra("zarr", "scale")
    if not is_store(file):
        raise InputFileError(f"{file} is no zarr store: it has no zarr.json", CURES[".zarr"])
    with reading(file, CURES[".zarr"], "is no zarr store"):
        node = zarr.open(str(file), mode="r")
    return node if isinstance(node, zarr.Array) else None


def on_demand(file: Path, array: Any) -> Any:
    """Wrap an array on disk as xarray's own backends do: what is asked for is read, and no more."""
    indexing = importlib.import_module("xarray.core.indexing")
    backend: Any = importlib.import_module("xarray.backends").BackendArray
    cure = CURES[file.suffix.lower()]

    def read(at: Any) -> Any:
        with reading(file, cure):
            return np.asarray(array[at])

    class OnDemand(backend):  # type: ignore[misc]
        shape, dtype = array.shape, array.dtype

        def __getitem__(self, key: Any) -> Any:
            level = indexing.IndexingSupport.BASIC
            return indexing.explicit_indexing_adapter(key, self.shape, level, read)

    return indexing.LazilyIndexedArray(OnDemand())
