"""Data as JSON that every language reads: what is not finite is one of the texts nan, inf and -inf. It knows no array.

Python's own `json` writes `NaN` and `Infinity`, which JSON does not have.
"""

from __future__ import annotations

import json
import math
from typing import Any

WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "infinity": math.inf, "-infinity": -math.inf}


def plain(value: Any) -> Any:
    """Make data that JSON can hold: a tuple or an array becomes a list, what JSON has no word for a text.

    >>> plain({"lr": (0.1, float("-inf"))})
    {'lr': [0.1, '-inf']}
    """
    if isinstance(value, str | bool | None):
        return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, int | str | None) else str(value)


def text_of(value: Any, indent: int | None = None) -> str:
    """Write data as JSON.

    >>> text_of({"eps": float("inf")})
    '{"eps": "inf"}'
    """
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def data_in(text: object) -> Any:
    """Read JSON, Python's own `NaN` and `Infinity` too; raises ValueError for what is none.

    >>> data_in('{"eps": "inf"}')
    {'eps': 'inf'}
    """
    try:
        return json.loads(str(text))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def numbers_in(value: Any) -> Any:
    """Give the floats of a number, of one of the words, or of lists of them; raises TypeError or ValueError.

    >>> numbers_in([1, "-inf", [2.5]])
    [1.0, -inf, [2.5]]
    """
    if isinstance(value, list):
        return [numbers_in(each) for each in value]
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in WORDS:
            raise ValueError(f"`{value[:40]}` is no number")
        return WORDS[word]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:40]} is no number")
    return float(value)
