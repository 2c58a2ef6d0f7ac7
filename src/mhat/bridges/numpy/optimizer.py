"""A rule as an optimizer of NumPy arrays: in place, all tensors in one pass. It knows no loss and no trace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from mhat.bridges.numpy import state_files
from mhat.bridges.numpy.containers import flattened, matched, rebuilt
from mhat.bridges.numpy.tensor_groups import DTYPES, Memory, Options, TensorGroup, dtype_name
from mhat.engines.kernels.step import knob_values
from mhat.engines.kernels.step_text import ROUNDINGS
from mhat.engines.kernels.switches import CAN_FLUSH
from mhat.errors import BadValue, UnknownName
from mhat.language import of_tree
from mhat.language import rule as rule_of
from mhat.language.definition import Rule
from mhat.language.inference import reductions_over_all
from mhat.names import find_rule
from mhat.printers.python import rule_text

Array = Any
MISSING = ("skip", "zero")


class Optimizer:
    """Steps NumPy arrays in place by a rule.

    `rule`: a rule, a function written as one, or a name. `params`: an array, or lists, tuples and dictionaries of
    arrays in any mixture; float64, float32, float16 or bfloat16 (ml_dtypes), of any shape. Knobs are keywords, and
    attributes afterwards: `opt.lr = 3e-4` holds from the next step on.

    Options:

    - `missing`: what a gradient of None means. "skip": the tensor and its state stay as they are, and its own `t`
      does not count the step; "zero": a gradient of zeros.
    - `as_written`: compute each line as the rule writes it, which in float64 is the default and gives the bits of
      the float interpreter. Otherwise (the default in smaller types) averages are computed as
      `m + (1 - beta) * (g - m)` and divisions by a number of the step as products: in float32 this is 20 times
      more accurate, because float32(0.999) + float32(0.001) is not 1; an average that was infinite becomes NaN.
    - `state_dtype`: how states are stored: as the parameters; float32 where these are smaller. bfloat16 halves the
      memory that a step moves.
    - `rounding`: how results are rounded to float16 and bfloat16: to "nearest"; "stochastic", up or down by chance
      from `seed`, so that small changes are not lost on average; "kahan", to nearest, where the parameters are
      small, with what rounding takes away kept beside them (a second small number for each).
    - `flush_denormals`: take subnormal numbers for zero, which on some processors are slow; else every bit is kept.
    - `threads`: how many threads step (all processors).

    Rules with reductions take as few passes over memory as they can; matrix rules run on whole arrays. Memory is that
    of the parameters, gradients and states; arrays that are not contiguous are stepped in a copy of each.

    Raises UnknownName for a knob that the rule does not have, BadValue for what cannot be stepped.

    >>> import numpy as np
    >>> weights = [np.zeros(3), np.zeros((2, 2))]
    >>> opt = Optimizer("adam", weights, lr=0.5)
    >>> opt.step([np.array([1.0, -2.0, 0.0]), np.eye(2)])
    >>> weights[0].round(6).tolist()
    [-0.5, 0.5, 0.0]
    """

    def __init__(
        self,
        rule: Any,
        params: Any,
        *,
        missing: str = "skip",
        as_written: bool | None = None,
        state_dtype: str | None = None,
        rounding: str = "nearest",
        seed: int = 0,
        flush_denormals: bool = False,
        threads: int | None = None,
        **knobs: float,
    ) -> None:
        found = find_rule(rule)
        _check_options(missing, state_dtype, rounding, seed, flush_denormals, threads)
        _check_knob_names(found)
        options = Options(state_dtype, rounding, flush_denormals, as_written, threads or os.cpu_count() or 1)
        own = self.__dict__
        own["rule"], own["_params"] = found, params
        own["_missing"], own["_seed"] = missing, seed
        own["_flat"] = isinstance(params, list | tuple) and all(isinstance(each, np.ndarray) for each in params)
        own["_knobs"], own["_steps"] = dict(found.knobs), 0
        own["_options"] = {
            "missing": missing, "as_written": as_written, "state_dtype": state_dtype, "rounding": rounding,
            "seed": seed, "flush_denormals": flush_denormals, "threads": threads,
        }  # fmt: skip
        own["_lone"] = isinstance(params, np.ndarray)
        own["_arena"], own["_settled"] = None, None
        leaves = flattened(params, "params")
        own["_paths"], own["_tensors"] = [path for path, _ in leaves], [leaf for _, leaf in leaves]
        _check_tensors(self._paths, self._tensors)
        self._set_knobs(knobs)
        own["_groups"] = _grouped(found, self._tensors, self._paths, options)
        own["_t"] = np.zeros(len(leaves))

    def step(self, grads: Any = None) -> None:
        """Step all parameters in place.

        `grads`: arrays of the parameters' shapes and dtypes in the same containers, None for a parameter without a
        gradient; left out, what was written into `gradients` is used. Raises BadValue before anything is written.
        """
        if grads is None:
            if self._arena is None:
                raise BadValue(
                    "step() was called without gradients", "Give them, or write them into `gradients` beforehand."
                )
            grads = self._arena
        if self._stepped_again(grads):
            return
        leaves = self._leaves(grads)
        if self._missing == "zero":
            leaves = [np.zeros_like(t) if g is None else g for g, t in zip(leaves, self._tensors, strict=True)]
        whole = len(self._groups) == 1
        prepared = [
            (group, group.prepare(leaves if whole else [leaves[i] for i in group.places], "gradient"))
            for group in self._groups
        ]
        for group, chosen in prepared:
            group.start(chosen, self._knobs)
        self._run(prepared)
        if whole and self._groups[0].settled(prepared[0][1]) and (self._t == self._t[0]).all():
            self.__dict__["_settled"] = self._groups[0]

    def _stepped_again(self, grads: Any) -> bool:
        """Take the same step as before, if gradients lie where they lay: what was looked at then still holds.

        What a kernel moves drives this code out of the caches, so that every line of it is slow.
        """
        group = self._settled
        if group is None:
            return False
        leaves = [grads] if self._lone else self._leaves(grads)
        if not group.run_again(leaves, self._knob_array, self._t[:1] + 1.0, self._seed_of_step()):
            # Nobody has looked at where the gradients lie now.
            self.__dict__["_settled"] = None
            return False
        self._t[:] += 1.0
        self.__dict__["_steps"] += 1
        return True

    def _seed_of_step(self) -> int:
        # One number for seed and step, as kernels take it: 31 and 32 bits.
        return int(self._seed << 32 | (self._steps + 1) & 0xFFFFFFFF)

    def _leaves(self, grads: Any) -> list[Any]:
        # A plain list of arrays, as large models have, is not walked through one by one.
        if self._flat and isinstance(grads, list | tuple) and len(grads) == len(self._tensors):
            return list(grads)
        return matched(grads, self._params, "grads")

    def _run(self, prepared: list[tuple[TensorGroup, Array]]) -> None:
        seed = self._seed_of_step()
        for i, (group, chosen) in enumerate(prepared):
            try:
                group.run(self._knob_array, self._knobs, self._t[group.places] + 1.0, chosen, seed)
            except BaseException as stopped:
                moved = [path for done, on in prepared[:i] for path, one in zip(done.paths, on, strict=True) if one]
                stopped.add_note(f"Of the parameters these were stepped: {', '.join(moved) or 'none'}.")
                raise
            self._t[group.places[chosen]] += 1.0
        self.__dict__["_steps"] += 1

    @property
    def t(self) -> int:
        """How many steps were taken: of the tensor that has taken most."""
        return int(self._t.max(initial=0.0))

    @property
    def gradients(self) -> Any:
        """Arrays to write gradients into, in the containers of the parameters; `step()` then takes no arguments.

        They are zeros at first, and stay as they are written. With many small tensors this is the quickest way.
        """
        if self._arena is None:
            self.__dict__["_arena"] = rebuilt(self._params, [np.zeros(t.shape, t.dtype) for t in self._tensors])
        return self._arena

    @property
    def knobs(self) -> dict[str, float]:
        """The knobs as they are now; set them as attributes."""
        return dict(self._knobs)

    @property
    def state(self) -> dict[str, Any]:
        """The states by name, each in the containers of the parameters: views, so what is written there counts."""
        found = {}
        for name in self.rule.tree.state_names:
            leaves: list[Any] = [None] * len(self._tensors)
            for group in self._groups:
                for place, value in zip(group.places, group.values(name), strict=True):
                    leaves[place] = value
            found[name] = rebuilt(self._params, leaves)
        return found

    def state_dict(self) -> dict[str, Array]:
        """Give copies of all that another optimizer needs to go on exactly: arrays by name, for any file format.

        `rule` (its text, as bytes), `t` and `started` (one a tensor), `steps`, `seed`, `knob/NAME`, and for each
        state and parameter `state/NAME/PATH`.
        """
        return state_files.state_of(self)

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state_dict` gave: knobs, step numbers, states, to the last bit.

        Raises BadValue, and changes nothing, if the state is of another rule or of other parameters.
        """
        state_files.set_state(self, state)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the state to disk: .npz, or .safetensors with the extra of that name.

        Raises OutputFileError if the file exists, unless `force`; it takes its name only when it is whole.
        """
        state_files.save(self.state_dict(), path, force=force)

    def load(self, path: str | Path) -> None:
        """Go on from a state on disk; raises InputFileError, and BadValue as `load_state_dict` does."""
        self.load_state_dict(state_files.load(path))

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has parameters of its own, and must not know where these are.
        text = rule_text(self.rule.tree)
        return _copied, (
            text,
            self.rule.paper,
            self.rule.knob_sentences,
            self._params,
            self._options,
            self.state_dict(),
        )

    def _set_knobs(self, knobs: Mapping[str, Any]) -> None:
        for name in knobs:
            if name not in self.rule.knobs:
                raise self.rule.unknown_knob(name, self._options_said())
        given = {name: _number(name, value) for name, value in knobs.items()}
        self.rule.check_knobs(given)
        self._knobs.update(given)
        self.__dict__["_knob_array"] = knob_values(self.rule, self._knobs)

    def _options_said(self) -> str:
        return f"Options: {', '.join(self._options)}."

    def __getattr__(self, name: str) -> Any:
        knobs = self.__dict__.get("_knobs", {})
        if name in knobs:
            return knobs[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(getattr(type(self), name, None), property) or name in self.__dict__:
            raise BadValue(f"`{name}` of an optimizer cannot be set", "Knobs can: " + ", ".join(self._knobs) + ".")
        self._set_knobs({name: value})

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._knobs})

    def __repr__(self) -> str:
        numbers = sum(tensor.size for tensor in self._tensors)
        knobs = ", ".join(f"{name}={value!r}" for name, value in self._knobs.items())
        return f"<Optimizer {self.rule.name} of {len(self._tensors)} arrays, {numbers:,} numbers, t={self.t}, {knobs}>"


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real | np.generic):
        raise BadValue(f"{name}={value!r} is not a number", f"Give {name} a number; set it anew when it changes.")
    return float(value)


def _check_options(
    missing: str, state_dtype: str | None, rounding: str, seed: int, flush_denormals: bool, threads: int | None
) -> None:
    for name, value, known in (
        ("missing", missing, MISSING),
        ("rounding", rounding, ROUNDINGS),
        ("state_dtype", state_dtype or "float64", tuple(DTYPES)),
    ):
        if value not in known:
            raise UnknownName(f"choice of `{name}`", str(value), known)
    if not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise BadValue(f"seed={seed!r} is not a whole number from 0 to {2**31 - 1}", "Give one.")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise BadValue(f"threads={threads!r} is not a whole number from 1 on", "Give one, or leave it out for all.")
    if flush_denormals and not CAN_FLUSH:
        raise BadValue("flush_denormals is known for x86 processors only", "Leave it out.")


def _check_knob_names(rule: Rule) -> None:
    """Refuse a rule whose knobs would hide what every optimizer has."""
    options = Optimizer.__init__.__kwdefaults__ or {}
    for name in rule.knobs:
        if name in options or hasattr(Optimizer, name) or name in ("rule", "params"):
            raise BadValue(
                f"`{name}` is a knob of {rule.name} and a word of every optimizer", f"Rename it: my_{name}, say."
            )


def _check_tensors(paths: list[str], tensors: list[Any]) -> None:
    if not tensors:
        raise BadValue("params holds no arrays", "Give the arrays that are to be stepped.")
    for path, tensor in zip(paths, tensors, strict=True):
        if not isinstance(tensor, np.ndarray):
            raise BadValue(f"{path} is a {type(tensor).__name__}", "Give NumPy arrays: they are changed in place.")
        if dtype_name(tensor) is None:
            raise BadValue(f"{path} is {tensor.dtype}", f"Give one of {', '.join(DTYPES)}.")
        if not tensor.flags.writeable:
            raise BadValue(f"{path} is read-only", "Give an array that may be changed: a copy of it, say.")
        if tensor.size and any(s == 0 and n > 1 for s, n in zip(tensor.strides, tensor.shape, strict=True)):
            raise BadValue(f"{path} holds one number in many places", "Give an array of its own: a copy of it, say.")
    _check_apart(paths, tensors)


def _check_apart(paths: list[str], tensors: list[Any]) -> None:
    """Refuse parameters that share memory: each is compared with those before it that reach as far."""
    bounds = [np.lib.array_utils.byte_bounds(tensor) for tensor in tensors]
    reaching: list[int] = []
    for i in sorted((i for i, t in enumerate(tensors) if t.size), key=lambda i: bounds[i][0]):
        reaching = [j for j in reaching if bounds[j][1] > bounds[i][0]]
        for j in reaching:
            if np.shares_memory(tensors[i], tensors[j]):
                first, second = sorted((i, j))
                raise BadValue(
                    f"{paths[first]} and {paths[second]} share memory",
                    "Give each array once: it would be stepped twice.",
                )
        reaching.append(i)


def _copied(
    text: str, paper: str, sentences: dict[str, str], params: Any, options: dict[str, Any], state: dict[str, Array]
) -> Optimizer:
    """Make an optimizer that was copied or stored, on the parameters that came with it."""
    made = Optimizer(of_tree(rule_of(text).tree, paper=paper, knobs=sentences), params, **options)
    made.load_state_dict(state)
    return made


def _grouped(rule: Rule, tensors: list[Array], paths: list[str], options: Options) -> list[TensorGroup]:
    kinds = list(dict.fromkeys(str(tensor.dtype) for tensor in tensors))
    if len(kinds) > 1 and reductions_over_all(rule.tree):
        raise BadValue(
            f"{rule.name} looks at all tensors at once, and they are of {' and '.join(kinds)}",
            "Give parameters of one dtype.",
        )
    groups = []
    for kind in kinds:
        places = [i for i, tensor in enumerate(tensors) if str(tensor.dtype) == kind]
        groups.append(
            TensorGroup(rule, [tensors[i] for i in places], [paths[i] for i in places], places, len(tensors), options)
        )
    written = Memory([stretch for group in groups for stretch in group.written()])
    for group in groups:
        group.keep_apart(written)
    return groups
