"""float16 and bfloat16 on arrays: held as float32, every result rounded to the type. It knows no framework by name.

Operations are done in float32, with literals, knobs and per-step values as float32, and rounded once: what `floats`
does number by number. NumPy agrees with it bit for bit wherever its float32 does; torch and JAX, whose float32 may be
an ulp off, may give the neighbour where a result lies that near to the middle of two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat
import ml_dtypes
import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines.arrays import Arrays

Array = Any


def is_small(dtype: Any) -> bool:
    """Say whether a dtype of any framework is float16 or bfloat16."""
    known = DTYPES.get(str(dtype).rpartition(".")[2])
    return known is not None and known.small


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Give NumPy's dtype of a name; bfloat16 is that of ml_dtypes."""
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def arrays_of(dtype: str, *, tensor_dimensions: int | None, several_dimensions: int = 0) -> Arrays:
    """Give the arithmetic of a dtype on NumPy arrays, by the name of the dtype."""
    kind = SmallArrays if DTYPES[dtype].small else Arrays
    return kind(np, numpy_dtype(dtype), tensor_dimensions=tensor_dimensions, several_dimensions=several_dimensions)


class SmallArrays(Arrays):
    """The arithmetic of float16 or bfloat16 on float32 arrays of one namespace."""

    def __init__(self, xp: Any, dtype: Any, **more: Any) -> None:
        """Take the namespace's own small dtype; the rest is as for `Arrays`."""
        super().__init__(xp, xp.float32, **more)
        self.small = dtype

    def operation(self, op: str) -> Callable[..., Any]:
        """Give the operation: in float32, rounded once to the small type."""
        inner = super().operation(op)
        if op in ("rows", "columns"):
            # A size enters as any number does, unrounded.
            return inner

        def applied(*arguments: Array, **options: Any) -> Any:
            result = inner(*arguments, **options)
            return tuple(map(self.store, result)) if isinstance(result, tuple) else self.store(result)

        return applied

    def store(self, value: Array) -> Array:
        """Round float32 values to the small type, and hold them as float32 again."""
        return self.widened(self.narrowed(value))

    def narrowed(self, value: Array) -> Array:
        """Give values as an array of the small type."""
        return self._as_type(self._as_type(value, self.dtype), self.small)

    def widened(self, value: Array) -> Array:
        """Give values of the small type as an array of float32."""
        return self._as_type(value, self.dtype)

    def _as_type(self, value: Array, dtype: Any) -> Array:
        if array_api_compat.is_numpy_namespace(self.xp):
            return np.asarray(value).astype(dtype)[()]
        return self.xp.astype(self.xp.asarray(value), dtype)
