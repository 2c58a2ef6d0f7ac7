"""Where the words of a tensor stand in this build of torch, so that compiled code can read a thousand of them.

Nothing is assumed that can be seen: each word is looked for in tensors made for it, whose numbers are known, and what
was found is tried out before anybody relies on it. Where it is not found out, tensors are read one by one. It knows no
rule and no kernel.
"""

from __future__ import annotations

import ctypes
import platform
import sys
import sysconfig
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch

from mhat.engines.kernels.addresses import (
    ALL,
    CAN_READ,
    UNMOVED,
    Layout,
    Numbers,
    gather_gradients,
    gather_tensors,
    strided,
    tell_changed,
)

WORD = 8
# What can be read of each for certain: a tensor, a storage and what is owned are larger in every build since 2.0.
TENSOR, STORAGE, OWNED = 22, 8, 12
INLINE = 5
# Behind its table of functions and its count of references an object of torch begins.
COUNT = 2
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
KINDS = (id(torch.Tensor), id(torch.nn.Parameter))


@cache
def layout() -> Layout | None:
    """Find out where the words of a tensor stand; None where it cannot be."""
    known = (
        CAN_READ
        and platform.python_implementation() == "CPython"
        and sys.maxsize == 2**63 - 1
        and sys.byteorder == "little"
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and torch.__version__.partition(".")[0] == "2"
    )
    # What a build lacks is the same as what is not found.
    try:
        found = _found() if known else None
        return found if found is not None and _holds(found) else None
    except (AttributeError, LookupError, ValueError):
        return None


def numbers_of(dtype: torch.dtype, where: Layout) -> Numbers:
    """Give what stands for a dtype in tensors, and its size."""
    probe = torch.empty(0, dtype=dtype)
    return Numbers(_words(probe._cdata + where.dtype, 1)[0] & 0xFFFF, dtype.itemsize)


def _found() -> Layout:
    """Look for every word; raises LookupError where one is not found, or found twice."""
    probes = _probes()
    bodies = [_words(id(probe), torch.Tensor.__basicsize__ // WORD) for probe in probes]
    body = _only(bodies, [probe._cdata for probe in probes])
    tensors = [_words(probe._cdata, TENSOR) for probe in probes]
    storages = [probe.untyped_storage() for probe in probes]
    data = _only([_words(each._cdata, STORAGE) for each in storages], [each.data_ptr() for each in storages])
    dimensions = _first(range(3, TENSOR - 2 * INLINE), lambda i: all(map(_has_shape(i), tensors, probes)))
    offset = _only(tensors, [int(probe.storage_offset()) for probe in probes], dimensions + 1)
    keys = _only(tensors, [torch._C._dispatch_keys(probe).raw_repr() for probe in probes], offset)
    dtype = _first(range(offset, keys), _tells_dtypes)
    without, with_one, another = (torch.ones(3, requires_grad=given) for given in (False, True, True))
    asked = zip(*(_words(each._cdata, dimensions) for each in (without, with_one, another)), strict=True)
    # Followed as a pointer, so there must be no doubt.
    (owned,) = [place for place, words in enumerate(asked) if _is_owned(*words)]
    holders = [_words(each._cdata, TENSOR)[owned] for each in (with_one, another)]
    undefined = [_words(holder, OWNED) for holder in holders]
    for each in (with_one, another):
        each.grad = torch.ones(3)
    gradient = _only([_words(holder, OWNED) for holder in holders], [_grad(each) for each in (with_one, another)])
    if undefined[0][gradient] != undefined[1][gradient]:
        raise LookupError("gradient")
    versions = _versions(dimensions)
    places = (body, _only(tensors, [each._cdata for each in storages]), owned, dimensions)
    named = zip(("body", "storage", "owned", "dimensions"), places, strict=True)
    return Layout(
        **{name: WORD * place for name, place in named},
        inline=INLINE,
        offset=WORD * offset,
        dtype=WORD * dtype,
        keys=WORD * keys,
        data=WORD * data,
        gradient=WORD * gradient,
        versions=WORD * versions,
        version=WORD * COUNT,
        plain=tensors[0][keys],
        undefined=undefined[0][gradient],
    )


def _versions(dimensions: int) -> int:
    """Find what counts the changes of a tensor: an object behind its head, as storages and what is owned are."""
    few, many = torch.zeros(3), torch.zeros(3)
    for _ in range(11):
        many.add_(1)
    few.add_(1)
    asked = zip(*(_words(each._cdata, dimensions) for each in (few, many)), strict=True)
    (found,) = [
        place
        for place, words in enumerate(asked)
        if place > 1 and all(map(_is_pointer, words))
        and [_words(word, COUNT + 1)[COUNT] & 0xFFFFFFFF for word in words] == [few._version, many._version]
    ]  # fmt: skip
    return found


def _probes() -> list[torch.Tensor]:
    """Make tensors no number of which is another's; the memory of one of them belongs to NumPy."""
    line = torch.zeros(9000)
    return [
        line[123 : 123 + 1001].view(7, 11, 13).transpose(0, 1),
        line[457 : 457 + 8 * 323].view(17, 19, 8)[:, :, 3],
        torch.from_numpy(np.zeros(6000, np.float32))[779 : 779 + 5 * 667].view(23, 29, 5)[..., 2],
    ]


def _words(address: int, count: int) -> list[int]:
    return list((ctypes.c_int64 * count).from_address(address))


def _only(of: Sequence[Sequence[int]], wanted: Sequence[int], first: int = 0) -> int:
    """Give the first place that holds, in each, what is wanted."""
    places = range(first, min(map(len, of)))
    return _first(places, lambda i: all(words[i] == value for words, value in zip(of, wanted, strict=True)))


def _first(places: Sequence[int], is_right: Callable[[int], bool]) -> int:
    for place in places:
        if is_right(place):
            return place
    raise LookupError("a word of a tensor")


def _has_shape(at: int) -> Callable[[Sequence[int], torch.Tensor], bool]:
    def has(words: Sequence[int], probe: torch.Tensor) -> bool:
        n, strides_at = probe.dim(), at + 1 + INLINE
        shape, strides = list(words[at + 1 : at + 1 + n]), list(words[strides_at : strides_at + n])
        return (words[at], shape, strides) == (n, list(probe.shape), list(probe.stride()))

    return has


def _tells_dtypes(place: int) -> bool:
    """Whether two bytes there are the same for tensors of one dtype, and others for those of another."""
    codes = [[_words(torch.empty(n, dtype=d)._cdata, TENSOR)[place] & 0xFFFF for n in (1, 4)] for d in DTYPES]
    return all(len(set(each)) == 1 for each in codes) and len({each[0] for each in codes}) == len(DTYPES)


def _is_owned(without: int, one: int, another: int) -> bool:
    """Whether this is a pointer that tensors have which ask for a gradient, and others do not."""
    return without == 0 and one != another and _is_pointer(one) and _is_pointer(another)


def _is_pointer(word: int) -> bool:
    return 1 << 16 < word < 1 << 47 and word % WORD == 0


def _grad(tensor: torch.Tensor) -> int:
    assert tensor.grad is not None
    return int(tensor.grad._cdata)


def _holds(where: Layout) -> bool:
    """Try it out: right tensors are read, and each wrong one is seen."""
    shapes: list[tuple[int, ...]] = [(2, 3), (), (5,), (2, 1, 2, 1, 2, 3)]
    right: list[Any] = [torch.zeros(shape) for shape in shapes]
    right[0] = torch.zeros(4, 3, requires_grad=True).detach()[1:3].requires_grad_()
    wanted = strided(shapes, [tensor.stride() for tensor in right])
    numbers, found, there = numbers_of(torch.float32, where), np.zeros(4, np.int64), np.zeros(4, np.bool_)

    def read(tensors: list[Any]) -> int:
        return gather_tensors(tensors, KINDS, where, numbers, wanted, found, there)

    said = [read(right), read(right)]
    lay = found.tolist() == [tensor.data_ptr() for tensor in right] and bool(there.all())
    wrong = [
        torch.zeros(2, 3, dtype=torch.float64), torch.zeros(3, 2).t(), torch.zeros(6), torch.zeros(2, 3).to_sparse(),
        torch.zeros(2, 3, device="meta"), torch._neg_view(torch.zeros(2, 3)), torch.zeros(2, 3, dtype=torch.int32),
    ]  # fmt: skip
    seen = [read([each, *right[1:]]) for each in wrong] + [read(right[:3]), read([*right, right[0]])]
    before = [tensor._version for tensor in right]
    tell_changed(right, where)
    told = [tensor._version - was for tensor, was in zip(right, before, strict=True)] == [1] * len(right)
    last = [read([*right[:3], torch.zeros(2, 1, 2, 1, 3, 2).transpose(4, 5)]), read([right[0], None, *right[2:]])]
    tensors_hold = said == [ALL, UNMOVED] and lay and told and not any(seen) and last == [3, ALL]
    return tensors_hold and _holds_for_gradients(where, numbers)


def _holds_for_gradients(where: Layout, numbers: Numbers) -> bool:
    tensors = [torch.zeros(3, requires_grad=i != 1) for i in range(3)]
    tensors[0].grad = torch.zeros(9)[4:7]
    wanted = strided([(3,)] * 3, [(1,)] * 3)
    found, there = np.zeros(3, np.int64), np.zeros(3, np.bool_)

    def read() -> int:
        return gather_gradients(tensors, where, numbers, wanted, found, there)

    said = [read(), read()]
    lay = (found.tolist(), there.tolist()) == ([tensors[0].grad.data_ptr(), 0, 0], [True, False, False])
    tensors[0].grad, tensors[2].grad = None, torch.zeros(3)
    said.append(read())
    lay = lay and (found.tolist(), there.tolist()) == ([0, 0, tensors[2].grad.data_ptr()], [False, False, True])
    tensors[2].grad = torch.zeros(6)[::2]
    return lay and [*said, read()] == [ALL, UNMOVED, ALL, 2]
