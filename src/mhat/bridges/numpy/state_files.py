"""Arrays by name on disk, as the state of an optimizer is: .npz and .safetensors. It knows no optimizer.

Nothing that is pickled is ever read, and no file is read that holds much more than what it is read for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import InputFileError, OutputFileError
from mhat.extras import extra
from mhat.inputs.arrays import Archive
from mhat.inputs.files import check_input, line_of, reading
from mhat.inputs.sizes import written
from mhat.outputs import beside, check_output, said_of

Array = Any
ENDINGS = (".npz", ".safetensors")
CURE = "Give a file that `save` of an optimizer of the same rule and parameters has written."
# A state of other parameters is read, to say what differs, up to this: so many times as large, and so many bytes.
TIMES, MORE = 4, 1 << 24


def save(state: Mapping[str, Array], path: str | Path, *, force: bool) -> None:
    """Write a state; the file takes its name only when it is whole. Raises OutputFileError, MissingExtra."""
    file = check_output(path, ENDINGS, force=force)
    module = extra("safetensors", "safetensors") if file.suffix.lower() == ".safetensors" else None
    with beside(file, force=force) as partial, said_of(file):
        if module is None:
            with partial.open("wb") as stream:
                np.savez(stream, **state)
            return
        try:
            extra("safetensors.numpy", "safetensors").save_file(
                {name: np.atleast_1d(value) for name, value in state.items()}, str(partial)
            )
        except module.SafetensorError as error:
            raise OutputFileError(
                f"`{file}` could not be written: {line_of(error)}", "Free some space, or choose another place."
            ) from None


def load(path: str | Path, size: int) -> dict[str, Array]:
    """Read a state of about so many bytes; raises InputFileError, MissingExtra."""
    try:
        file = check_input(path, ENDINGS)
        return _read_npz(file, size) if file.suffix.lower() == ".npz" else _read_safetensors(file, size)
    except InputFileError as error:
        # What else arrays are good for is of no use here.
        raise InputFileError(error.what, CURE) from None


def _read_npz(file: Path, size: int) -> dict[str, Array]:
    archive = Archive(file)
    _check_size(file, sum(archive.sizes.values()), size)
    return archive.arrays()


def _read_safetensors(file: Path, size: int) -> dict[str, Array]:
    module = extra("safetensors.numpy", "safetensors")
    _check_size(file, file.stat().st_size, size)
    with reading(file, CURE, "is no state of an optimizer"):
        return dict(module.load_file(str(file)))


def _check_size(file: Path, there: int, size: int) -> None:
    if there > TIMES * size + MORE:
        raise InputFileError(f"{file} holds {written(there)}, and the state here takes {written(size)}", CURE)
