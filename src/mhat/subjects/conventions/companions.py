"""The function beside a step that makes its states: `initialize_adam(parameters)`, `opt.init(params)`.

It is found by its name and by what it takes; it is only called when it is tried.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import PARAMS, is_required, is_size, size_for
from mhat.subjects.conventions.roles import MORE_PARAMS, parameters_of
from mhat.subjects.conventions.texts import Written, core_of
from mhat.subjects.spelling import STARTS, SpelledKnobs, spelling_of

BEGINNINGS = ("init", "initialize", "initialise", "create", "make", "new", "zero", "zeros", "setup", "build", "start")


@dataclass(frozen=True)
class Companion:
    """A function that makes states, and what the states are called in it."""

    function: Callable[..., Any]
    argument: str | None  # the parameters, or their shape
    sized: bool
    spelling: SpelledKnobs
    written: Written
    likely: int = 0  # words that its name shares with the step's

    def makes(self, states: Sequence[str]) -> bool:
        """Whether it returns what the states of a step are called, or as many things as there are states."""
        names = self.written.returned
        called = {core_of(name) for name in names if name} >= {core_of(name) for name in states}
        return called or (self.likely > 0 and len(names) == len(states) > 1)

    def make(self, laid: Any, tensors: list[Any], knobs: Mapping[str, float]) -> Any:
        """Make the states of parameters."""
        arguments: dict[str, Any] = self.spelling.arguments(
            {k: v for k, v in knobs.items() if k in self.spelling.names}
        )
        if self.argument is None:
            return self.function(**arguments)
        return self.function(size_for(self.argument, np.shape(tensors[0])) if self.sized else laid, **arguments)


def companions_of(function: Callable[..., Any], owner: Any = None) -> Iterator[Companion]:
    """Yield the functions beside one that may make its states, those of the likeliest name first.

    `owner`: the object whose method it is.
    """
    if owner is not None:
        beside = {name: getattr(owner, name, None) for name in dir(owner) if not name.startswith("__")}
    else:
        beside = getattr(inspect.unwrap(function), "__globals__", {})
    own = _words(function.__name__ if hasattr(function, "__name__") else "")
    ranked = []
    for name, other in beside.items():
        if name.lower().lstrip("_").startswith(BEGINNINGS) and callable(other) and not isinstance(other, type):
            companion = _companion(other)
            if companion is not None and other is not function:
                ranked.append(replace(companion, likely=len(own & _words(name))))
    yield from sorted(ranked, key=lambda companion: -companion.likely)[:3]


def _words(name: str) -> set[str]:
    return {word for word in name.lower().split("_") if len(word) > 1} - {
        "update",
        "with",
        "step",
        "params",
        "parameters",
    }


def _companion(function: Callable[..., Any]) -> Companion | None:
    arguments = [p for p in parameters_of(function) if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    names = PARAMS | MORE_PARAMS | {plain_spelling(start) for start in STARTS}
    required = [p for p in arguments if is_required(p)]
    named = [p.name for p in arguments if plain_spelling(p.name) in names or is_size(p.name)]
    first = named[0] if named else required[0].name if required else None
    spelling = spelling_of(arguments, skip=[first] if first else [])
    if spelling.unknown or spelling.start:
        return None
    sized = first is not None and is_size(first)
    return Companion(function, first, sized, spelling, Written.of(function))
