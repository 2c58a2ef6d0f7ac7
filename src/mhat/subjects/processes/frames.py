"""Messages between mhat and a host: a line of JSON, and behind it arrays as they lie in memory. It knows no subject.

Each side marks its lines with a word that was agreed on, so that what a subject writes there is taken for no message.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mhat.subjects.subject import Array

NUMBER = np.dtype("<f8")


def packed(mark: str, header: Mapping[str, Any], arrays: Sequence[Array] = ()) -> bytes:
    """Write a message; it begins on a line of its own, whatever was written there before."""
    shapes = [list(array.shape) for array in arrays]
    line = json.dumps({**header, "mark": mark, "shapes": shapes})
    return b"\n".join([b"", line.encode(), b"".join(np.asarray(array, NUMBER).tobytes() for array in arrays)])


def header_of(mark: str | None, line: bytes) -> dict[str, Any] | None:
    """Read the line of a message, with that mark if one is agreed on; None for a line that is none."""
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) and (mark is None or header.get("mark") == mark) else None


def size_of(shapes: Sequence[Sequence[int]]) -> int:
    """Count the bytes behind a line."""
    return sum(math.prod(shape) for shape in shapes) * NUMBER.itemsize


def unpacked(shapes: Sequence[Sequence[int]], data: bytes) -> list[Array]:
    """Read the arrays of a message."""
    arrays, place = [], 0
    for shape in shapes:
        count = math.prod(shape)
        arrays.append(np.frombuffer(data, NUMBER, count, place).reshape(shape).astype(np.float64))
        place += count * NUMBER.itemsize
    return arrays
