"""Lists of tensors that lie where they lie: their addresses, read at once, and which of them are not as wanted.

Compiled code reads them where the layout of a tensor is known, else torch is asked one by one; both see the same. It
knows no rule and no state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mhat.bridges.torch.ways.layout import KINDS, layout, numbers_of
from mhat.engines.kernels.addresses import (
    Layout,
    Numbers,
    Rows,
    gather_gradients,
    gather_tensors,
    read_again,
    strided,
    tell_changed,
)

Array = Any
PLAIN = (Tensor, torch.nn.Parameter)
NONE = Numbers(0, 0)


class Column:
    """Tensors of one dtype with given shapes and strides, on the processor.

    `at`: where each lies, 0 where it is not there, written into the array that is given; `there`: which are.
    """

    def __init__(
        self,
        shapes: Sequence[tuple[int, ...]],
        strides: Sequence[tuple[int, ...]],
        dtype: torch.dtype,
        at: Array | None = None,
    ) -> None:
        self.shapes = [torch.Size(shape) for shape in shapes]
        self.strides = [tuple(each) for each in strides]
        self.dtype = dtype
        self.at = np.zeros(len(shapes), dtype=np.int64) if at is None else at
        self.there = np.zeros(len(shapes), dtype=np.bool_)
        self.bytes = np.array([shape.numel() * dtype.itemsize for shape in self.shapes], dtype=np.int64)
        self._where = layout()
        self._wanted = strided(self.shapes, self.strides)
        self._numbers = NONE if self._where is None else numbers_of(dtype, self._where)

    def read(self, tensors: list[Any]) -> list[int]:
        """Read where they lie, None for what is not there; give the places of those that are not as wanted."""
        first = 0
        if self._where is not None:
            first = gather_tensors(tensors, KINDS, self._where, self._numbers, self._wanted, self.at, self.there)
        return [] if first < 0 else [i for i in range(first, len(self.at)) if not self._read_one(tensors[i], i)]

    def read_gradients(self, holders: list[Tensor]) -> bool:
        """Read where the gradients lie that tensors hold; False if one is not as wanted, or none can be read."""
        if self._where is None:
            return False
        return gather_gradients(holders, self._where, self._numbers, self._wanted, self.at, self.there) < 0

    def is_right(self, tensor: Tensor, i: int) -> bool:
        """Whether a tensor is what the place wants: kind, dtype, shape, strides."""
        # A class of its own may lie elsewhere than it says.
        plain = type(tensor) in PLAIN and tensor.layout == torch.strided
        if not plain or tensor.device.type != "cpu" or tensor.is_neg():
            return False
        same = tensor.dtype == self.dtype and tensor.shape == self.shapes[i]
        return same and same_strides(tensor, self.strides[i])

    def enter(self, tensor: Tensor, i: int) -> None:
        """Let a tensor lie at a place; the caller keeps it alive."""
        self.at[i], self.there[i] = tensor.data_ptr(), True

    def _read_one(self, tensor: Tensor | None, i: int) -> bool:
        if tensor is None:
            self.at[i], self.there[i] = 0, False
            return True
        if not isinstance(tensor, Tensor) or not self.is_right(tensor, i):
            return False
        self.enter(tensor, i)
        return True


class Again:
    """Rows of tensors that are read once more in one call, with the gradients that those of row 0 hold."""

    def __init__(self, gradients: Column, rows: Mapping[int, list[Tensor]], where: Layout) -> None:
        # Kept, for they are read by their addresses.
        self._held = [rows.get(row, rows[0]) for row in range(max(rows) + 1)]
        dtypes = [tensors[0].dtype for tensors in self._held]
        small, large = (numbers_of(dtype, where) for dtype in (dtypes[0], max(dtypes, key=lambda d: d.itemsize)))
        is_large = np.array([dtype != dtypes[0] for dtype in dtypes])
        lists = np.array([id(tensors) for tensors in self._held], dtype=np.int64)
        room = np.zeros((3, len(gradients.at)), dtype=np.int64)
        self._rows = Rows(lists, small, large, is_large, room[:2], room[2])
        self._where, self._wanted = where, strided(gradients.shapes, gradients.strides)

    def read(self, at: Array) -> int:
        """Read them; see `read_again`."""
        return read_again(self._rows, KINDS, self._where, self._wanted, at)

    def tell_changed(self) -> None:
        """Let the tensors of row 0 count a change, for graphs that have kept them."""
        tell_changed(self._held[0], self._where)


def again(gradients: Column, rows: Mapping[int, list[Tensor]]) -> Again | None:
    """Give what reads rows of tensors once more, None where tensors cannot be read at once."""
    where = layout()
    return None if where is None else Again(gradients, rows, where)


def same_strides(tensor: Tensor, strides: Sequence[int]) -> bool:
    """Whether a tensor strides so, but where it has one number or none to go along."""
    pairs = zip(tensor.stride(), strides, tensor.shape, strict=True)
    return bool(tensor.numel() == 0) or all(is_one == wanted or length == 1 for is_one, wanted, length in pairs)


def is_dense(tensor: Tensor) -> bool:
    """Whether its numbers fill their memory, each once, in whatever order of the dimensions.

    >>> import torch
    >>> image = torch.zeros(2, 3, 4, 5)
    >>> last = image.to(memory_format=torch.channels_last)
    >>> is_dense(last), is_dense(image[..., ::2]), is_dense(image[0].expand(2, 3, 4, 5))
    (True, False, False)
    """
    reach = 1
    for stride, length in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if length == 1:
            continue
        if stride != reach:
            return bool(tensor.numel() == 0)
        reach *= length
    return True
