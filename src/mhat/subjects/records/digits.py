"""How far a number that was written down may lie from what it was: by its digits, or by the type it was stored in.

It knows no record and no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mhat.dtypes import DTYPES

Array = np.ndarray[Any, Any]
# With so many digits a double is written whole.
WHOLE = 16
# A shortest text of a single-precision number has no more; of so many texts most must be one.
SINGLE, MOST = 9, 0.9


def half_units(cells: Sequence[Any]) -> Array:
    """Give half a unit of the last place that was written, for each cell of a column; 0 where it is written whole.

    Trailing zeros are lost by most printers, so the digits of a column are those of its longest cells.

    >>> half_units(["0.5", "1.25", "1000.125"]).tolist()
    [0.0005, 0.0005, 0.0005]
    >>> half_units(["1.23457e-05", "0.123457"]).tolist()
    [5e-11, 5e-07]
    """
    read = [_digits(str(cell)) for cell in cells]
    written = [each for each in read if each is not None]
    if not written:
        return np.zeros(len(cells))
    significant = max(digits for digits, _, _ in written)
    if significant >= WHOLE:
        return np.zeros(len(cells))
    decimals = max(places for _, places, _ in written)
    fixed = _is_fixed(written, significant, decimals)
    halves = np.zeros(len(cells))
    for row, each in enumerate(read):
        if each is not None:
            _, _, exponent = each
            halves[row] = 0.5 * 10.0 ** (-decimals if fixed else exponent - significant + 1)
    return halves


def _is_fixed(written: Sequence[tuple[int, int, int]], significant: int, decimals: int) -> bool:
    """Whether a column was written with so many places behind the point, and not with so many digits."""
    # Of numbers of one size both are the same; the sizes tell them apart.
    with_places = sum(places == decimals for _, places, _ in written)
    with_digits = sum(digits == significant for digits, _, _ in written)
    return with_places > with_digits or (with_places == with_digits and decimals < significant)


def _digits(text: str) -> tuple[int, int, int] | None:
    """Give how many digits a number has, how many places behind the point, and the power of ten of its first digit."""
    body, _, power = text.strip().lower().lstrip("+-").partition("e")
    try:
        value, shift = float(text), int(power or 0)
    except ValueError:
        return None
    if not np.isfinite(value) or value == 0:
        return None
    whole, _, part = body.partition(".")
    digits = (whole + part).lstrip("0")
    first = len(whole.lstrip("0")) - 1 if whole.lstrip("0") else -(len(part) - len(part.lstrip("0"))) - 1
    return len(digits), max(len(part) - shift, 0), first + shift


def is_single(cells: Sequence[Any], values: Array) -> bool:
    """Whether a column is written as the shortest texts of single-precision numbers."""
    finite = [
        (str(cell), float(value)) for cell, value in zip(cells, values, strict=True) if np.isfinite(value) and value
    ]
    if not finite or not any((_digits(cell) or (0,))[0] > 6 for cell, _ in finite):
        return False
    same = sum(float(str(np.float32(value))) == value or float(np.float32(value)) == value for _, value in finite)
    return same >= MOST * len(finite)


def stored_halves(values: Array) -> Array:
    """Give half a unit of the last place in the type that an array is stored in; 0 for doubles."""
    row = next((row for row in DTYPES.values() if row.name == str(values.dtype)), None)
    numbers = np.asarray(values, np.float64)
    if row is None or row.name == "float64":
        return np.zeros(numbers.shape)
    return np.asarray(np.maximum(0.5 * row.epsilon * np.abs(numbers), 0.5 * row.smallest))
