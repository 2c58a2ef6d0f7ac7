"""Records as a folder of files, a step each: safetensors, npz, or what torch saves. They know arrays by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import InputFileError
from mhat.extras import extra
from mhat.inputs.arrays import read_npz
from mhat.inputs.files import reading
from mhat.subjects.records.arrays import from_arrays
from mhat.subjects.records.columns import paired
from mhat.subjects.records.record import Record
from mhat.subjects.subject import Array

ENDINGS = (".safetensors", ".npz", ".pt", ".pth")
WHAT = "Save in each the gradients and the parameters after the step: grad.NAME and param.NAME, or NAME.grad and NAME."


def from_folder(folder: Path, observe: str, columns: Mapping[str, str]) -> Record:
    """Read the files of a folder in the order of the numbers in their names, a step each.

    A first file without gradients says where x starts. Nothing that a file holds is executed. Raises InputFileError,
    UnknownName, MissingExtra.
    """
    files = _in_order(folder)
    steps = [_arrays_of(file) for file in files]
    names = [name for name, array in steps[-1].items() if all(_fits(step.get(name), array) for step in steps[1:])]
    if not names:
        raise InputFileError(f"{folder}: the files have no array in common", WHAT)
    pairs = paired(names).values()
    first = steps[0] if not any(g in steps[0] for g, _ in pairs) else {}
    taken = steps[1:] if first else steps
    arrays = {name: np.stack([step[name] for step in taken]) for name in names}
    record = from_arrays(folder, arrays, {}, None, observe, columns)
    known = [np.asarray(first[x], np.float64) for _, x in pairs if x in first]
    return replace(record, start=known) if known and len(known) == len(record.tensors) else record


def _in_order(folder: Path) -> list[Path]:
    """List the files of one kind, `step_10` after `step_9`."""
    kinds = {ending: [file for file in folder.iterdir() if file.suffix.lower() == ending] for ending in ENDINGS}
    there = {ending: files for ending, files in kinds.items() if files}
    if len(there) != 1:
        what = "holds files of several kinds" if there else "holds no step of a run"
        raise InputFileError(f"{folder} {what}", f"Give a folder with a file a step: {' '.join(ENDINGS)}.")
    return sorted(next(iter(there.values())), key=_counted)


def _counted(file: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", file.stem)]


def _fits(array: Array | None, other: Array) -> bool:
    return array is not None and array.shape == other.shape


def _arrays_of(file: Path) -> dict[str, Array]:
    with reading(file, "Check the file."):
        if file.suffix.lower() == ".npz":
            return dict(read_npz(file))
        if file.suffix.lower() == ".safetensors":
            return dict(extra("safetensors.numpy", "safetensors").load_file(file))
        torch = extra("torch", "torch")
        # Tensors and plain containers alone: what would have to be executed is refused.
        return dict(_flat(torch.load(file, map_location="cpu", weights_only=True), ""))


def _flat(thing: Any, name: str) -> Iterator[tuple[str, Array]]:
    """Give the tensors in nested dictionaries and lists by the way to them."""
    if isinstance(thing, Mapping | list | tuple):
        items = thing.items() if isinstance(thing, Mapping) else enumerate(thing)
        for key, inner in items:
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif hasattr(thing, "detach"):
        numbers = thing.detach()
        # NumPy has no bfloat16: a single holds each of its numbers.
        yield name, np.asarray((numbers.float() if str(numbers.dtype) == "torch.bfloat16" else numbers).numpy())
    elif isinstance(thing, int | float) and not isinstance(thing, bool):
        yield name, np.asarray(float(thing))
