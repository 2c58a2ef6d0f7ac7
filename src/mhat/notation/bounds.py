"""Values of arguments, checked: numbers, counts and their bounds, each refused by its name. It knows no function."""

from __future__ import annotations

from numbers import Real

from mhat.errors import BadValue
from mhat.notation.specs import cut, written

# So many gradients of one number fit into the memory of most machines.
MOST_STEPS = 10**9


def number(name: str, value: object) -> float:
    """Return `value` as a float; nan and inf are numbers."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise BadValue(f"`{name}` is {_shown(value)}, which is no number", f"Give a number: {name}=0.5.")
    try:
        return float(value)
    except OverflowError:
        raise BadValue(f"`{name}` is a number that no float can hold", f"Give a smaller one, or {name}=inf.") from None


def positive(name: str, value: object) -> float:
    """Return `value` as a finite float above zero."""
    checked = number(name, value)
    if not 0 < checked < float("inf"):
        raise BadValue(f"`{name}` is {_shown(value)}", f"Give a finite number above zero: {name}=10.")
    return checked


def between(name: str, value: object, low: float, high: float) -> float:
    """Return `value` as a float from `low` to `high`, both included."""
    checked = number(name, value)
    if not low <= checked <= high:
        raise BadValue(f"`{name}` is {_shown(value)}", f"Give a number from {written(low)} to {written(high)}.")
    return checked


def whole(name: str, value: object, least: int = 0, most: int | None = None) -> int:
    """Return `value` as an int of at least `least`; 1e3 is whole, 2.5 is not."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or value < least or value != value // 1:  # type: ignore[operator]
        raise BadValue(f"`{name}` is {_shown(value)}", f"Give a whole number of at least {least}: {name}={least + 1}.")
    checked = int(value)
    if most is not None and checked > most:
        raise BadValue(f"`{name}` is {_shown(checked)}", f"Give a whole number from {least} to {most}.")
    return int(checked)


def count_steps(value: object) -> int:
    """Return `value` as a number of steps: whole, at least 1, and few enough to fit in memory."""
    return whole("steps", value, least=1, most=MOST_STEPS)


def _shown(value: object) -> str:
    try:
        return cut(written(value) if isinstance(value, Real | tuple) else repr(value))
    except ValueError:  # Python writes no whole number of more than some thousand digits
        return "a number of thousands of digits"
