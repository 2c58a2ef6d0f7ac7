"""What torch does, operation by operation, through its dispatch. It imports torch where it is loaded already.

Tensors stay torch's own. Beside each storage lies which node each of its elements holds; what comes from elsewhere, or
was written where nobody looked, is found again by its value.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mhat.subjects.recording.arrays import plain_array, plain_asarray
from mhat.subjects.recording.formulas import FORMULAS, Formula, finished
from mhat.subjects.recording.numbers import wrapped
from mhat.subjects.recording.operations import compose
from mhat.subjects.recording.tape import Tape

LAYING = frozenset({
    "view", "select", "slice", "t", "transpose", "expand", "unsqueeze", "squeeze", "reshape", "detach", "alias",
    "as_strided", "permute", "_unsafe_view", "_reshape_alias", "split", "unbind", "narrow", "diagonal", "chunk",
    "split_with_sizes", "lift_fresh", "view_as", "flatten", "ravel", "unfold", "movedim",
})  # fmt: skip
COPYING = frozenset({"clone", "_to_copy", "copy", "contiguous", "to", "lift_fresh_copy"})
MAKING = frozenset({
    "zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "new_zeros", "new_ones",
    "new_empty", "new_full", "scalar_tensor", "arange", "empty_strided", "new_empty_strided", "zero", "fill",
    "_foreach_zero",
    "isfinite", "isnan", "is_same_size", "_local_scalar_dense", "eye", "tensor",
})  # fmt: skip
REDUCING = {
    "sum": "add", "mean": "mean", "norm": "norm", "linalg_vector_norm": "norm", "amax": "maximum", "max": "maximum",
    "amin": "minimum", "min": "minimum",
}  # fmt: skip


@contextlib.contextmanager
def recorded(tape: Tape) -> Iterator[None]:
    """Record what torch does, if it is there."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        yield
        return
    writer = Writer(tape, torch)

    def dispatched(mode: Any, function: Any, types: Any, inputs: Any = (), options: Any = None) -> Any:
        return writer.write(function, inputs, options or {})

    # Not a class statement: torch may not be there.
    mode = type("Recorder", (torch.utils._python_dispatch.TorchDispatchMode,), {"__torch_dispatch__": dispatched})
    plain = {name: getattr(torch.Tensor, name) for name in ("item", "tolist")}

    def item(tensor: Any) -> Any:
        return writer.given(plain["item"](tensor), tensor)

    def tolist(tensor: Any) -> Any:
        return writer.given(plain["tolist"](tensor), tensor)

    torch.Tensor.item, torch.Tensor.tolist = item, tolist
    try:
        with mode():
            yield
    finally:
        torch.Tensor.item, torch.Tensor.tolist = plain["item"], plain["tolist"]


def _listed(values: Any, ids: Any) -> Any:
    if isinstance(values, list):
        return [_listed(value, each) for value, each in zip(values, ids, strict=True)]
    return wrapped(values, ids)


class Writer:
    """Writes torch's operations on a tape."""

    def __init__(self, tape: Tape, torch: Any) -> None:
        self.tape = tape
        self.torch = torch
        self.tolist = torch.Tensor.tolist  # which is exchanged later
        self.shadows: dict[int, Any] = {}

    def write(self, function: Any, inputs: Any, options: Any) -> Any:
        """Compute an operation, and record it."""
        packet = getattr(function, "overloadpacket", None)
        whole = getattr(packet, "__name__", str(function))
        if not str(function).startswith("aten."):
            return function(*inputs, **options)
        name = whole.rstrip("_") if not whole.startswith("__") else whole
        each = name.removeprefix("_foreach_")
        if name in LAYING:
            return function(*inputs, **options)
        if name == "_local_scalar_dense":
            return self.asked(function(*inputs, **options), inputs[0])
        bound = self.bound(function, inputs, options)
        several = name.startswith("_foreach_")
        before = self.before(bound, several) if name not in MAKING else []
        result = function(*inputs, **options)
        if name in MAKING:
            return result
        targets = result if isinstance(result, list | tuple) else [result]
        if result is None:
            targets = bound[0] if several else [bound[0]]
        if not all(isinstance(target, self.torch.Tensor) for target in targets):
            return result
        place = self.tape.begin_event()
        for i, target in enumerate(targets):
            operands = [part[i] if several and isinstance(part, list) else part for part in before]
            self.made(each, operands, target, place, bound)
        return result

    def bound(self, function: Any, inputs: Any, options: Any) -> list[Any]:
        """Give the arguments in the order of the schema, defaults filled in."""
        found = []
        for i, argument in enumerate(function._schema.arguments):
            if i < len(inputs):
                found.append(inputs[i])
            elif argument.name in options:
                found.append(options[argument.name])
            else:
                found.append(argument.default_value)
        return found

    def before(self, bound: list[Any], several: bool) -> list[Any]:
        """Look the nodes of all arguments up; of lists of tensors each."""
        return [
            [self.nodes(each) for each in part] if several and isinstance(part, list | tuple) else self.nodes(part)
            for part in bound
        ]

    def nodes(self, value: Any) -> Any:
        """Give the nodes of a tensor in its shape, or of a number; anything else stays."""
        if isinstance(value, self.torch.Tensor):
            return self.ids(value)
        if isinstance(value, list | tuple) and any(isinstance(each, self.torch.Tensor) for each in value):
            return [self.nodes(each) for each in value]
        if isinstance(value, bool) or value is None or not isinstance(value, int | float):
            return value
        return plain_asarray(self.tape.of_value(float(value)))

    def ids(self, tensor: Any) -> Any:
        """Give the nodes of a tensor: each is checked by its value."""
        values = self.values(tensor)
        own = self.over(tensor)
        flat = own.ravel().tolist()
        checked = [self.tape.checked(node, value) for node, value in zip(flat, values, strict=True)]
        found = plain_array(checked, np.int64).reshape(tuple(tensor.shape))
        own[...] = found
        return found

    def values(self, tensor: Any) -> list[float]:
        """Give the elements of a tensor."""
        plain = tensor.detach().to(self.torch.float64).reshape(-1)
        return [float(value) for value in self.tolist(plain)]

    def over(self, tensor: Any) -> Any:
        """Give which nodes the elements of a tensor hold, to be read or written."""
        storage = tensor.untyped_storage()
        key, count = storage.data_ptr(), storage.nbytes() // max(tensor.element_size(), 1)
        shadow = self.shadows.get(key)
        if shadow is None or len(shadow) != count:
            shadow = self.shadows[key] = np.full(count, -1, np.int64)
        strides = tuple(stride * 8 for stride in tensor.stride())
        return np.lib.stride_tricks.as_strided(shadow[tensor.storage_offset() :], tuple(tensor.shape), strides)

    def given(self, value: Any, tensor: Any) -> Any:
        """Let the numbers that leave torch record."""
        if not tensor.is_floating_point():
            return value
        with self.torch.utils._python_dispatch._disable_current_modes():
            ids = self.ids(tensor)
        return _listed(value, ids.tolist())

    def asked(self, value: Any, tensor: Any) -> Any:
        """Note the way that is taken where a truth value is asked for."""
        if isinstance(value, bool):
            self.tape.begin_event()
            self.tape.branch(int(self.ids(tensor).flat[0]), value)
        return value

    def made(self, name: str, operands: list[Any], target: Any, place: int, bound: list[Any]) -> None:
        """Write what an element-by-element operation or a reduction has made."""
        if target.is_complex():
            return
        values = self.values(target)
        if name in COPYING:
            source = operands[1] if name == "copy" else operands[0]
            nodes = self.copied(source, target, values, place)
        elif name in REDUCING:
            nodes = self.reduced(name, operands, bound, values, place)
        elif name in ("dot", "mm", "matmul", "mv", "bmm"):
            nodes = self.products(operands, values, place)
        elif name == "index_put" and len(bound[1]) == 1 and bound[1][0].dtype == self.torch.bool:
            masked = [operands[1][0], operands[2], operands[0]]
            nodes = self.elementwise(FORMULAS["where"], masked, target, values, place)
        elif name in FORMULAS:
            nodes = self.elementwise(FORMULAS[name], operands, target, values, place)
        else:
            self.tape.note(f"torch's {name} is not recorded")
            nodes = [self.tape.of_value(value) for value in values]
        self.over(target)[...] = np.reshape(nodes, tuple(target.shape))

    def copied(self, source: Any, target: Any, values: list[float], place: int) -> list[int]:
        nodes = np.broadcast_to(source, tuple(target.shape)).ravel().tolist()
        self.tape.take_up(nodes[0] if nodes else -1)
        return [
            node if self.tape.values[node] == value or value != value else self.tape.add("cast", (node,), value, place)
            for node, value in zip(nodes, values, strict=True)
        ]

    def elementwise(
        self, formula: Formula, operands: list[Any], target: Any, values: list[float], place: int
    ) -> list[int]:
        shape = tuple(target.shape)
        flat = [
            np.broadcast_to(part, shape).ravel().tolist() if isinstance(part, np.ndarray) else [part] * len(values)
            for part in operands
        ]
        rows: Sequence[Any] = list(zip(*flat, strict=True))
        return [
            finished(self.tape, formula(self.tape, place, *row), value, place)
            for row, value in zip(rows, values, strict=True)
        ]

    def reduced(self, name: str, operands: list[Any], bound: list[Any], values: list[float], place: int) -> list[int]:
        """Write a reduction, over all of a tensor or over some of its dimensions."""
        ids = operands[0]
        dims = next((part for part in bound[1:] if isinstance(part, list | tuple)), None)
        if name in ("norm", "linalg_vector_norm") and not any(part in (2, 2.0) for part in bound[1:]):
            self.tape.note("a norm of another order is not recorded")
            return [self.tape.of_value(value) for value in values]
        axes = tuple(d % ids.ndim for d in dims) if dims else tuple(range(ids.ndim))
        kept = [axis for axis in range(ids.ndim) if axis not in axes]
        rows = ids.transpose(*kept, *axes).reshape(len(values), -1).tolist()
        return [
            compose(self.tape, f"{REDUCING[name]}.reduce", tuple(row), value, place)
            for row, value in zip(rows, values, strict=True)
        ]

    def products(self, operands: list[Any], values: list[float], place: int) -> list[int]:
        """Write products of matrices, element by element; of two vectors the sum of products."""
        left, right = operands[0], operands[1]
        if left.ndim == right.ndim == 1:
            pairs = zip(left.tolist(), right.tolist(), strict=True)
            parts = [self.tape.add("mul", (a, b), self.tape.values[a] * self.tape.values[b], place) for a, b in pairs]
            return [compose(self.tape, "add.reduce", tuple(parts), values[0], place)]
        self.tape.note("products of matrices are not folded yet")
        return [self.tape.of_value(value) for value in values]
