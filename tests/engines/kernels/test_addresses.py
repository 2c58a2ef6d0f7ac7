"""Many arrays read at once: right ones are found, the first wrong one is named, and no layout is trusted unseen."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import mhat
from mhat.engines.kernels import addresses
from mhat.engines.kernels.addresses import ALL, UNMOVED, WRITTEN, Shapes, address_of, gather

FLOAT = np.dtype(np.float32)
SHAPES = [(2, 3), (), (5,), (0,), (1, 1, 4)]


def gathered(arrays: list[Any], dtype: np.dtype[Any] = FLOAT) -> tuple[int, list[int]]:
    found = np.full(len(SHAPES), -7, np.int64)
    return gather(arrays, dtype, Shapes(SHAPES), found), found.tolist()


def plain(dtype: np.dtype[Any] = FLOAT) -> list[Any]:
    return [np.zeros(shape, dtype) for shape in SHAPES]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, ml_dtypes.bfloat16])
def test_the_addresses_of_right_arrays(dtype: Any) -> None:
    arrays = plain(np.dtype(dtype))
    assert gathered(arrays, np.dtype(dtype)) == (ALL, [address_of(array) for array in arrays])


def test_views_are_read_where_they_begin() -> None:
    arrays = plain()
    home = np.zeros(100, FLOAT)
    arrays[2] = home[10:15]
    arrays[0] = home[20:26].reshape(2, 3)
    at, found = gathered(arrays)
    assert at == ALL
    assert found[2] == address_of(home) + 40


def test_arrays_that_lie_where_they_lay() -> None:
    arrays, found = plain(), np.zeros(len(SHAPES), np.int64)
    shapes = Shapes(SHAPES)
    assert [gather(list(arrays), FLOAT, shapes, found) for _ in range(3)] == [ALL, UNMOVED, UNMOVED]
    held, arrays[2] = arrays[2], np.zeros(5, FLOAT)
    assert gather(arrays, FLOAT, shapes, found) == ALL
    assert found[2] == address_of(arrays[2]) != address_of(held)
    assert gather(arrays, FLOAT, shapes, found) == UNMOVED


def test_a_list_of_another_length_is_not_read() -> None:
    arrays = plain()
    assert gathered(arrays[:4]) == (0, [-7] * 5)
    assert gathered([]) == (0, [-7] * 5)
    assert gathered([*arrays, arrays[0]]) == (0, [-7] * 5)


def test_arrays_that_are_to_be_written() -> None:
    arrays, found, shapes = plain(), np.zeros(len(SHAPES), np.int64), Shapes(SHAPES)
    assert gather(arrays, FLOAT, shapes, found, WRITTEN) == ALL
    arrays[3].setflags(write=False)
    assert gather(arrays, FLOAT, shapes, found, WRITTEN) == 3
    assert gather(arrays, FLOAT, shapes, found) == UNMOVED


class Own(np.ndarray[Any, Any]):
    """An array of another class, which may mean something else."""


WRONG = {
    "None": None,
    "a float": 1.0,
    "another dtype": np.zeros((2, 3)),
    "another shape": np.zeros((3, 2), FLOAT),
    "fewer dimensions": np.zeros(6, FLOAT),
    "more dimensions": np.zeros((1, 2, 3), FLOAT),
    "Fortran order": np.zeros((3, 2), FLOAT).T,
    "every second": np.zeros((2, 6), FLOAT)[:, ::2],
    "backwards": np.zeros((2, 3), FLOAT)[::-1],
    "misaligned": np.zeros(25, np.uint8)[1:].view(FLOAT).reshape(2, 3),
    "a class of its own": np.zeros((2, 3), FLOAT).view(Own),
    "the other byte order": np.zeros((2, 3), ">f4"),
    "a list": [[0.0] * 3] * 2,
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("place", [0, 3])
def test_the_first_array_that_is_not_as_wanted(what: str, place: int) -> None:
    arrays = plain()
    arrays[place] = WRONG[what]
    assert gathered(arrays)[0] == place
    arrays[4] = None
    assert gathered(arrays)[0] == place


def test_objects_of_this_python_can_be_read() -> None:
    assert addresses._readable()


def test_where_objects_cannot_be_read_arrays_are_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_readable", lambda: False)
    arrays = plain()
    assert gathered(arrays)[0] == 0
    weights = [np.zeros(3), np.ones((2, 2))]
    opt = mhat.Optimizer("sgd", weights, lr=0.5)
    opt.step([np.ones(3), np.eye(2)])
    assert [w.tolist() for w in weights] == [[-0.5] * 3, [[0.5, 1.0], [1.0, 0.5]]]


@pytest.mark.parametrize(
    "change", [("python_implementation", lambda: "PyPy"), ("sysconfig", None), ("numpy", None), ("maxsize", None)]
)
def test_other_pythons_are_not_read(change: tuple[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    name, value = change
    if name == "python_implementation":
        monkeypatch.setattr(addresses.platform, name, value)
    elif name == "sysconfig":
        monkeypatch.setattr(addresses.sysconfig, "get_config_var", lambda name: 1)
    elif name == "numpy":
        monkeypatch.setattr(addresses.np, "__version__", "3.0.0")
    else:
        monkeypatch.setattr(addresses.sys, name, 2**31 - 1)
    assert not addresses._readable.__wrapped__()


def test_a_layout_that_does_not_hold_is_seen_on_known_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (lambda *given: -1, lambda *given: 0):
        monkeypatch.setattr(addresses, "_gather", wrong)
        assert not addresses._readable.__wrapped__()
