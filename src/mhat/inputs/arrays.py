"""Arrays without names of dimensions: npy and npz. They know shapes and types, and what they are read for does not.

The header is read first: what it says must be there, and fit into memory.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mhat.errors import InputFileError
from mhat.inputs.files import reading
from mhat.inputs.sizes import check_room, check_shape

MAGIC, ZIP = b"\x93NUMPY", b"PK"
CURE = "Save numbers with numpy.save or numpy.savez."
PARTLY = "Save the part that is needed, or as .npy or .zarr, of which a part can be read."


def read_npy(file: Path, *, mapped: bool = False) -> NDArray[Any]:
    """Read the array of an npy file; `mapped`: leave the numbers in the file until they are asked for.

    Raises InputFileError.
    """
    with reading(file, CURE, "is no NumPy file of numbers"):
        with file.open("rb") as stream:
            if stream.read(len(ZIP)) == ZIP:
                raise InputFileError(f"{file} is an archive of arrays", "Give it the ending .npz.")
            stream.seek(0)
            shape, _, dtype = _header(stream)
            needed = _bytes(shape, dtype)
            check_shape(file, shape, dtype, file.stat().st_size - stream.tell(), needed)
        if not mapped:
            check_room(file, needed, PARTLY)
        # Not what a mapping cannot be of: an empty one.
        array: NDArray[Any] = np.load(file, allow_pickle=False, mmap_mode="r" if mapped and needed else None)
        return array


class Archive:
    """The arrays of an npz file by name, each read when it is asked for. Raises InputFileError."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with reading(file, CURE, "is no NumPy file of numbers"):
            with file.open("rb") as stream:
                if stream.read(len(MAGIC)) == MAGIC:
                    raise InputFileError(f"{file} is a single array", "Give it the ending .npy.")
            with zipfile.ZipFile(file) as archive:
                self.sizes = {
                    info.filename.removesuffix(".npy"): info.file_size
                    for info in archive.infolist()
                    if info.filename.endswith(".npy")
                }

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self.sizes)

    def array(self, name: str) -> NDArray[Any]:
        """Read one array."""
        with reading(self.file, CURE), zipfile.ZipFile(self.file) as archive:
            return self._read(archive, name)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Read all arrays."""
        check_room(self.file, sum(self.sizes.values()), PARTLY)
        with reading(self.file, CURE), zipfile.ZipFile(self.file) as archive:
            return {name: self._read(archive, name) for name in self.sizes}

    def _read(self, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
        of = f", array `{name}`"
        with reading(self.file, "Save it as numbers.", of=of):
            with archive.open(f"{name}.npy") as stream:
                shape, _, dtype = _header(stream)
                there, needed = self.sizes[name] - stream.tell(), _bytes(shape, dtype)
            check_shape(self.file, shape, dtype, there, needed, of)
            check_room(self.file, needed, PARTLY, of)
            with archive.open(f"{name}.npy") as stream:
                array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            return array


def read_npz(file: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of an npz file; raises InputFileError."""
    return Archive(file).arrays()


def _header(stream: BinaryIO | Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read shape, order and type; what cannot be numbers is refused. Raises ValueError."""
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in read:
        raise ValueError("it has a header of another kind than arrays of numbers have")
    with warnings.catch_warnings():
        # Old files have headers that take longer to read.
        warnings.simplefilter("ignore", UserWarning)
        shape, by_column, dtype = read[version](stream)
    if not all(isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in shape):
        raise ValueError(f"its shape is {shape}")
    if dtype.hasobject:
        raise ValueError("it holds Python objects, and those are not loaded")
    return shape, by_column, dtype


def _bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    return math.prod(shape) * dtype.itemsize
