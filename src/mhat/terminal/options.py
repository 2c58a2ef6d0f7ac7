"""What is typed behind the options of the commands, understood. It runs nothing and prints nothing."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Sequence
from typing import Any

from mhat import landscapes, notation, schedules, streams
from mhat.errors import BadValue, UnknownName
from mhat.landscapes import Landscape


def gradients_of(
    rule: str, stream: str | None, landscape: str | None, steps: int | None, seedless: bool, stored: bool = False
) -> Any:
    """Find the gradients or the landscape that a rule is to run on; `stored`: what is in a file stays there."""
    if stream is not None and landscape is not None:
        raise BadValue("both a stream and a landscape are given", "Keep one of --stream and --landscape.")
    if stream is not None:
        found = stream_of(stream, steps, stored)
        return stream_of(_seeded(stream, streams), steps) if seedless else found
    if landscape is not None:
        place = landscape_of(landscape)
        return landscape_of(_seeded(landscape, landscapes)) if seedless else place
    raise BadValue(
        f"there is nothing to run {rule} on",
        "Give it gradients or a landscape:\n"
        f"    mhat trace {rule} --stream constant:10 --steps 100\n"
        f"    mhat trace {rule} --landscape rosenbrock --steps 2000",
    )


def stream_of(spec: str, steps: int | None = None, stored: bool = False) -> Any:
    """Find a stream by what is typed; raises UnknownName, BadValue, InputFileError."""
    try:
        return streams.stored_or_named(spec, steps) if stored else streams.named(spec, steps)
    except UnknownName as error:
        if error.kind == "stream" and error.typed in landscapes.names():
            raise BadValue(f"`{error.typed}` is a landscape", f"Write --landscape {spec}.") from None
        raise


def landscape_of(spec: str) -> Landscape:
    """Find a landscape by what is typed; raises UnknownName, BadValue."""
    try:
        return landscapes.named(spec)
    except UnknownName as error:
        if error.kind == "landscape" and error.typed in streams.names():
            raise BadValue(f"`{error.typed}` is a stream", f"Write --stream {spec}.") from None
        raise


def _seeded(spec: str, home: Any) -> str:
    """Add a seed drawn by chance to what names a stream or landscape, so that the draw can be repeated."""
    typed = notation.parse(spec)
    function = getattr(home, typed.name) if typed.name in home.names() else None
    if function is None or "seed" not in inspect.signature(function).parameters:
        raise BadValue(f"`{spec}` takes no seed", "Leave --seedless out: there is no chance in it.")
    if "seed" in typed.named:
        raise BadValue(f"`{spec}` has a seed", "Leave out the seed, or --seedless.")
    separator = "," if typed.values or typed.named else ":"
    return f"{spec.rstrip(' :')}{separator}seed={secrets.randbelow(2**31)}"


def knobs_of(typed: Sequence[str]) -> dict[str, Any]:
    """Read what is typed behind -k: numbers, lists of numbers (a sweep), true, false, none, words. Raises BadValue.

    A word can only be an option of somebody's constructor, or a schedule (`lr=warmup_cosine:1e-3,warmup=10`); another
    one is refused by the verb for a knob.

    >>> knobs_of(["eps=1e-3", "beta2=0.9,0.99", "amsgrad=true", "foreach=none"])
    {'eps': 0.001, 'beta2': [0.9, 0.99], 'amsgrad': True, 'foreach': None}
    """
    knobs: dict[str, Any] = {}
    for text in typed:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise BadValue(f"`-k {text}` is not NAME=VALUE", "Write -k lr=0.01, or a list to sweep it: -k lr=0.01,0.1.")
        if name in knobs:
            raise BadValue(f"the knob `{name}` is given twice", f"To sweep it, give one list: -k {name}=0.1,0.2.")
        parts = [_value(f"-k {text}", part) for part in _apart(values)]
        knobs[name] = parts[0] if len(parts) == 1 else parts
    return knobs


def _apart(values: str) -> list[str]:
    """Part values at their commas; what stands behind the name of a schedule, up to the next one, is its own.

    >>> _apart("0.1,cosine:1e-3,steps=50,linear:1e-3")
    ['0.1', 'cosine:1e-3,steps=50', 'linear:1e-3']
    """
    parts: list[str] = []
    for part in (each.strip() for each in values.split(",")):
        # An unnamed value stands before the named ones.
        own = "=" in part or (parts and "=" not in parts[-1])
        if parts and own and schedules.is_named(parts[-1]) and not schedules.is_named(part):
            parts[-1] += f"{',' if ':' in parts[-1] else ':'}{part}"
        else:
            parts.append(part)
    return parts


def _value(typed: str, part: str) -> Any:
    words = {"true": True, "false": False, "none": None}
    if not part:
        raise BadValue(f"in `{typed}`: a number is missing", "Write numbers such as 10, 0.5 or 1e-3.")
    if part.lower() in words:
        return words[part.lower()]
    for convert in (int, float):
        try:
            return convert(part)
        except ValueError:
            continue
    return part


def start_of(typed: str | None) -> float | list[float] | None:
    """Read a start as it is typed. Raises BadValue.

    >>> start_of("-1.5,2"), start_of("3")
    ([-1.5, 2.0], 3.0)
    """
    if typed is None:
        return None
    numbers = _numbers(f"--start={typed}", typed)
    return numbers[0] if len(numbers) == 1 else numbers


def _numbers(typed: str, values: str) -> list[float]:
    numbers = []
    for part in values.split(","):
        try:
            numbers.append(float(part))
        except ValueError:
            what = f"`{part.strip()}` is no number" if part.strip() else "a number is missing"
            raise BadValue(f"in `{typed}`: {what}", "Write numbers such as 10, 0.5 or 1e-3.") from None
    return numbers


def size_of(typed: str | None) -> tuple[float, float] | None:
    """Read a size in inches as it is typed. Raises BadValue.

    >>> size_of("8x5.5")
    (8.0, 5.5)
    """
    if typed is None:
        return None
    width, _, height = typed.lower().partition("x")
    try:
        return float(width), float(height)
    except ValueError:
        raise BadValue(f"`--size {typed}` is no width and height", "Write inches: --size 8x5.") from None


def columns_of(typed: str | None) -> dict[str, str] | None:
    """Read which columns of a record stand for what. Raises BadValue.

    >>> columns_of("g=grad/w0, x=w0")
    {'g': 'grad/w0', 'x': 'w0'}
    """
    if typed is None:
        return None
    pairs = [part.strip().partition("=") for part in typed.split(",") if part.strip()]
    columns = {what.strip(): name.strip() for what, _, name in pairs if name.strip()}
    if len(columns) < len(pairs) or not set(columns) <= {"g", "x", "step", "tensor", "i"} or "g" not in columns:
        raise BadValue(f"`--columns {typed}` does not say what stands where", "Write --columns g=COLUMN,x=COLUMN.")
    return columns


def names_of(option: str, typed: str | None) -> list[str]:
    """Read names between commas; none where the option is not given. Raises BadValue.

    >>> names_of("--keep", "m_hat, v_hat")
    ['m_hat', 'v_hat']
    """
    names = list(dict.fromkeys(part.strip() for part in (typed or "").split(",") if part.strip()))
    if typed is not None and not names:
        raise BadValue(f"{option} names nothing", f"Write names between commas: {option} m_hat,v_hat.")
    return names


def check_names(kind: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse names that are not known; raises UnknownName."""
    for name in names:
        if name not in known:
            raise UnknownName(kind, name, known)
