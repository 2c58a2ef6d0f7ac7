"""Tensors of torch instead of arrays, where the code of a user is written for them. It imports no framework."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


def uses_torch(thing: Any) -> bool:
    """Whether the file that a function or class stands in knows torch."""
    return "torch" in sys.modules and any(
        _of_torch(value) for space in _spaces(thing) for value in list(space.values())
    )


def tensor_of(value: Any) -> Any:
    """Make a tensor of an array, with memory of its own."""
    return sys.modules["torch"].from_numpy(np.array(value, order="C"))


def leaf_of(value: Any) -> Any:
    """Make a parameter, which has a gradient of its own."""
    return sys.modules["torch"].nn.Parameter(tensor_of(value))


def is_tensor(value: Any) -> bool:
    """Whether something is a tensor and no array."""
    return hasattr(value, "detach")


def plain(value: Any) -> Any:
    """Give a tensor as it is, without what differentiates it, and anything else as an array."""
    return value.detach() if is_tensor(value) else np.asarray(value)


def added(x: Any, sign: float, step: Any) -> Any:
    """Go a step, in the type of the step where that is the narrower one: who computes in float32 keeps x so."""
    moved = plain(step)
    if not is_tensor(moved) and moved.dtype.kind == "f" and np.asarray(x).dtype.itemsize > moved.dtype.itemsize:
        x = np.asarray(x).astype(moved.dtype)
    return x + sign * moved


def nothing_like(value: Any) -> Any:
    """Give zeros of the kind and shape of a tensor or an array."""
    return value.new_zeros(value.shape) if is_tensor(value) else np.zeros_like(value)


def module_of(parameters: list[Any]) -> Any:
    """Make a module that has parameters."""
    return sys.modules["torch"].nn.ParameterList(parameters)


def _spaces(thing: Any) -> Iterator[dict[str, Any]]:
    owner = thing if isinstance(thing, type) or inspect.isroutine(thing) else type(thing)
    for each in inspect.getmro(owner) if isinstance(owner, type) else (inspect.unwrap(owner),):
        functions = [each, *(vars(each).values() if isinstance(each, type) else ())]
        spaces = [getattr(getattr(one, "__func__", one), "__globals__", None) for one in functions]
        yield from (space for space in spaces[:40] if space is not None and not _is_frameworks(space))


def _is_frameworks(space: dict[str, Any]) -> bool:
    return str(space.get("__name__", "")).partition(".")[0] == "torch"


def _of_torch(value: Any) -> bool:
    name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
    return isinstance(name, str) and name.partition(".")[0] == "torch"
