"""The tensors of one dtype that an optimizer steps together: their memory, their states, and what steps them.

Nothing is written before everything has been looked at: `prepare` raises, `run` writes. It knows no containers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.bridges.numpy.apartness import Memory
from mhat.bridges.numpy.containers import kind_of
from mhat.bridges.numpy.evaluation import evaluating
from mhat.bridges.numpy.knobs import Knobs
from mhat.dtypes import DTYPES
from mhat.engines.kernels.addresses import UNMOVED, WRITTEN, Shapes, address_of, gather
from mhat.engines.kernels.lowering import NotLowered
from mhat.engines.kernels.modules import NotCompiled
from mhat.engines.kernels.step import FusedStep
from mhat.engines.kernels.switches import CAN_FLUSH
from mhat.engines.small import numpy_dtype
from mhat.engines.step_form import StepForm
from mhat.engines.whole_steps import WholeStep, evaluated, starts_of
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.fit import FLATTEN, matrix_of, require_fit
from mhat.language.inference import SCALAR, Level

Array = Any
_NAMES = {numpy_dtype(name): name for name in DTYPES}
ANOTHER_RULE = "Give it another rule: Optimizer({{{}: mhat.matrices, adamw: mhat.rest}}, params)."
# States of a tensor begin on a cache line.
LINE = 64


@dataclass(frozen=True)
class StepOptions:
    """What holds for all tensors of an optimizer; see `mhat.bridges.numpy.Optimizer`."""

    state_dtype: str | None
    rounding: str
    flush_denormals: bool | None
    as_written: bool | None
    threads: int


def dtype_name(array: Array) -> str | None:
    """Name the dtype of an array if optimizers step it, else None."""
    return _NAMES.get(array.dtype)


class TensorGroup:
    """Tensors of one rule and dtype. `places`: their places among all tensors of the optimizer, `count` of them."""

    def __init__(
        self, rule: Rule, knobs: Knobs, tensors: Sequence[Array], paths: Sequence[str], places: Sequence[int],
        count: int, options: StepOptions,
    ) -> None:  # fmt: skip
        self.rule = rule
        self.knobs = knobs
        self.tensors = list(tensors)
        self.paths = list(paths)
        self.places = np.asarray(places)
        self._numbers = [float(place + 1) for place in places]
        self._count = float(count)
        self.stored = str(dtype_name(tensors[0]))
        self.dtype = numpy_dtype(self.stored)
        self.started = np.zeros(len(tensors), dtype=bool)
        self._sizes = np.array([tensor.nbytes for tensor in tensors], dtype=np.int64)
        self._shapes = Shapes([tensor.shape for tensor in tensors])
        self._looks = [_look(tensor) for tensor in tensors]
        self._addresses = np.array([address_of(tensor) for tensor in tensors], dtype=np.int64)
        self._lying = self._addresses.copy()
        # What is not contiguous is stepped in a contiguous copy.
        self.shadows = {i: np.array(t, order="C") for i, t in enumerate(tensors) if not _plain(t)}
        self.homes = [self.shadows.get(i, tensor) for i, tensor in enumerate(tensors)]
        self.form = self._form(options)
        self._kernels_asked = options.rounding != "nearest" or bool(options.flush_denormals)
        # Why the compiler refused the rule, if it did.
        self.uncompiled: str | None = None
        self.step = self._stepping(options)
        self.states = self._allocated()
        self.lost = self._room(self.stored) if self.step.lost_row is not None else None
        self._written = Memory([])
        self._gradients: list[Array] = []
        self._found = np.zeros(len(tensors), dtype=np.int64)
        self._looked_at = np.zeros_like(self._found)
        self._enter_addresses()

    def _form(self, options: StepOptions) -> StepForm:
        stored = options.state_dtype or DTYPES[self.stored].computed
        alone = self.rule.dependence.per_step_states
        states = [
            (name, stored)
            for name in self.rule.tree.state_names
            if name not in alone and self.rule.shapes[name] != SCALAR
        ]
        rearranged = self.stored != "float64" if options.as_written is None else not options.as_written
        # Where no bits are promised, moments that fade must not make steps slow.
        flushed = CAN_FLUSH and rearranged if options.flush_denormals is None else options.flush_denormals
        return StepForm(self.stored, self.stored, tuple(states), rearranged, options.rounding, flushed)

    def _stepping(self, options: StepOptions) -> FusedStep | WholeStep:
        if self.rule.level == Level.MATRIX:
            for tensor, path in zip(self.tensors, self.paths, strict=True):
                seen = matrix_of(self.rule, tensor.shape)
                if len(seen) != 2:
                    raise BadValue(
                        f"{self.rule.name} is a rule per matrix, and {path} has the shape {tensor.shape}",
                        FLATTEN if len(seen) > 2 else ANOTHER_RULE.format(self.rule.name),
                    )
                require_fit(self.rule, seen, path)
        sizes = [tensor.size for tensor in self.tensors]
        try:
            return FusedStep(self.rule, self.form, sizes, self._numbers, self._count, options.threads)
        except NotLowered as refused:
            return self._on_whole_arrays(refused)

    def _on_whole_arrays(self, refused: NotLowered) -> WholeStep:
        """Step without kernels, which refused the rule; raises BadValue for what they alone do."""
        without = ""
        if isinstance(refused, NotCompiled):
            self.uncompiled = str(refused)
            without = f" without kernels ({refused})"
        if self._kernels_asked:
            raise BadValue(
                f"{self.rule.name} runs{without} on whole arrays, which round to the nearest and keep every bit",
                "Leave `rounding` and `flush_denormals` out.",
            )
        self.form = replace(self.form, flushed=False)
        return WholeStep(self.rule, self.form, self._numbers, self._count)

    def _allocated(self) -> dict[str, list[Array]]:
        """Make room for every state: arrays of the tensors' shapes, or numbers, one a tensor, that the step holds."""
        if isinstance(self.step, WholeStep):
            return self.step.allocated(self._seen(self.homes))
        step, stored = self.step, dict(self.form.states)
        rooms: dict[str, list[Array]] = {name: self._room(stored[name]) for name in step.coordinate_states}
        rooms |= {name: [] for name in (*step.tensor_states, *step.step_states)}
        return {name: rooms[name] for name in self.rule.tree.state_names}

    def _seen(self, arrays: Sequence[Any]) -> list[Any]:
        """Give arrays in the shapes that the rule sees: views of what is contiguous. None stays what it is."""
        if self.rule.tree.flatten is None:
            return list(arrays)
        return [None if a is None else np.reshape(a, matrix_of(self.rule, a.shape)) for a in arrays]

    def _room(self, stored: str) -> list[Array]:
        dtype = numpy_dtype(stored)
        sizes = [-(-tensor.size * dtype.itemsize // LINE) * LINE for tensor in self.tensors]
        ends = np.cumsum([0, *sizes]).tolist()
        flat = np.zeros(ends[-1] + LINE, dtype=np.uint8)
        shift = -address_of(flat) % LINE
        return [
            flat[shift + start : shift + start + t.size * dtype.itemsize].view(dtype).reshape(t.shape)
            for start, t in zip(ends[:-1], self.tensors, strict=True)
        ]

    def written(self) -> list[tuple[int, int, str]]:
        """List the memory that steps write to: address, bytes, and whose it is."""
        homes = [(home, path) for home, path in zip(self.homes, self.paths, strict=True)]
        homes += [(array, f"its state {name}") for name, arrays in self.states.items() for array in arrays]
        homes += [(array, "what rounding keeps") for array in self.lost or []]
        return [(address_of(array), array.nbytes, owner) for array, owner in homes if array.size]

    def keep_apart(self, written: Memory) -> None:
        """Refuse gradients in this memory from now on."""
        self._written = written

    def _enter_addresses(self) -> None:
        if isinstance(self.step, WholeStep):
            return
        self.step.at[0] = [address_of(home) for home in self.homes]
        for name in self.step.coordinate_states:
            self.step.at[self.step.array(name)] = [address_of(array) for array in self.states[name]]
        if self.lost is not None and self.step.lost_row is not None:
            self.step.at[self.step.lost_row] = [address_of(array) for array in self.lost]

    def values(self, name: str) -> list[Array]:
        """Give a state of every tensor, as arrays that can be written to."""
        if isinstance(self.step, WholeStep) or self.states[name]:
            return self.states[name]
        fused = self.step
        column = fused.tensor_state(name) if name in fused.tensor_states else fused.step_state(name)
        return [column[i : i + 1].reshape(()) for i in range(len(self.tensors))]

    def lie_where_they_lay(self, tensors: list[Any]) -> bool:
        """Whether these are the tensors as they were, as far as can be seen at a glance; other views of them are."""
        if gather(tensors, self.dtype, self._shapes, self._lying, WRITTEN) == UNMOVED:
            return True
        self._lying[:] = self._addresses
        return False

    def check_tensors(self, tensors: list[Any]) -> None:
        """Refuse to go on where these are not the tensors as they were, for steps write there; raises BadValue."""
        if self.lie_where_they_lay(tensors):
            return
        for tensor, look, path in zip(tensors, self._looks, self.paths, strict=True):
            _check_look(tensor, look, path)

    def prepare(self, gradients: Sequence[Array], called: str) -> Array:
        """Look at the gradients, None where there is none; give the mask of tensors that will be stepped."""
        self._gradients = list(gradients)
        chosen = np.ones(len(self.tensors), dtype=bool)
        at = gather(self._gradients, self.dtype, self._shapes, self._found)
        for i in range(at if at >= 0 else len(self.tensors), len(self.tensors)):
            gradient = self._gradients[i]
            if gradient is None:
                chosen[i] = False
                self._found[i] = 0
                continue
            self._gradients[i] = self._checked(gradient, i, called)
            self._found[i] = address_of(self._gradients[i])
        if not np.array_equal(self._found, self._looked_at):
            self._check_apart(chosen)
            self._looked_at[:] = self._found
        return chosen

    def give(self, loss: float | None, hs: Sequence[Any] | None, chosen: Array) -> None:
        """Take what the rule reads besides the gradients: the loss, and an array of each tensor that is stepped."""
        self._given: list[dict[str, Any]] = [{} for _ in self.tensors]
        for i, given in enumerate(self._given):
            if "loss" in self.rule.tree.inputs:
                given["loss"] = loss
            if "h" in self.rule.tree.inputs and chosen[i]:
                given["h"] = self._besides(None if hs is None else hs[i], i)

    def _besides(self, h: Any, i: int) -> Array:
        tensor, path = self.tensors[i], self.paths[i]
        if not isinstance(h, np.ndarray | np.generic | float) or np.shape(h) != tensor.shape:
            said = f"the shape {np.shape(h)}" if hasattr(h, "shape") else kind_of(h)
            raise BadValue(f"{path} has the shape {tensor.shape}, its h {said}", "Give h as the gradients are given.")
        return np.reshape(np.asarray(h), matrix_of(self.rule, tensor.shape))

    def settled(self, chosen: Array) -> bool:
        """Whether the step that was just taken can be taken again as it is, while gradients lie where they lay."""
        return not self.shadows and isinstance(self.step, FusedStep) and self.step.repeats and bool(chosen.all())

    def run_again(self, gradients: list[Array], knobs: Array, steps: Array, seed: int) -> bool:
        """Take the step again after a settled one; False, and nothing is done, if a gradient lies elsewhere."""
        assert isinstance(self.step, FusedStep)
        if gather(gradients, self.dtype, self._shapes, self._found) != UNMOVED:
            return False
        self.step.run_again(knobs, steps, seed)
        return True

    def _checked(self, gradient: Any, i: int, called: str) -> Array:
        tensor, path = self.tensors[i], self.paths[i]
        if not isinstance(gradient, np.ndarray | np.generic | float):
            raise BadValue(f"the gradient of {path} is {kind_of(gradient)}", "Give a NumPy array, or None for none.")
        if isinstance(gradient, np.ma.MaskedArray):
            raise BadValue(
                f"the gradient of {path} is a masked array, and a step knows no mask",
                "Fill it: gradient.filled(0.0) leaves out what is masked.",
            )
        array = np.asarray(gradient)
        if array.shape != tensor.shape:
            raise BadValue(f"{path} has the shape {tensor.shape}, its gradient {array.shape}", "Give both one shape.")
        if array.dtype != tensor.dtype and not isinstance(gradient, float):
            raise BadValue(
                f"{path} is {tensor.dtype}, its gradient {array.dtype}",
                f"Convert the gradient: {called}.astype({str(tensor.dtype)!r}).",
            )
        return np.require(array, self.dtype, ["C", "A"])

    def _check_apart(self, chosen: Array) -> None:
        """Refuse gradients that lie in what is written: a step would read what it has changed."""
        met = self._written.met(self._found, self._sizes, chosen)
        if met is not None:
            place, owner = met
            raise BadValue(
                f"the gradient of {self.paths[place]} shares memory with {owner}",
                "Give a copy of it: a step writes the parameters and states while it reads the gradients.",
            )

    def start(self, chosen: Array, knobs: Mapping[str, float]) -> None:
        """Start the states of tensors that are stepped for the first time."""
        new = chosen & ~self.started
        if not new.any():
            return
        homes = {name: self.values(name) for name in self.rule.tree.state_names}
        named = {"knobs": knobs, "numbers": self._numbers, "n": self._count, "given": self._given}
        xs, gs = self._seen(self.tensors), self._seen(self._gradients)
        for i, values in starts_of(self.rule, self.form.computed, xs, gs, new, named):
            for name, value in values.items():
                with np.errstate(all="ignore"):
                    homes[name][i][...] = np.asarray(value).astype(homes[name][i].dtype)
        self.started |= new

    def evaluation(self, knobs: Mapping[str, float], steps: Array) -> list[Array]:
        """Make the parameters to evaluate with, copies; of tensors that no step has moved yet they are as they are."""
        made = [np.array(tensor) for tensor in self.tensors]
        rule = evaluating(self.rule)
        places = np.flatnonzero(self.started).tolist()
        if rule is None or not places:
            return made
        states = {name: [self.values(name)[i] for i in places] for name in self.rule.tree.state_names}
        named = {"knobs": knobs, "numbers": [self._numbers[i] for i in places], "n": self._count, "t": steps[places]}
        seen = self._seen([self.tensors[i] for i in places])
        for i, values in zip(places, evaluated(rule, self.form.computed, seen, states, named), strict=True):
            made[i][...] = values.reshape(made[i].shape)
        return made

    def run(self, knobs: Array, named: Mapping[str, float], steps: Array, chosen: Array, seed: int) -> None:
        """Step the chosen tensors. `steps`: t of each."""
        shadows = {i: shadow for i, shadow in self.shadows.items() if chosen[i]}
        for i, shadow in shadows.items():
            shadow[...] = self.tensors[i]
        if isinstance(self.step, WholeStep):
            xs, gs = self._seen(self.homes), self._seen(self._gradients)
            self.step.run(xs, gs, self.states, named, steps, chosen, self._given)
        else:
            self.step.at[1] = self._found
            try:
                self.step.run(knobs, steps, chosen, seed)
            except NotCompiled as refused:
                # Nothing has moved yet, and the states stay where they are.
                self.states = {name: self.values(name) for name in self.rule.tree.state_names}
                self.step = self._on_whole_arrays(refused)
                self.step.run(self.homes, self._gradients, self.states, named, steps, chosen, self._given)
        for i, shadow in shadows.items():
            self.tensors[i][...] = shadow
        self._gradients = []


def _plain(array: Array) -> bool:
    return bool(array.flags.c_contiguous and array.flags.aligned)


@dataclass(frozen=True)
class _Look:
    """What an array is on memory: where it begins, its shape, how it strides, its dtype."""

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]


def _look(array: Array) -> _Look:
    # Where nothing is, it lies nowhere.
    address, strides = (address_of(array), array.strides) if array.size else (0, ())
    return _Look(address, array.shape, strides, array.dtype)


def _check_look(tensor: Any, before: _Look, path: str) -> None:
    """Refuse what has taken the place of a parameter; raises BadValue."""
    if not isinstance(tensor, np.ndarray):
        raise BadValue(f"{path} is {kind_of(tensor)} now, and was an array when the optimizer was made", _cure(path))
    after = _look(tensor)
    if not tensor.flags.writeable:
        raise BadValue(
            f"{path} is read-only now", f"Let it be written ({path}.setflags(write=True)), or make another optimizer."
        )
    if (after.shape, after.dtype) != (before.shape, before.dtype):
        raise BadValue(
            f"{path} has the shape {after.shape} and is {after.dtype} now, and was {before.shape} and {before.dtype}",
            "Make another optimizer for it: its states have the shape that it had.",
        )
    if after != before:
        raise BadValue(f"{path} is another array than when the optimizer was made", _cure(path))


def _cure(path: str) -> str:
    return f"Write into the array that was there ({path}[...] = values), or make another optimizer."
