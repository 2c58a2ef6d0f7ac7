"""The one table of dtypes against what their types say of themselves."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from mhat.dtypes import DTYPES
from mhat.engines.floats import NEAREST
from mhat.engines.small import numpy_dtype


@pytest.mark.parametrize("name", DTYPES)
def test_the_table_says_what_the_types_say(name: str) -> None:
    dtype, info = DTYPES[name], ml_dtypes.finfo(numpy_dtype(name))
    assert dtype.name == name == numpy_dtype(name).name
    assert dtype.size == numpy_dtype(name).itemsize
    assert dtype.epsilon == float(info.eps)
    assert dtype.smallest == float(info.smallest_subnormal)
    assert dtype.computed == ("float64" if dtype.size == 8 else "float32")
    assert dtype.small is (dtype.size == 2)


@pytest.mark.parametrize("name", DTYPES)
def test_what_is_usual_has_a_square(name: str) -> None:
    low, high = DTYPES[name].usual
    if name != "float64":
        assert 0 < NEAREST[name](low * low) < NEAREST[name](high * high) < np.inf


def test_there_is_a_rounding_for_each() -> None:
    assert list(NEAREST) == list(DTYPES) == ["float64", "float32", "float16", "bfloat16"]
