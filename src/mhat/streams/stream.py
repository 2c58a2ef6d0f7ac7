"""A stream: a sequence of gradients, given beforehand. It knows no rule and no file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat import notation
from mhat.dtypes import DTYPES
from mhat.errors import BadValue
from mhat.notation.decimals import brief

Size = int | tuple[int, ...] | None
_LETTERS = "ijlopqrs"  # without k, m, n, t, which mean something in a rule


@dataclass(frozen=True, eq=False)
class Stream:
    """Gradients `values` of shape (T, ...), the names of their dimensions, and what names them on the command line.

    The recipe is empty for values that came from the user's own code. The values are read-only. `labels` name the
    places along a dimension, such as the columns of a table.

    >>> Stream([[1, 2], [3, 4], [5, 6]], ("step", "i"))
    Stream(step=3, i=2)
    """

    values: NDArray[np.float64]
    dims: tuple[str, ...] = ("step",)
    recipe: str = ""
    labels: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        values = _floats(self.values)
        dims = tuple(self.dims)
        if values.ndim == 0 or values.size == 0:
            raise BadValue("a stream without a step", "Give at least one gradient.")
        if len(dims) != values.ndim or len(set(dims)) != len(dims):
            raise BadValue(
                f"gradients of shape {values.shape} with the dimensions {dims}",
                "Give every dimension one name of its own.",
            )
        if dims[0] != "step":
            raise BadValue(f"the first dimension is `{dims[0]}`", "Put the dimension `step` first.")
        sizes = dict(zip(dims[1:], values.shape[1:], strict=True))
        for dim, labels in self.labels.items():
            if sizes.get(dim) != len(labels):
                raise BadValue(f"{len(labels)} labels for the dimension `{dim}`", "Give each place one label.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "dims", dims)

    @property
    def steps(self) -> int:
        """How many gradients there are."""
        return int(self.values.shape[0])

    def __len__(self) -> int:
        return self.steps

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{dim}={size}" for dim, size in zip(self.dims, self.values.shape, strict=True))
        return f"Stream({self.recipe!r}, {sizes})" if self.recipe else f"Stream({sizes})"


@dataclass(frozen=True, eq=False)
class StoredStream:
    """Gradients that stay in their file: `array` is an `xarray.DataArray` that reads what is asked of it."""

    array: Any
    recipe: str = ""


def of_array(values: Any, dims: tuple[str, ...] | None = None, recipe: str = "") -> Stream:
    """Make a stream of an array of shape (T, ...); the dimensions are named step, i, j, l unless given.

    >>> of_array([10, 10, 10])
    Stream(step=3)
    """
    array = _floats(values)
    return Stream(array, dims or dims_of(array.ndim), recipe)


def dims_of(count: int) -> tuple[str, ...]:
    """Name `count` dimensions: step first, then i, j, l."""
    if count > len(_LETTERS) + 1:
        raise BadValue(f"gradients of {count} dimensions", f"At most {len(_LETTERS) + 1} have names of their own.")
    return ("step", *_LETTERS)[:count]


def made(function: Callable[..., Stream], values: NDArray[np.float64], /, **arguments: object) -> Stream:
    """Return the stream that `function` made of `arguments`, with the recipe that makes it again."""
    return of_array(values, recipe=notation.recipe(function, **arguments))


def shape_of(steps: int, size: Size) -> tuple[int, ...]:
    """Return the shape of `steps` gradients with `size` coordinates: None for a plain number, else n or (n, m)."""
    if size is None:
        return (steps,)
    sizes = size if isinstance(size, tuple) else (size,)
    shape = (steps, *(notation.whole("size", each, least=1) for each in sizes))
    if math.prod(shape) > notation.MOST_STEPS:
        raise BadValue(
            f"{steps} steps of the size {notation.written(size)} are {brief(math.prod(shape))} numbers",
            f"Ask for {brief(notation.MOST_STEPS)} at most, or give an array on Dask.",
        )
    return shape


def generator(seed: int) -> np.random.Generator:
    """Return the generator for a seed: PCG64, named so that a change of NumPy's default changes nothing here."""
    return np.random.Generator(np.random.PCG64(seed))


def is_real(dtype: Any) -> bool:
    """Say whether numbers of a dtype are real; bfloat16 is, though NumPy does not know it as its own."""
    return dtype.kind in "biuf" or dtype.name in DTYPES


def _floats(values: Any) -> NDArray[np.float64]:
    try:
        array = np.asarray(values)
        if not is_real(array.dtype):
            raise TypeError(f"they are of type {array.dtype}")
    except (TypeError, ValueError) as error:
        raise BadValue(f"these gradients are no numbers: {error}", "Give an array of real numbers.") from None
    view = array.astype(np.float64, copy=False).view()
    view.setflags(write=False)
    return view
