"""Owners of rarer kinds: layers that give their tensors in pairs, or are handed beside their gradients; policies.

They know no step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mhat.subjects.conventions.layouts import laid
from mhat.subjects.conventions.standins import TENSORS, Kept, Layer, Place
from mhat.subjects.conventions.texts import Words

COUNTED = frozenset(
    {"num_params", "n_params", "num_parameters", "param_count", "nparams", "n_parameters", "num_weights"}
)


def names_in(text: frozenset[str]) -> list[str]:
    """Give the names of a layer's tensors in a text."""
    return [found[0] for names in TENSORS if (found := [name for name in names if name in text])]


class Pairs(Layer):
    """A layer whose tensors, and whose gradients, are given two at a time, and set by a method of any name."""

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("set"):
            return super().__getattr__(name)
        return self._set

    def _set(self, *values: Any, **named: Any) -> None:
        setattr(self, self._pair, (*values, *named.values()))


def in_pairs(values: Sequence[Any], words: Words) -> tuple[Layer, list[Place]]:
    """Make a layer for `w, b = layer.weights` and `dw, db = layer.gradients`."""
    made = Pairs(words)
    data, grads = words.unpacked
    object.__setattr__(made, "_pair", data)
    setattr(made, data, tuple(values))
    setattr(made, grads, (None, None))

    def place(i: int) -> Place:
        def put(x: Any, g: Any) -> None:
            setattr(made, grads, tuple(g if i == j else old for j, old in enumerate(getattr(made, grads))))

        return Place(put, lambda: getattr(made, data)[i])

    return made, [place(0), place(1)]


def given_layer(values: Sequence[Any], names: Sequence[str], words: Words) -> tuple[Layer, list[Place], list[Any]]:
    """Make a layer whose gradients are handed over beside it; they lie in the list that is given too."""
    made, grads = Layer(words), [None] * len(values)
    for name, value in zip(names, values, strict=True):
        setattr(made, name, value)

    def place(i: int, name: str) -> Place:
        return Place(lambda x, g: grads.__setitem__(i, g), lambda: getattr(made, name))

    return made, [place(i, name) for i, name in enumerate(names)], grads


class Policy(Kept):
    """A policy that is asked for all its parameters as one vector, and is given them back so."""

    def __init__(self, value: Any, words: Words) -> None:
        self._words, self._vector, self.untouched = words, value, True

    def __getattr__(self, name: str) -> Any:
        words = self.__dict__.get("_words")
        if name.startswith("__") or words is None:
            raise AttributeError(name)
        if name in COUNTED:
            return int(np.prod(np.shape(self._vector)))
        if name in words.called:
            return self._take if name.startswith("set") else lambda: self._vector
        return self._vector

    def _take(self, value: Any) -> None:
        self.set_flat(value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or name == "untouched":
            object.__setattr__(self, name, value)
        else:
            self.set_flat(value)

    def set_flat(self, value: Any) -> None:
        self._vector, self.untouched = value, False


def policy(value: Any, words: Words) -> tuple[Policy, Place]:
    """Make a policy of one vector."""
    made = Policy(value, words)

    def put(x: Any, g: Any) -> None:
        made.untouched = True

    return made, Place(put, lambda: made._vector)


def pair_place(pair: list[Any]) -> Place:
    """Give the place of a tensor in a list of it and of its gradient."""
    return Place(lambda x, g: pair.__setitem__(1, g), lambda: pair[0])


def named_model(values: list[Any], words: Words) -> tuple[list[Any], list[Place]]:
    """Make a model that keeps its tensors in a dictionary `params`, and whose gradients go beside it."""
    model: Any = Layer(words)
    model.params = laid(values, "dict")

    def place(key: str) -> Place:
        return Place(lambda x, g: None, lambda: model.params[key])

    return [model], [place(key) for key in model.params]
