"""What jax does, primitive by primitive, where it does not compile. It imports jax where it is loaded already.

While a tape is written nothing is compiled, and each primitive is heard of when it is bound. Arrays of jax never
change, so that each has its nodes for good.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from mhat.subjects.recording.arrays import Ids, plain_array, plain_asarray
from mhat.subjects.recording.formulas import FORMULAS, Formula, finished, operated
from mhat.subjects.recording.operations import compose
from mhat.subjects.recording.tape import Tape

RENAMED = {
    "max": "maximum", "min": "minimum", "integer_pow": "pow", "logistic": "sigmoid", "rem": "remainder",
    "select_n": "where", "not": "logical_not", "and": "logical_and", "or": "logical_or",
}  # fmt: skip
REDUCING = {"reduce_sum": "add", "reduce_max": "maximum", "reduce_min": "minimum", "reduce_and": "logical_and",
            "reduce_or": "logical_or"}  # fmt: skip
SAME = frozenset(
    {"convert_element_type", "copy", "copy_p", "stop_gradient", "device_put", "sharding_constraint", "stage"}
)
MAKING = frozenset({"iota", "random_bits", "threefry2x32", "empty"})
THROUGH = frozenset({"pjit", "jit", "custom_jvp_call", "custom_vjp_call", "closed_call", "core_call", "cond", "scan",
                     "while"})  # fmt: skip


@contextlib.contextmanager
def recorded(tape: Tape) -> Iterator[None]:
    """Record what jax does, if it is there."""
    jax = sys.modules.get("jax")
    core = sys.modules.get("jax._src.core")
    if jax is None or core is None:
        yield
        return
    writer = Writer(tape, core)
    plain = core.Primitive.bind

    def bind(primitive: Any, *inputs: Any, **options: Any) -> Any:
        return writer.write(plain, primitive, inputs, options)

    core.Primitive.bind = bind
    try:
        with jax.disable_jit():
            yield
    finally:
        core.Primitive.bind = plain


def _is_key(value: Any) -> bool:
    return hasattr(value, "dtype") and not hasattr(value.dtype, "kind")


class Writer:
    """Writes jax's primitives on a tape."""

    def __init__(self, tape: Tape, core: Any) -> None:
        self.tape = tape
        self.core = core
        self.known: dict[int, tuple[Ids, Any]] = {}
        self.deep = False

    def write(self, plain: Any, primitive: Any, inputs: Any, options: dict[str, Any]) -> Any:
        """Compute a primitive, and record it."""
        name = str(primitive.name)
        result = plain(primitive, *inputs, **options)
        if self.deep or name in THROUGH or any(isinstance(each, self.core.Tracer) for each in (*inputs, result)):
            return result
        if isinstance(result, list | tuple) or not hasattr(result, "dtype"):
            return result
        # Keys of random numbers have a dtype of their own.
        if any(map(_is_key, (*inputs, result))) or result.dtype.kind not in "bfiu":
            return result
        self.deep = True
        try:
            self.made(name, inputs, options, result)
        finally:
            self.deep = False
        return result

    def ids(self, value: Any) -> Ids:
        """Give the nodes of an array or a number."""
        known = self.known.get(id(value))
        if known is not None and known[1] is value:
            return known[0]
        plain = plain_asarray(value).view(np.ndarray)
        nodes = [self.tape.of_value(float(number)) for number in plain.ravel().tolist()]
        return plain_array(nodes, np.int64).reshape(plain.shape)

    def made(self, name: str, inputs: Any, options: dict[str, Any], result: Any) -> None:
        target = plain_asarray(result).view(np.ndarray)
        values = [float(value) for value in target.ravel().tolist()]
        if name in MAKING:
            return
        operands = [self.ids(value) for value in inputs]
        place = self.tape.begin_event()
        self.tape.rounds = True
        laid = self.laid(name, operands, options, target.shape)
        if laid is not None:
            nodes = self.cast(laid.ravel().tolist(), values, place)
        elif name in REDUCING:
            nodes = self.reduced(REDUCING[name], operands[0], options["axes"], values, place)
        elif name == "dot_general" and operands[0].ndim == operands[1].ndim == 1:
            pairs = zip(operands[0].tolist(), operands[1].tolist(), strict=True)
            parts = tuple(operated(self.tape, place, "mul", a, b) for a, b in pairs)
            nodes = [compose(self.tape, "add.reduce", parts, values[0], place)]
        elif RENAMED.get(name, name) in FORMULAS:
            formula = FORMULAS[RENAMED.get(name, name)]
            nodes = self.elementwise(formula, self.arranged(name, operands, options), target, values, place)
        else:
            self.tape.note(f"jax's {name} is not recorded")
            nodes = [self.tape.of_value(value) for value in values]
        self.known[id(result)] = (plain_array(nodes, np.int64).reshape(target.shape), result)

    def arranged(self, name: str, operands: list[Ids], options: dict[str, Any]) -> list[Ids]:
        """Bring operands into the order of the formula."""
        if name == "integer_pow":
            return [*operands, plain_asarray(self.tape.constant(float(options["y"])))]
        if name == "select_n":
            return [operands[0], *reversed(operands[1:])]
        if name == "clamp":
            return [operands[1], operands[0], operands[2]]
        return operands

    def laid(self, name: str, operands: list[Ids], options: dict[str, Any], shape: tuple[int, ...]) -> Ids | None:
        """Do to the nodes what is done to the elements, where that is all."""
        if name in SAME:
            return operands[0]
        if name in ("reshape", "squeeze", "expand_dims"):
            return operands[0].reshape(shape)
        if name == "transpose":
            return operands[0].transpose(options["permutation"])
        if name == "broadcast_in_dim":
            wide = [1] * len(shape)
            for axis, where in enumerate(options["broadcast_dimensions"]):
                wide[where] = operands[0].shape[axis]
            return np.broadcast_to(operands[0].reshape(wide), shape)
        if name == "concatenate":
            return np.concatenate(operands, options["dimension"])
        if name == "slice":
            steps = options["strides"] or (1,) * len(shape)
            limits = zip(options["start_indices"], options["limit_indices"], steps, strict=True)
            return operands[0][tuple(slice(*each) for each in limits)]
        return None

    def cast(self, nodes: list[int], values: list[float], place: int) -> list[int]:
        return [
            node if self.tape.values[node] == value or value != value else self.tape.add("cast", (node,), value, place)
            for node, value in zip(nodes, values, strict=True)
        ]

    def elementwise(
        self, formula: Formula, operands: list[Ids], target: Any, values: list[float], place: int
    ) -> list[int]:
        rows = zip(*(np.broadcast_to(part, target.shape).ravel().tolist() for part in operands), strict=True)
        return [
            finished(self.tape, formula(self.tape, place, *row), value, place)
            for row, value in zip(rows, values, strict=True)
        ]

    def reduced(self, name: str, ids: Ids, axes: Any, values: list[float], place: int) -> list[int]:
        kept = [axis for axis in range(ids.ndim) if axis not in axes]
        rows = ids.transpose(*kept, *axes).reshape(len(values), -1).tolist()
        return [
            compose(self.tape, f"{name}.reduce", tuple(row), value, place)
            for row, value in zip(rows, values, strict=True)
        ]
