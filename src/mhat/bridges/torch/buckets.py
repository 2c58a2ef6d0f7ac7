"""Tensors of one rule, dtype, device and form of states, which step together. It chooses no way to step them.

Bucket    made once and kept, until a group or a state changes; the order of its tensors is fixed
Given     what a rule reads besides gradients
fill      the buckets of all groups
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import array_api_compat
import torch

from mhat.bridges.torch.gradients import SCALE, unscaled
from mhat.bridges.torch.groups import Group
from mhat.bridges.torch.options import Options
from mhat.bridges.torch.sharded_step import ShardedStep
from mhat.bridges.torch.shards import check_shards, is_sharded
from mhat.bridges.torch.states import STEP, as_real, dtype_name, state_form
from mhat.bridges.torch.watched import States
from mhat.dtypes import DTYPES
from mhat.engines.arrays import Arrays
from mhat.engines.kernels.switches import CAN_FLUSH
from mhat.engines.program import Environment, Program, first_environment, lacking
from mhat.engines.step_form import LOST, StepForm
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.fit import matrix_of
from mhat.language.inference import reductions_over_all
from mhat.language.tree import Number, Operation
from mhat.language.walking import subexpressions

Tensor = Any
Array = Any


@dataclass
class Given:
    """What some rules read besides gradients: the loss of the step, and a second tensor for each parameter."""

    loss: Any = None
    h: Mapping[Tensor, Tensor] | None = None
    # What the loss was multiplied with, where steps are to divide by it.
    scale: float = 1.0

    def forget(self) -> None:
        """Let nothing of a step count for the next one."""
        self.loss, self.h, self.scale = None, None, 1.0


@dataclass(eq=False)
class Bucket:
    """Tensors that step together. All lists are of one length and order.

    `parameters`: as torch has them; `tensors`: as the rule sees them, complex ones as pairs. `states`: of each state
    the tensors, which live in `optimizer.state[p]` (complex ones are views of these), those of one number a step as
    doubles on the CPU; `lost`: what rounding took from x, where it is kept. `counts`: the steps taken (doubles),
    NumPy's view of the memory that each "step" is a view of. `numbers`: k of each; `count`: n. `owners`: the group of
    each; `groups`: each of them once. `names`: as messages call them.
    """

    rule: Rule
    form: StepForm
    device: Any
    options: Options
    given: Given
    count: float
    parameters: list[Tensor] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    states: dict[str, list[Tensor]] = field(default_factory=dict)
    lost: list[Tensor] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    owners: list[Group] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    steps: Tensor = None
    counts: Array = None

    @cached_property
    def groups(self) -> list[Group]:
        """The groups that its tensors are of, each once."""
        return list({id(group): group for group in self.owners}.values())

    @cached_property
    def complex(self) -> bool:
        """Whether its parameters are complex numbers."""
        return bool(self.parameters[0].is_complex())

    @cached_property
    def computed(self) -> Any:
        """The dtype that operations are done in."""
        return getattr(torch, self.form.computed)

    @cached_property
    def shards(self) -> ShardedStep:
        """The rule on tensors of which other processes have parts."""
        return ShardedStep(self.rule, self.computed, self.tensors, self.numbers, self.count)

    @cached_property
    def program(self) -> Program:
        """The rule on tensors of the dtype and device."""
        return program_on(self.rule, self.computed, self.device)

    def knobs(self) -> Any:
        """Give the knobs as they are now: of the one group, or of each tensor where groups have others."""
        more = {SCALE: self.given.scale} if self.options.amp_scaling else {}
        first, *others = [{**group.now(), **more} if more else group.now() for group in self.groups]
        if all(other == first for other in others):
            return first
        now = {id(group): knobs for group, knobs in zip(self.groups, [first, *others], strict=True)}
        return [now[id(owner)] for owner in self.owners]

    def seen(self, place: int) -> Tensor:
        """Give a tensor in the shape that the rule sees; a copy, where a view cannot have it: see `put_back`."""
        return self._shaped(self.tensors[place])

    def put_back(self, place: int, seen: Tensor) -> None:
        """Write what `seen` gave to where it came from, if it was a copy."""
        tensor = self.tensors[place]
        if seen.untyped_storage().data_ptr() != tensor.untyped_storage().data_ptr():
            tensor.copy_(seen.reshape(tensor.shape))

    def _shaped(self, tensor: Tensor) -> Tensor:
        shape = tuple(tensor.shape)
        matrix = matrix_of(self.rule, shape)
        return tensor if matrix == shape else tensor.reshape(matrix)

    def environment(
        self, place: int, gradient: Tensor, t: float, knobs: Mapping[str, float], rule: Rule | None = None
    ) -> Environment:
        """Gather what the rule (or another one of its states) may read of a tensor, but for its states."""
        rule, given = rule or self.rule, dict[str, Any]()
        if "loss" in rule.tree.inputs and self.given.loss is not None:
            given["loss"] = float(self.given.loss)
        if "h" in rule.tree.inputs and self.given.h is not None:
            given["h"] = self._entered(self.given.h[self.parameters[place]])
        x, g = self._entered(self.tensors[place]), self._entered(gradient)
        return first_environment(rule, x, g, knobs, t, self.numbers[place], self.count, given)

    def _entered(self, tensor: Tensor) -> Tensor:
        return self._shaped(as_real(tensor.detach())).to(self.computed)

    @property
    def is_started(self) -> bool:
        """Whether no state waits for the first step of its tensor."""
        return self._starts_plainly or bool(self.counts.all())

    @cached_property
    def _starts_plainly(self) -> bool:
        return all(isinstance(state.start, Number) for state in self.rule.tree.states)

    def start(self, gradients: Sequence[Tensor | None], steps: Array, knobs: Any) -> None:
        """Make the states of tensors that take their first step of x, the gradient and the knobs, where they start so.

        Starts that look at all tensors look at those that start now.
        """
        starting = [s for s in self.rule.tree.states if not isinstance(s.start, Number)]
        places = [i for i, g in enumerate(gradients) if g is not None and steps[i] == 1.0] if starting else []
        if not places:
            return
        if any(map(is_sharded, self.parameters)):
            self.shards.start(places, gradients, {s.name: self.states[s.name] for s in starting}, knobs)
            return
        over_all = any(isinstance(node, Operation) and node.over for s in starting for node in subexpressions(s.start))
        for some in [places] if over_all else [[place] for place in places]:
            environments = [
                self.environment(i, gradients[i], 1.0, knobs if isinstance(knobs, Mapping) else knobs[i]) for i in some
            ]
            for place, made in zip(some, self.program.starts(environments), strict=True):
                for state in starting:
                    home, value = self.states[state.name][place], made[state.name]
                    home.copy_(value if isinstance(value, torch.Tensor) else torch.as_tensor(value))

    def check(self, gradients: Sequence[Tensor | None]) -> None:
        """Refuse gradients that do not fit their tensors; raises BadValue with the name of the first."""
        if self.rule.tree.given and any(gradient is not None for gradient in gradients):
            self._check_given()
        for name, parameter, gradient in zip(self.names, self.parameters, gradients, strict=True):
            if gradient is None:
                continue
            if "h" in self.rule.tree.inputs:
                self._check_h(name, parameter)
            if gradient.layout is not torch.strided:
                raise BadValue(
                    f"the gradient of {name} is sparse, and a step wants every row",
                    f"Let the embedding give dense gradients (sparse=False), and give rule=lazy({self.rule.name}) "
                    "(mhat.modifiers.lazy): rows without a gradient then stay as they are.",
                )
            if dtype_name(parameter.dtype) != self.form.x or parameter.device != self.device:
                raise BadValue(
                    f"{name} is {parameter.dtype} on {parameter.device} now, and its states were made for "
                    f"{self.form.x} on {self.device}",
                    "Move the model before the optimizer is made, or make another optimizer.",
                )
            if is_sharded(parameter) and not is_sharded(gradient):
                raise BadValue(
                    f"{name} is a DTensor, and its gradient is a plain tensor",
                    "Leave gradients to autograd, or give a DTensor: distribute_tensor(gradient, mesh, placements).",
                )
            if gradient.shape != parameter.shape or gradient.dtype != parameter.dtype:
                raise BadValue(
                    f"{name} has the shape {tuple(parameter.shape)} and is {parameter.dtype}, "
                    f"its gradient {tuple(gradient.shape)} and {gradient.dtype}",
                    "Give both one shape and dtype.",
                )

    def _check_given(self) -> None:
        """Refuse a step of a rule that reads a loss or a second tensor which there is not; raises BadValue."""
        told = {"loss": self.given.loss, "h": self.given.h}
        for name in self.rule.tree.given:
            if told[name] is None:
                cure = f"Say it before the step: opt.tell({name}=...)."
                raise lacking(
                    self.rule, name, "none is given",
                    f"Give step a closure that returns it, or say it before: opt.tell({name}=...)."
                    if name == "loss" else cure,
                )  # fmt: skip

    def _check_h(self, name: str, parameter: Tensor) -> None:
        h = (self.given.h or {}).get(parameter)
        if h is None or h.shape != parameter.shape:
            raise BadValue(
                f"{name} has the shape {tuple(parameter.shape)}, its h {None if h is None else tuple(h.shape)}",
                "Give h as the parameters are: opt.tell(h=[...]).",
            )


@lru_cache(maxsize=256)
def program_on(rule: Rule, computed: Any, device: Any) -> Program:
    """Give a rule ready to be run on tensors of a dtype and device."""
    xp = array_api_compat.array_namespace(torch.zeros(()))
    return Program(rule, Arrays(xp, computed, device=device, tensor_dimensions=None), keep=())


def fill(groups: Sequence[Group], states: States, options: Options, given: Given) -> list[Bucket]:
    """Put all parameters that have states into buckets; raises BadValue for what cannot step together."""
    count = float(sum(len(group["params"]) for group in groups))
    buckets: dict[Any, Bucket] = {}
    for number, index, group, parameter, name in _parameters(groups):
        if parameter not in states:
            continue
        own = states[parameter]
        over_all = reductions_over_all(group.rule.tree)
        stored = dict(state_form(own))
        form = _form(group.rule, parameter, stored, options)
        rule = unscaled(group.stepped) if options.amp_scaling else group.stepped
        # What looks at all tensors looks at those of all groups of its rule.
        key = (rule, form, parameter.device, parameter.is_complex(), None if over_all else index)
        if key not in buckets:
            buckets[key] = Bucket(rule, form, parameter.device, options, given, count)
        bucket = buckets[key]
        bucket.parameters.append(parameter)
        bucket.tensors.append(as_real(parameter.detach()))
        bucket.numbers.append(float(number))
        bucket.owners.append(group)
        bucket.names.append(name)
        if LOST in own:
            bucket.lost.append(as_real(own[LOST]))
        for state in group.rule.tree.state_names:
            bucket.states.setdefault(state, []).append(_in_pairs(own[state], parameter))
    _refuse_parted(list(buckets.values()))
    for bucket in buckets.values():
        check_shards(bucket.rule, bucket.parameters, bucket.names)
        _count_together(bucket, states)
    return list(buckets.values())


def _parameters(groups: Sequence[Group]) -> Iterator[tuple[int, int, Group, Tensor, str]]:
    """List parameters with their number from 1, the number of their group, the group, and what messages call them."""
    number = 0
    for index, group in enumerate(groups):
        for place, parameter in enumerate(group["params"]):
            number += 1
            yield number, index, group, parameter, group.name_of(place, index)


def _in_pairs(state: Tensor, parameter: Tensor) -> Tensor:
    return as_real(state) if parameter.is_complex() else state


def _form(rule: Rule, parameter: Tensor, stored: Mapping[str, str], options: Options) -> StepForm:
    own = dtype_name(parameter.dtype)
    alone = rule.dependence.per_step_states
    states = tuple((name, stored[name]) for name in rule.tree.state_names if name not in alone)
    rearranged = own != "float64" if options.as_written is None else not options.as_written
    rounding = options.rounding if DTYPES[own].small else "nearest"
    # Where no bits are promised, moments that fade must not make steps slow.
    flushed = CAN_FLUSH and rearranged if options.flush_denormals is None else options.flush_denormals
    return StepForm(own, own, states, rearranged, rounding, flushed)


def _refuse_parted(buckets: Sequence[Bucket]) -> None:
    """Refuse tensors of one rule that looks at all of them, but cannot step together; raises BadValue."""
    first: dict[str, Bucket] = {}
    for bucket in buckets:
        if not reductions_over_all(bucket.rule.tree):
            continue
        other = first.setdefault(bucket.rule.name, bucket)
        if other is not bucket:
            raise BadValue(
                f"{bucket.rule.name} looks at all tensors at once, and {other.names[0]} is {other.form.x} on "
                f"{other.device}, {bucket.names[0]} {bucket.form.x} on {bucket.device}",
                "Give parameters of one dtype and device, with states of one dtype.",
            )


def _count_together(bucket: Bucket, states: States) -> None:
    """Let the steps of all tensors lie in one memory, each "step" a view of it."""
    taken = [float(states[parameter].get(STEP, 0.0)) for parameter in bucket.parameters]
    bucket.steps = torch.tensor(taken, dtype=torch.float64)
    bucket.counts = bucket.steps.numpy()
    for parameter, own in zip(bucket.parameters, bucket.steps.unbind(), strict=True):
        states[parameter].settle(STEP, own)
