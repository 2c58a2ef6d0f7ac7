"""How tensors are laid out for a step: an array, a list, a dictionary W1, b1. It calls nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mhat.language.vocabulary import ALIASES, USUAL, VOCABULARY, plain_spelling
from mhat.subjects.calls import COUNTS
from mhat.subjects.conventions.tensors import nothing_like, plain
from mhat.subjects.spelling import USUAL as DEFAULTS

LAYOUTS = ("array", "list", "dict", "dict of d")
SHOWN = {
    "array": "an array",
    "list": "a list of arrays",
    "dict": "a dictionary of arrays",
    "dict of d": "dictionaries W1, b1 and dW1, db1",
}
KNOBS = {other: name for name in reversed(VOCABULARY) for other in ALIASES.get(name, ())} | {
    plain_spelling(name): name for name in VOCABULARY
}


def keys_of(count: int) -> list[str]:
    """Name tensors as layers do: W1, b1, W2, b2."""
    return [f"{'Wb'[i % 2]}{i // 2 + 1}" for i in range(count)]


def laid(tensors: list[Any], layout: str, gradients: bool = False) -> Any:
    """Lay tensors out, or their gradients."""
    if layout == "array":
        return tensors[0]
    if layout == "list":
        return list(tensors)
    marks = "d" if gradients and layout == "dict of d" else ""
    return {f"{marks}{key}": tensor for key, tensor in zip(keys_of(len(tensors)), tensors, strict=True)}


def taken_apart(value: Any, layout: str) -> list[Any]:
    """Give the tensors of what is laid out so."""
    if layout == "array":
        return [value]
    return list(value.values()) if isinstance(value, dict) else list(value)


def is_like(value: Any, tensors: list[Any], layout: str) -> bool:
    """Whether a value can be the parameters: the same shapes in the same layout."""
    if layout == "array":
        return not isinstance(value, dict | str | None) and shape_of(value) == np.shape(tensors[0])
    if layout == "list":
        listed = isinstance(value, list | tuple | np.ndarray)
        return listed and [shape_of(each) for each in value] == [np.shape(each) for each in tensors]
    return isinstance(value, dict) and list(value) == keys_of(len(tensors))


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Give the shape of what may be an array; None if it is none."""
    try:
        array = np.asarray(plain(value))
        return array.shape if array.dtype.kind in "biuf" else None
    except Exception:
        return None


class Slots(dict[str, Any]):
    """A dictionary for states and knobs that gives what is asked for and is not there yet: a usual value, or zeros."""

    def __init__(self, like: Mapping[str, Any] | Callable[[], Any], told: Mapping[str, Any] | None = None) -> None:
        super().__init__(told or {})
        self.like = like

    def __missing__(self, key: str) -> Any:
        spelled = plain_spelling(str(key))
        near = [] if callable(self.like) else [n for n in self.like if str(key).lower().endswith(n.lower())]
        if near:
            # A state of a tensor: `b1` is a bias there, and no decay rate.
            self[key] = nothing_like(self.like[near[0]])  # type: ignore[index]
        elif spelled in COUNTS:
            self[key] = 0
        elif spelled in KNOBS:
            ours = KNOBS[spelled]
            self[key] = {**{name: each[0] for name, each in USUAL.items()}, **DEFAULTS}.get(ours, 0.0)
        elif callable(self.like):
            self[key] = nothing_like(self.like())
        else:
            raise KeyError(key)
        return self[key]


def zeros(tensors: list[Any], layout: str) -> Any:
    """Lay out zeros of the shapes of tensors, as states."""
    made = [nothing_like(each) for each in tensors]
    if layout in ("array", "list"):
        return laid(made, layout)
    # A state is named like its tensor or like the gradient of it.
    return Slots(laid(tensors, "dict"), laid(made, layout, gradients=True))
