"""The table of operations: name, how it is written, arity, precedence, meaning. It knows no tree and no array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
Kind = Literal["arithmetic", "comparison", "logic", "function", "reduction", "matrix"]

# Precedence grows with how tightly an operation binds; calls and names bind tightest.
CHOICE, OR, AND, NOT, COMPARE, ADD, MULTIPLY, NEGATE, POWER, CALL = range(10)


@dataclass(frozen=True)
class Definition:
    """What one operation of the rule language is.

    `meaning` defines it: on floats for elementwise operations, on a flat list of floats for
    reductions, on a list of rows for matrix operations. `results` counts what it gives back; `arity` what it must be
    given, to which keyword arguments may come.
    """

    name: str
    symbol: str
    kind: Kind
    arity: int
    precedence: int
    meaning: Callable[..., Any]
    sentence: str
    results: int = 1
    # Keyword arguments in a rule: numbers, which are further arguments of the meaning, and words.
    numbers: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def elementwise(self) -> bool:
        """Whether it works on each coordinate by itself."""
        return self.kind not in ("reduction", "matrix")

    @property
    def called(self) -> bool:
        """Whether it is written as a call, `name(...)`, instead of with a symbol."""
        return self.precedence == CALL


OPERATIONS: dict[str, Definition] = {}


def define(
    kind: Kind,
    *,
    symbol: str = "",
    precedence: int = CALL,
    results: int = 1,
    numbers: tuple[str, ...] = (),
    words: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Enter a function into the table as the meaning of the operation of its name."""

    def enter(meaning: F) -> F:
        name = meaning.__name__.strip("_")
        arity = meaning.__code__.co_argcount - len(meaning.__defaults__ or ())
        # Python -OO keeps no docstrings: then the names of the arguments say what it takes.
        arguments = ", ".join(meaning.__code__.co_varnames[:arity])
        sentence = (meaning.__doc__ or f"{name}({arguments}).").strip().splitlines()[0]
        OPERATIONS[name] = Definition(
            name, symbol or name, kind, arity, precedence, meaning, sentence, results, numbers, words
        )
        return meaning

    return enter
