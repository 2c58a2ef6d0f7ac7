"""A rule as a `torch.optim.Optimizer`, in every respect. It knows no model and no loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import is_
from typing import Any, ClassVar

import torch

from mhat.bridges.torch import checkpoints, modes, resumption
from mhat.bridges.torch.buckets import Bucket, Given, fill
from mhat.bridges.torch.groups import SCHEDULES, Group, check_keys, check_told, settings_of, spelled_out
from mhat.bridges.torch.modes import Mode
from mhat.bridges.torch.options import Options, options_of
from mhat.bridges.torch.parameters import check_parameter, check_shared, listed
from mhat.bridges.torch.states import TRAINED, made_states
from mhat.bridges.torch.watched import Marks, States
from mhat.bridges.torch.ways.choice import choose_way
from mhat.bridges.torch.ways.way import Way
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.inference import reductions_over_all
from mhat.names import find_rule

Tensor = Any


class Optimizer(torch.optim.Optimizer):  # type: ignore[misc]
    """Steps the parameters of a model by a rule.

    `params`: as torch has them: tensors, named tensors, or groups, each with `"rule"` and knobs of its own. `rule`: a
    rule, a function written as one, or a name. Knobs are keywords, `betas=(0.9, 0.999)` among them; one of
    `mhat.schedules`, or its text, is followed over the steps and goes with the state.

    Options:

    - `maximize`: go up the gradient.
    - `missing`, `as_written`, `state_dtype`, `rounding`, `seed`, `flush_denormals`, `threads`: as `mhat.Optimizer` has
      them.
    - `amp_scaling`: let a GradScaler leave the unscaling, and the skip of a step with an overflow, to the step.
    - `way`: step by "kernel" (on the CPU), "triton" (on accelerators), "compiled" (torch.compile, on the CPU too) or
      "eager" operations, and not by the quickest; `opt.ways` tells which it is, and why none that is quicker.

    All else is as torch has it: `docs/torch.md`. Raises UnknownName for a knob that no rule has, BadValue for what
    cannot be stepped.

    >>> import torch
    >>> weights = torch.nn.Parameter(torch.zeros(3))
    >>> opt = Optimizer([weights], rule="adam", lr=0.5)
    >>> weights.grad = torch.tensor([1.0, -2.0, 0.0])
    >>> opt.step()
    >>> weights.tolist()
    [-0.5, 0.5, 0.0]
    """

    state: States
    param_groups: list[Any]
    # The rule of a class that has one; see `optimizer_class`.
    rule: ClassVar[Rule | None] = None

    def __init__(
        self,
        params: Iterable[Any],
        rule: Any = None,
        *,
        maximize: bool = False,
        missing: str = "skip",
        as_written: bool | None = None,
        state_dtype: Any = None,
        rounding: str = "nearest",
        seed: int | None = None,
        flush_denormals: bool | None = None,
        threads: int | None = None,
        amp_scaling: bool = False,
        way: str | None = None,
        **knobs: Any,
    ) -> None:
        options = options_of({
            "missing": missing, "as_written": as_written, "state_dtype": state_dtype, "rounding": rounding,
            "seed": seed, "flush_denormals": flush_denormals, "threads": threads, "amp_scaling": amp_scaling,
            "way": way,
        })  # fmt: skip
        self._set_up(None if rule is None else find_rule(rule), options, knobs)
        super().__init__(params, {"maximize": maximize, "differentiable": False})
        self.state = States(self.state, self._marks)
        check_told(self._told, [group.rule for group in self.param_groups])
        self.defaults = self._defaults()
        self._prepare()

    def _set_up(self, rule: Rule | None, options: Options, told: Mapping[str, Any]) -> None:
        self._rule, self._options, self._told = rule, options, dict(told)
        self._marks, self._given = Marks(), Given()
        # What a step goes through, made once and kept until something changes.
        self._lines: list[tuple[Bucket, Way]] = []
        self._lists: list[tuple[Any, list[Tensor]]] = []
        self._dormant: list[Tensor] = []
        self._over_all = False
        if options.amp_scaling:
            # What a GradScaler asks.
            self._step_supports_amp_scaling = True

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step all parameters that have a gradient; `closure` computes the loss anew, which is returned.

        Raises BadValue before anything is written.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
            self._given.loss = loss if self._given.loss is None else self._given.loss
        with torch.no_grad():
            if self._is_stale():
                self._prepare()
            if not self._options.amp_scaling or self._scale_is_fine():
                self._step()
        self._given.forget()
        return loss

    def _follow(self) -> None:
        """Set the knobs that follow schedules for the step to come."""
        steps: dict[int, float] = {}
        for bucket, _ in self._lines:
            for group in bucket.groups:
                steps[id(group)] = max(steps.get(id(group), 0.0), float(bucket.counts.max(initial=0.0)))
        for group in self.param_groups:
            if group.knobs.schedules:
                group.follow(int(steps.get(id(group), 0.0)) + 1)

    def _step(self) -> None:
        if self._over_all and torch._C._current_graph_task_id() != -1:
            raise BadValue(
                f"{self._lines[0][0].rule.name} looks at all tensors at once, and step() was called in the middle of "
                "backward()",
                "Step after backward(), or take a rule without over='all'.",
            )
        if any(group.knobs.schedules for group in self.param_groups):
            self._follow()
        work = [(bucket, way, bucket.knobs(), *self._look(bucket, way)) for bucket, way in self._lines]
        for bucket, way, knobs, gradients, chosen in work:
            steps = bucket.counts + 1.0
            if gradients is None:
                way.step_held(steps, knobs)  # type: ignore[attr-defined]
            else:
                bucket.start(gradients, steps, knobs)
                if bucket.complex:
                    gradients = [None if g is None else torch.view_as_real(g) for g in gradients]
                way.step(gradients, steps, knobs)
            bucket.counts[chosen] += 1.0

    def _look(self, bucket: Bucket, way: Way) -> tuple[list[Tensor | None] | None, Any]:
        """Look at the gradients of a bucket: give them, or None where its way has read them, and which are there."""
        look = getattr(way, "look", None)
        if look is not None and self._options.missing == "skip" and bucket.is_started:
            chosen = look()
            if chosen is not None:
                return None, chosen
        gradients = [parameter.grad for parameter in bucket.parameters]
        if self._options.missing == "zero":
            gradients = [
                torch.zeros_like(p) if g is None else g for p, g in zip(bucket.parameters, gradients, strict=True)
            ]
        bucket.check(gradients)
        return [g if g is None else g.detach() for g in gradients], [g is not None for g in gradients]

    def _scale_is_fine(self) -> bool:
        """Take over what a GradScaler says; False where it found an overflow."""
        found, scale = self.__dict__.get("found_inf"), self.__dict__.get("grad_scale")
        self._given.scale = 1.0 if scale is None else float(scale)
        return found is None or not float(found)

    def _is_stale(self) -> bool:
        """Whether groups, states or parameters are not those that steps were prepared for."""
        return (
            self._marks.stale
            or len(self._lists) != len(self.param_groups)
            or any(
                group is not known or len(group["params"]) != len(before) or not all(map(is_, group["params"], before))
                for group, (known, before) in zip(self.param_groups, self._lists, strict=True)
            )
            or any(parameter.grad is not None for parameter in self._dormant)
        )

    def _prepare(self) -> None:
        """Put the parameters into buckets, and choose how each is stepped."""
        for place, group in enumerate(self.param_groups):
            if not isinstance(group, Group):
                self.param_groups[place] = self._group(group)
        if not isinstance(self.state, States):
            self.state = States(self.state, self._marks)
        if any(TRAINED in own for own in self.state.values() if isinstance(own, dict)):
            raise BadValue("the optimizer is in evaluation", "Call opt.train() before the next step.")
        self._make_states()
        buckets = fill(self.param_groups, self.state, self._options, self._given)
        self._lines = [(bucket, choose_way(bucket)) for bucket in buckets]
        self._lists = [(group, list(group["params"])) for group in self.param_groups]
        self._dormant = [p for group in self.param_groups for p in group["params"] if p not in self.state]
        self._over_all = any(reductions_over_all(bucket.rule.tree) for bucket in buckets)
        self._marks.stale = False

    def _make_states(self) -> None:
        """Make the states of parameters that have none; what is frozen waits for a gradient."""
        for index, group in enumerate(self.param_groups):
            for place, parameter in enumerate(group["params"]):
                if parameter in self.state or not (parameter.requires_grad or parameter.grad is not None):
                    continue
                check_parameter(group.rule, parameter, group.name_of(place, index))
                self.state[parameter] = made_states(
                    group.rule, parameter, self._options.state_dtype, self._options.rounding
                )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Step further parameters from now on; `"rule"` and knobs in the group are its own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = self._group(param_group)
        own, self.defaults = self.defaults, {}
        before = list(self.param_groups)
        try:
            # Its defaults are those of its own rule, and what it shares is told by name here.
            group.settle("params", listed(group["params"]))
            check_shared(before, group)
            super().add_param_group(group)
        finally:
            self.defaults = own
        self._marks.stale = True
        if before and isinstance(self.state, States):
            try:
                self._make_states()
            except BadValue:
                self.param_groups = before
                raise

    def _group(self, given: Mapping[str, Any]) -> Group:
        """Make a group of what torch or a user gives for one."""
        named = given.get("rule")
        rule = self._rule if named is None else find_rule(named)
        if rule is None:
            raise BadValue(
                "there is no rule for a group", 'Give Optimizer(params, rule="adam"), or each group its "rule".'
            )
        check_keys(given, rule)
        told = self._told_to(rule) | settings_of(given, rule)
        rule = rule.sized(told)
        rest = {name: value for name, value in given.items() if name not in rule.knobs and name != "rule"}
        entries = {"maximize": self.defaults["maximize"], "differentiable": False, **rest}
        return Group(rule, told, entries, self._marks)

    def _told_to(self, rule: Rule) -> dict[str, Any]:
        """Give the keywords of the optimizer that are knobs of a rule."""
        return {name: v for name, v in spelled_out(rule, self._told).items() if name in rule.knobs}

    def _defaults(self) -> dict[str, Any]:
        """List what all groups have, as schedules look it up: the knobs of the rule, and torch's own."""
        first, *others = self.param_groups
        shared = {
            name: value for name, value in first.items()
            if name not in ("params", "param_names", "rule", SCHEDULES) and all(name in other for other in others)
        }  # fmt: skip
        if self._rule is not None:
            group = Group(self._rule, self._told_to(self._rule), {}, Marks())
            shared = {name: group.get(name, value) for name, value in shared.items()}
        return {**shared, **self.defaults}

    def tell(self, *, loss: Any = None, h: Sequence[Tensor | None] | Mapping[Tensor, Tensor] | None = None) -> None:
        """Say what the next step reads besides gradients, for rules that do: the loss at x, and a second tensor each.

        `h`: in the order of the parameters, or by parameter. A closure that returns the loss says it too.
        """
        if loss is not None:
            self._given.loss = loss
        if h is not None:
            parameters = [parameter for group in self.param_groups for parameter in group["params"]]
            if not isinstance(h, Mapping) and len(h) != len(parameters):
                raise BadValue(f"h has {len(h)} entries, the optimizer {len(parameters)} parameters", "Give one each.")
            pairs = h.items() if isinstance(h, Mapping) else zip(parameters, h, strict=True)
            self._given.h = {parameter: each.detach() for parameter, each in pairs if each is not None}

    def eval(self) -> Mode:
        """Put the parameters to evaluate with in place: what a rule assigns to `x_eval`, for others what is there.

        As a context, `with opt.eval(): ...`, it goes back at the end. Steps are refused meanwhile. Raises BadValue for
        a rule whose `x_eval` is made of what is gone after the step.
        """
        if self._evaluates:
            return Mode(lambda: None)
        with torch.no_grad():
            if self._is_stale():
                self._prepare()
            modes.evaluate([bucket for bucket, _ in self._lines], self.state)
        self._marks.stale = self._evaluates
        return Mode(self.train)

    def train(self) -> Mode:
        """Put the parameters of training back where those of evaluation are, to the bit."""
        if not self._evaluates:
            return Mode(lambda: None)
        with torch.no_grad():
            modes.train(self.state)
        return Mode(self.eval)

    @property
    def _evaluates(self) -> bool:
        return any(TRAINED in own for own in self.state.values() if isinstance(own, dict))

    @property
    def ways(self) -> list[tuple[str, str]]:
        """How each bucket of tensors is stepped, and why not in a quicker way."""
        return [(way.name, way.why) for _, way in self._lines]

    def state_dict(self) -> dict[str, Any]:
        """Give all that another optimizer needs to go on exactly: tensors, numbers, texts, lists and dictionaries.

        It is torch's dictionary; the text of each group's rule is among it.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        made = checkpoints.packed(self.param_groups, self.state)
        for hook in self._optimizer_state_dict_post_hooks.values():
            told = hook(self, made)
            made = made if told is None else told
        return made

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave, to the last bit: every state keeps its dtype.

        Raises BadValue, and changes nothing, if the state is of another rule or of other parameters.
        """
        saved = dict(state_dict)
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            told = hook(self, saved)
            saved = saved if told is None else told
        read = checkpoints.read(saved, self.param_groups, self._options)
        for group, knobs, entries in zip(self.param_groups, read.knobs, read.entries, strict=True):
            group.restore(knobs)
            group.update(entries)
        self.state = States(read.states, self._marks)
        self._marks.stale = True
        if not self._evaluates:
            self._prepare()
            self._follow()
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    @classmethod
    def resume(cls, params: Iterable[Any], rule: Any = None, *, state: Mapping[str, Any], **given: Any) -> Any:
        """Go on where an optimizer of torch stopped, whose `state_dict()` is `state`.

        Its knobs are taken over, but for those given here. `rule`: left out, the rule that is torch's is found. Raises
        BadValue where the rule is not what torch's optimizer did. `torch_state_dict` is the way back.
        """
        told = resumption.resumed(params, cls.rule if rule is None else rule, state, given)
        made = cls(told.groups, **given) if cls.rule is not None else cls(told.groups, rule, **given)
        made.load_state_dict(told.state)
        return made

    def torch_state_dict(self) -> dict[str, Any]:
        """Give the state as torch's own optimizer of the same rule loads it; raises UnknownName where there is none."""
        if self._is_stale():
            self._prepare()
        return resumption.written_for_torch(self.param_groups, self.state)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": {key: dict(own) if isinstance(own, dict) else own for key, own in self.state.items()},
            "param_groups": [dict(group) for group in self.param_groups],
            "made_with": (self._rule, self._options, self._told),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = dict(state)
        if "made_with" in own:
            self._set_up(*own.pop("made_with"))
        groups, states = own.pop("param_groups", None), own.pop("state", None)
        super().__setstate__(own)
        if groups is not None:
            self.param_groups = [self._restored(group) for group in groups]
        if states is not None:
            self.state = States(states, self._marks)
        self._marks.stale = True

    def _restored(self, entries: Mapping[str, Any]) -> Group:
        """Make a group of another one's entries."""
        group = self._group(entries)
        group.restore({**{name: group[name] for name in group.rule.knobs}, **settings_of(entries, group.rule)})
        return group

    def __repr__(self) -> str:
        """Say the groups as torch does, with the name of each rule, and how each bucket is stepped."""
        lines = [f"{type(self).__name__} ("]
        for index, group in enumerate(self.param_groups):
            said = {**group, "rule": group["rule"].name if isinstance(group["rule"], Rule) else group["rule"]}
            shown = (f"    {key}: {said[key]}" for key in sorted(said) if key != "params")
            lines += [f"Parameter Group {index}", *shown]
        for bucket, way in self._lines:
            many, why = len(bucket.tensors), f" ({way.why})" if way.why else ""
            lines.append(f"{bucket.rule.name}: {many:,} tensor{'s' * (many != 1)} by {way.name}{why}")
        return "\n".join([*lines, ")"])
