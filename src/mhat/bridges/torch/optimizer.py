"""A rule as a `torch.optim.Optimizer`, in every respect. It knows no model and no loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import is_
from typing import Any

import torch

from mhat.bridges.torch.buckets import Bucket, Given, fill
from mhat.bridges.torch.groups import BETAS, Group, check_keys, settings_of, spelled_out, together
from mhat.bridges.torch.options import options_of
from mhat.bridges.torch.states import made_states
from mhat.bridges.torch.watched import Marks, States
from mhat.bridges.torch.ways.choice import choose_way
from mhat.bridges.torch.ways.way import Way
from mhat.errors import BadValue, UnknownName
from mhat.language.definition import Rule
from mhat.names import find_rule

Tensor = Any


class Optimizer(torch.optim.Optimizer):  # type: ignore[misc]
    """Steps the parameters of a model by a rule.

    `params`: as torch has them: tensors, named tensors, or groups, each with `"rule"` and knobs of its own. `rule`: a
    rule, a function written as one, or a name. Knobs are keywords, `betas=(0.9, 0.999)` among them.

    Options: `missing`, `as_written`, `state_dtype`, `rounding`, `seed`, `flush_denormals`, `threads` as those of
    `mhat.Optimizer`; `maximize`: go up the gradient; `amp_scaling`: let a GradScaler leave the unscaling, and the skip
    of a step with an overflow, to the step.

    Raises UnknownName for a knob that no rule has, BadValue for what cannot be stepped.

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
        **knobs: Any,
    ) -> None:
        self._options = options_of({
            "missing": missing, "as_written": as_written, "state_dtype": state_dtype, "rounding": rounding,
            "seed": seed, "flush_denormals": flush_denormals, "threads": threads, "amp_scaling": amp_scaling,
        })  # fmt: skip
        self._rule = None if rule is None else find_rule(rule)
        self._told = dict(knobs)
        self._marks, self._given = Marks(), Given()
        self._lines: list[tuple[Bucket, Way]] = []
        self._lists: list[tuple[Any, list[Tensor]]] = []
        self._dormant: list[Tensor] = []
        super().__init__(params, {"maximize": maximize, "differentiable": False})
        self.state = States(self.state, self._marks)
        self._make_states()
        self.defaults = self._defaults()
        self._check_told()
        self._prepare()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step all parameters that have a gradient; `closure` computes the loss anew, which is returned.

        Raises BadValue before anything is written.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            if self._is_stale():
                self._prepare()
            self._step()
        return loss

    def _step(self) -> None:
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
        self._make_states()
        buckets = fill(self.param_groups, self.state, self._options, self._given)
        self._lines = [(bucket, choose_way(bucket)) for bucket in buckets]
        self._lists = [(group, list(group["params"])) for group in self.param_groups]
        self._dormant = [p for group in self.param_groups for p in group["params"] if p not in self.state]
        self._marks.stale = False

    def _make_states(self) -> None:
        """Make the states of parameters that have none; what is frozen waits for a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter not in self.state and (parameter.requires_grad or parameter.grad is not None):
                    own = made_states(group.rule, parameter, self._options.state_dtype, self._options.rounding)
                    self.state[parameter] = own

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Step further parameters from now on; `"rule"` and knobs in the group are its own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = self._group(param_group)
        own, self.defaults = self.defaults, {}
        try:
            # Its defaults are those of its own rule.
            super().add_param_group(group)
        finally:
            self.defaults = own
        self._marks.stale = True

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

    def _check_told(self) -> None:
        """Refuse keywords that are knobs of no rule; raises UnknownName."""
        rules = list(dict.fromkeys([group.rule for group in self.param_groups]))
        known = {name for rule in rules for name in (*rule.knobs, *((BETAS,) if together(rule) else ()))}
        for name, value in self._told.items():
            if name in known:
                continue
            check_keys({name: value}, rules[0])
            if len(rules) == 1:
                raise rules[0].unknown_knob(name)
            raise UnknownName(f"knob of {' or '.join(rule.name for rule in rules)}", name, known)

    def _defaults(self) -> dict[str, Any]:
        """List what all groups have, as schedules look it up: the knobs of the rule, and torch's own."""
        first, *others = self.param_groups
        shared = {
            name: value for name, value in first.items()
            if name not in ("params", "param_names", "rule") and all(name in other for other in others)
        }  # fmt: skip
        if self._rule is not None:
            group = Group(self._rule, self._told_to(self._rule), {}, Marks())
            shared = {name: group.get(name, value) for name, value in shared.items()}
        return {**shared, **self.defaults}

    @property
    def ways(self) -> list[tuple[str, str]]:
        """How each bucket is stepped, and why not in a quicker way."""
        return [(way.name, way.why) for _, way in self._lines]
