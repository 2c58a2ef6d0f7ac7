"""JSON that every language reads: numbers that are not finite go out as words and come back."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhat.notation.strict_json import numbers_in, plain, text_of


def refuse(word: str) -> Any:
    raise AssertionError(f"{word} is no JSON")


@given(st.recursive(st.floats(), lambda inner: st.lists(inner, max_size=3), max_leaves=9))
def test_numbers_come_back_to_the_bit(value: Any) -> None:
    text = text_of(value)
    assert repr(numbers_in(json.loads(text, parse_constant=refuse))) == repr(value)


def test_anything_becomes_data() -> None:
    data = {"a": np.array([1.0, np.nan]), "b": (True, None, 3), "c": np.float32(0.5), "d": {"e": -math.inf}, "f": 1j}
    assert plain(data) == {"a": [1.0, "nan"], "b": [True, None, 3], "c": 0.5, "d": {"e": "-inf"}, "f": "1j"}
    assert text_of({"é": [1]}, indent=1) == '{\n "é": [\n  1\n ]\n}'


def test_words_of_other_languages_are_read() -> None:
    assert numbers_in(["Infinity", " -Infinity ", "INF"]) == [math.inf, -math.inf, math.inf]


@pytest.mark.parametrize(
    ("value", "kind"),
    [("one", ValueError), ([["1"]], ValueError), (True, TypeError), (None, TypeError), ({}, TypeError)],
)
def test_what_is_no_number_is_refused(value: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="is no number"):
        numbers_in(value)
