"""The notation `name:value,key=value` for streams and landscapes: read, called, and written again.

It knows numbers and signatures; no array, no stream and no landscape.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from mhat.errors import BadValue, UnknownName

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """What was typed, taken apart: `normal:0,scale=2` is a name, unnamed values and named values, all as text."""

    name: str
    values: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)


def parse(spec: str) -> Call:
    """Take `name:value,key=value` apart.

    >>> parse("normal:0,scale=2")
    Call(name='normal', values=('0',), named={'scale': '2'})
    """
    if not isinstance(spec, str):
        raise BadValue(f"`{spec!r}` is no text", "Write a name and its arguments: normal:seed=42.")
    name, _, rest = spec.partition(":")
    values, named = arguments(rest, spec)
    return Call(name.strip(), values, named)


def arguments(rest: str, spec: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Take `value,key=value`, the part of `spec` behind the colon, apart."""
    values: list[str] = []
    named: dict[str, str] = {}
    for piece in rest.split(",") if rest.strip() else []:
        key, equals, text = (part.strip() for part in piece.partition("="))
        if not key or (equals and not text):
            raise BadValue(f"`{spec}` has an empty argument", "Write a value between the commas: normal:0,2,seed=3.")
        if equals and key in named:
            raise BadValue(f"`{spec}` gives `{key}` twice", "Keep one of the two.")
        if not equals and named:
            raise BadValue(
                f"`{spec}` has the unnamed `{key}` after a named argument",
                "Write unnamed values first: normal:0,2,seed=3.",
            )
        if equals:
            named[key] = text
        else:
            values.append(key)
    return tuple(values), named


def call(spec: str, known: Mapping[str, Callable[..., T]], kind: str, more: str = "", **given: object) -> T:
    """Call the member of `known` that `spec` names; arguments `given` beside the text win over the text."""
    typed = parse(spec)
    if typed.name not in known:
        raise UnknownName(kind, typed.name, known, more)
    function = known[typed.name]
    positional, named = _bound(typed, function, spec)
    try:
        return function(*positional, **{**named, **given})
    except BadValue as error:
        raise BadValue(f"in `{spec}`: {error.what}", error.cure) from error


def read_number(text: str) -> int | float | tuple[int, ...]:
    """Read a number as it is typed: `3`, `-1e-3`, `nan`, `inf`, or the size `3x4`.

    >>> [read_number(text) for text in ("3", "0.5", "3x4")]
    [3, 0.5, (3, 4)]
    """
    if re.fullmatch(r"\d+(x\d+)+", text):
        return tuple(int(part) for part in text.split("x"))
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    raise BadValue(f"`{cut(text)}` is no number", "Write a number such as 3, 0.5, 1e-3, nan or inf.")


def whole_of(typed: str) -> int:
    """Read a whole number as it is typed. Raises BadValue.

    >>> whole_of("1e4"), whole_of("20")
    (10000, 20)
    """
    try:
        number = float(typed)
    except ValueError:
        number = math.nan
    if not number.is_integer():
        raise BadValue(f"`{typed}` is no whole number", "Write one such as 100 or 1e4.")
    return int(number)


def recipe(function: Callable[..., object], /, **arguments: object) -> str:
    """Write the call of `function` in the notation, leaving out what equals the default.

    >>> def normal(mean=0.0, scale=1.0, seed=0): ...
    >>> recipe(normal, mean=3.0, scale=1.0, seed=42)
    'normal:3,seed=42'
    """
    pieces: list[str] = []
    for place, parameter in enumerate(inspect.signature(function).parameters.values()):
        value = arguments[parameter.name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            assert isinstance(value, tuple)
            pieces += [written(each) for each in value]
        elif written(value) != written(parameter.default):
            unnamed = place == 0 and parameter.kind is not parameter.KEYWORD_ONLY
            pieces.append(written(value) if unnamed else f"{parameter.name}={written(value)}")
    return function.__name__ + (":" + ",".join(pieces) if pieces else "")


def written(value: object) -> str:
    """Write one value so that reading it gives the same value again."""
    if isinstance(value, tuple):
        return "x".join(str(part) for part in value)
    if isinstance(value, float):
        short = value.is_integer() and abs(value) < 1e15 and str(value) != "-0.0"
        return str(int(value)) if short else repr(value)
    return str(value)


def cut(text: str, most: int = 60) -> str:
    """Cut a text to what a message has room for; what cannot be printed is written as in Python.

    >>> cut("9" * 1000, most=8), cut("1\\0")
    ('99999...', '1\\\\x00')
    """
    text = text if text.isprintable() else text[:most].encode("unicode_escape").decode("ascii")
    return text if len(text) <= most else f"{text[: most - 3]}..."


def summary(function: Callable[..., object]) -> str:
    """Return the first line of the docstring, without its full stop; dots that say "and so on" stay."""
    first = (inspect.getdoc(function) or "").partition("\n")[0]
    return first if first.endswith("...") else first.removesuffix(".")


def _bound(typed: Call, function: Callable[..., object], spec: str) -> tuple[list[object], dict[str, object]]:
    parameters = inspect.signature(function).parameters
    kinds = [parameter.kind for parameter in parameters.values()]
    ordered = [name for name, each in parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD]
    takes_any = inspect.Parameter.VAR_POSITIONAL in kinds
    if len(typed.values) > len(ordered) and not takes_any:
        what = f"`{spec}` has {len(typed.values)} unnamed values, `{typed.name}` takes {len(ordered)}"
        raise BadValue(what, "Name them: " + ", ".join(f"{key}=" for key in parameters) + ".")
    keys = [name for name, each in parameters.items() if each.kind is not each.VAR_POSITIONAL]
    for key in typed.named:
        if key not in keys:
            raise UnknownName(f"argument of {typed.name}", key, keys)
        if key in ordered[: len(typed.values)]:
            raise BadValue(f"`{spec}` gives `{key}` twice", "Keep one of the two.")
    return (
        [_read(text, spec) for text in typed.values],
        {key: _read(text, spec) for key, text in typed.named.items()},
    )


def _read(text: str, spec: str) -> object:
    try:
        return read_number(text)
    except BadValue as error:
        raise BadValue(f"in `{spec}`: {error.what}", error.cure) from None
