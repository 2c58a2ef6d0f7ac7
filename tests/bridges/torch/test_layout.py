"""Many tensors read at once: right ones are found, the first wrong one is named, and no layout is trusted unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from mhat.bridges.torch.ways import layout as layouts
from mhat.bridges.torch.ways.layout import KINDS, layout, numbers_of
from mhat.engines.kernels.addresses import ALL, UNMOVED, Layout, gather_gradients, gather_tensors, strided, tell_changed

SHAPES: list[tuple[int, ...]] = [(2, 3), (), (5,), (0,), (1, 1, 4), (2, 1, 2, 1, 2, 3), (4, 3, 2, 2)]


def known() -> Layout:
    found = layout()
    assert found is not None
    return found


def plain(dtype: torch.dtype = torch.float32) -> list[Any]:
    made: list[Any] = [torch.zeros(shape, dtype=dtype) for shape in SHAPES]
    made[-1] = made[-1].to(memory_format=torch.channels_last)
    made[2] = torch.zeros(100, dtype=dtype)[10:15]
    made[0] = torch.nn.Parameter(made[0])
    return made


class Reader:
    """Reads lists that should be like the plain ones."""

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        tensors = plain(dtype)
        self.numbers = numbers_of(dtype, known())
        self.wanted = strided(SHAPES, [tensor.stride() for tensor in tensors])
        self.found, self.there = np.zeros(len(SHAPES), np.int64), np.zeros(len(SHAPES), np.bool_)

    def read(self, tensors: list[Any]) -> int:
        return gather_tensors(tensors, KINDS, known(), self.numbers, self.wanted, self.found, self.there)

    def read_gradients(self, tensors: list[Any]) -> int:
        return gather_gradients(tensors, known(), self.numbers, self.wanted, self.found, self.there)


@pytest.mark.parametrize("dtype", layouts.DTYPES, ids=str)
def test_the_addresses_of_right_tensors(dtype: torch.dtype) -> None:
    tensors, reader = plain(dtype), Reader(dtype)
    assert [reader.read(tensors), reader.read(list(tensors))] == [ALL, UNMOVED]
    # Where nothing is, torch names no address.
    for address, tensor in zip(reader.found.tolist(), tensors, strict=True):
        assert address == tensor.data_ptr() or tensor.numel() == 0
    assert reader.there.all()


def test_what_has_moved_or_gone_is_said() -> None:
    tensors, reader = plain(), Reader()
    reader.read(tensors)
    held, tensors[2] = tensors[2], torch.zeros(5)
    assert reader.read(tensors) == ALL
    assert reader.found[2] == tensors[2].data_ptr() != held.data_ptr()
    tensors[2].data = torch.ones(5)
    assert (reader.read(tensors), reader.found[2]) == (ALL, tensors[2].data_ptr())
    tensors[4] = None
    assert [reader.read(tensors), reader.read(tensors)] == [ALL, UNMOVED]
    assert reader.there.tolist() == [True] * 4 + [False] + [True] * 2


class Own(torch.Tensor):
    """A tensor that may mean anything."""


WRONG: dict[str, tuple[int, Callable[[], Any]]] = {
    "another dtype": (0, lambda: torch.zeros(2, 3, dtype=torch.float64)),
    "another shape": (0, lambda: torch.zeros(3, 2)),
    "more dimensions": (0, lambda: torch.zeros(1, 2, 3)),
    "other strides": (0, lambda: torch.zeros(3, 2).t()),
    "other strides of many dimensions": (5, lambda: torch.zeros(2, 1, 2, 1, 3, 2).transpose(4, 5)),
    "contiguous, not channels last": (6, lambda: torch.zeros(4, 3, 2, 2)),
    "sparse": (0, lambda: torch.zeros(2, 3).to_sparse()),
    "without memory": (0, lambda: torch.zeros(2, 3, device="meta")),
    "negated when it is read": (0, lambda: torch._neg_view(torch.zeros(2, 3))),
    "of a class of its own": (0, lambda: torch.zeros(2, 3).as_subclass(Own)),
    "an array": (0, lambda: np.zeros((2, 3), np.float32)),
    "a number": (1, lambda: 0.0),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_tensor_is_named(wrong: str) -> None:
    place, make = WRONG[wrong]
    tensors, reader = plain(), Reader()
    tensors[place] = make()
    assert reader.read(tensors) == place
    if type(tensors[place]) is torch.Tensor:
        holders = [torch.zeros(shape).requires_grad_() for shape in SHAPES]
        holders[place] = torch.zeros_like(tensors[place]).requires_grad_()
        holders[place].grad = tensors[place]
        assert reader.read_gradients(holders) == place


def test_a_list_of_another_length_is_not_read() -> None:
    tensors, reader = plain(), Reader()
    assert [reader.read(some) for some in (tensors[:4], [], [*tensors, tensors[0]])] == [0, 0, 0]
    assert reader.read_gradients(tensors[:4]) == 0


def test_gradients_are_read_from_the_tensors_that_hold_them() -> None:
    tensors, reader = plain(), Reader()
    # Tensors that never asked for a gradient, one whose gradient is still to come, one that backward made.
    holders = [tensor.detach().requires_grad_(i != 3) for i, tensor in enumerate(tensors)]
    sum((each**2).sum() for i, each in enumerate(holders) if i != 1).backward()
    assert [reader.read_gradients(holders), reader.read_gradients(holders)] == [ALL, UNMOVED]
    assert reader.there.tolist() == [True, False, True, False, True, True, True]
    for i in (0, 2, 4, 5, 6):
        assert reader.found[i] == holders[i].grad.data_ptr()
    for each in holders:
        each.grad = None
    assert (reader.read_gradients(holders), bool(reader.there.any())) == (ALL, False)


def test_a_change_that_is_told_is_counted_by_all_that_share_the_memory() -> None:
    tensors = plain()
    shares, before = tensors[0].view(-1).detach(), [tensor._version for tensor in tensors]
    tell_changed(tensors, known())
    tell_changed(tensors, known())
    assert [tensor._version for tensor in tensors] == [version + 2 for version in before]
    assert shares._version == tensors[0]._version
    with torch.inference_mode():
        counts_nothing = torch.zeros(3)
    tell_changed([counts_nothing], known())


def test_where_a_word_is_not_found_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layout.__wrapped__() == known()
    monkeypatch.setattr(layouts, "TENSOR", 12)
    assert layout.__wrapped__() is None
    monkeypatch.undo()
    monkeypatch.setattr(torch, "__version__", "3.0.0")
    assert layout.__wrapped__() is None
    monkeypatch.undo()
    monkeypatch.delattr(torch._C, "_dispatch_keys")
    assert layout.__wrapped__() is None


# Those that are no pointers: a wrong pointer must never be followed.
MOVED = {"dimensions": -8, "offset": -8, "dtype": -8, "keys": -8, "inline": 1, "plain": 1, "undefined": 1}


@pytest.mark.parametrize("word", MOVED)
def test_a_layout_that_is_wrong_in_a_word_is_not_trusted(word: str) -> None:
    right = known()
    assert layouts._holds(right)
    assert not layouts._holds(right._replace(**{word: getattr(right, word) + MOVED[word]}))
