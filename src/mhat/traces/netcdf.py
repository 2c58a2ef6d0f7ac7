"""Traces as netCDF, written so that a full disk is an error and no crash. It knows no name of a file that is taken."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr


def write_netcdf(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset as netCDF 4; raises OSError where there is no room."""
    with Sink(path) as sink:
        ds.to_netcdf(sink, engine="h5netcdf")


class Sink(io.RawIOBase):
    """A file that takes all that is written to it, and says only when it is closed what could not be.

    For a library that crashes where a write fails, as HDF5 does when a disk is full. Raises OSError from `close`.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def _tried(self, do: Callable[[], int], otherwise: int) -> int:
        if self._error is None:
            try:
                return do()
            except OSError as error:
                self._error = error
        return otherwise

    def write(self, data: Any, /) -> int:
        """Write all of it."""
        view = memoryview(data).cast("B")

        def whole() -> int:
            done = 0
            while done < len(view):
                done += self._file.write(view[done:])
            return done

        return self._tried(whole, len(view))

    def readinto(self, buffer: Any, /) -> int:
        """Read; after a write that failed there may be nothing but zeros."""
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view)
        if self._error is not None:
            view[count:] = bytes(len(view) - count)
        return count if self._error is None else len(view)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None, /) -> int:
        wanted = self._file.tell() if size is None else size
        return self._tried(lambda: self._file.truncate(wanted), wanted)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        try:
            self._file.close()
        finally:
            if self._error is not None:
                raise self._error
