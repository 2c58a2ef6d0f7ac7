"""What an optimizer carries, as torch's dictionary of plain things, and back to the last bit. It steps nothing.

torch's own loader casts states to the dtype of their parameter, by which a counter of 1001 becomes 1000 in bfloat16;
here every state keeps its dtype. The rule goes along as its text.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mhat.bridges.torch.groups import SCHEDULES, Group, as_number, settings_of, together
from mhat.bridges.torch.options import Options
from mhat.bridges.torch.states import STEP, TRAINED, dtype_name, made_states
from mhat.bridges.torch.watched import States
from mhat.dtypes import DTYPES
from mhat.engines.step_form import LOST
from mhat.errors import BadValue, LanguageError
from mhat.language import rule as rule_of
from mhat.language.definition import Rule
from mhat.printers.python import rule_text

Tensor = Any
SAME = "Give the state of an optimizer of the same rules and parameters."
# States that are kept beside those of the rule: they may be there or not.
BESIDE = (LOST, TRAINED)


def packed(groups: Sequence[Group], states: States) -> dict[str, Any]:
    """Write groups and states as torch does: parameters by their number, and rules as their text."""
    numbers = {
        id(parameter): number
        for number, parameter in enumerate(parameter for group in groups for parameter in group["params"])
    }
    written = []
    for group in groups:
        entries = {key: value for key, value in group.items() if key != "params"}
        entries["rule"] = rule_text(group.rule.tree)
        written.append({**entries, "params": [numbers[id(parameter)] for parameter in group["params"]]})
    kept = {
        numbers[id(key)] if isinstance(key, torch.Tensor) else key: dict(own) if isinstance(own, dict) else own
        for key, own in states.items()
        if not isinstance(key, torch.Tensor) or id(key) in numbers
    }
    return {"state": kept, "param_groups": written}


@dataclass(frozen=True)
class Read:
    """A state that was read and found good: for each group its knobs and its other entries, and the states."""

    knobs: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    states: dict[Any, Any]


def read(saved: Mapping[str, Any], groups: Sequence[Group], options: Options) -> Read:
    """Read what `packed` wrote, for these groups; raises BadValue, and warns once of what groups lack."""
    if not isinstance(saved, Mapping) or not {"state", "param_groups"} <= saved.keys():
        raise BadValue("this is no state of an optimizer: it has no `state` and `param_groups`", SAME)
    theirs = saved["param_groups"]
    if len(theirs) != len(groups):
        raise BadValue(f"the state has {len(theirs)} parameter groups, this optimizer {len(groups)}", SAME)
    knobs, entries, lacking = [], [], dict[str, None]()
    states = {key: value for key, value in saved["state"].items() if isinstance(key, str)}
    for index, (group, other) in enumerate(zip(groups, theirs, strict=True)):
        if len(group["params"]) != len(other["params"]):
            raise BadValue(
                f"group {index} of the state has {len(other['params'])} parameters, here it has {len(group['params'])}",
                SAME,
            )
        own = [saved["state"].get(number) for number in other["params"]]
        _check_rule(group.rule, other, own)
        for place, (parameter, kept) in enumerate(zip(group["params"], own, strict=True)):
            if kept:
                states[parameter] = _states(group.rule, parameter, kept, group.name_of(place, index), options)
        told = settings_of(other, group.rule)
        lacking.update(dict.fromkeys(name for name in group.rule.knobs if name not in told))
        group.rule.check_knobs({name: as_number(v) for name, v in told.items() if not isinstance(v, str)})
        knobs.append({name: told.get(name, group[name]) for name in group.rule.knobs})
        entries.append(_entries(group, other))
    if lacking:
        warnings.warn(f"the state has no {', '.join(lacking)}: groups keep what they have", UserWarning, stacklevel=4)
    return Read(knobs, entries, states)


def _entries(group: Group, other: Mapping[str, Any]) -> dict[str, Any]:
    betas = ("betas",) if together(group.rule) else ()
    own = ("params", "rule", SCHEDULES, *betas, *group.rule.knobs)
    return {key: value for key, value in other.items() if key not in own}


def _check_rule(rule: Rule, group: Mapping[str, Any], states: Sequence[Any]) -> None:
    """Refuse the state of another rule; one without the text of a rule must have the states of this one."""
    text = group.get("rule")
    if text is None:
        _check_names(rule, states)
        return
    try:
        other = text if isinstance(text, Rule) else rule_of(str(text))
    except LanguageError as error:
        raise BadValue(f"the rule in the state cannot be read: {error.what}", SAME) from None
    if any(getattr(other.tree, part) != getattr(rule.tree, part) for part in ("body", "result", "flatten")):
        raise BadValue(
            f"the state is of the rule {other.name}, this group has {rule.name}"
            if other.name != rule.name
            else f"the state is of another rule of the name {other.name}",
            "Make the optimizer with the rule of the state.",
        )


def _check_names(rule: Rule, states: Sequence[Any]) -> None:
    """Say of a state without a rule, as torch's own optimizers write it, how to go on from it."""
    for kept in states:
        others = [str(name) for name in kept or () if name not in (STEP, *BESIDE, *rule.tree.state_names)]
        if others:
            raise BadValue(
                f"the state has {', '.join(others)}, and {rule.name} has {', '.join(rule.tree.state_names) or 'none'}",
                f'To go on where an optimizer of torch stopped: Optimizer.resume(params, rule="{rule.name}", '
                "state=state).",
            )


def _states(rule: Rule, parameter: Tensor, kept: Mapping[str, Any], name: str, options: Options) -> dict[str, Tensor]:
    """Copy the states of a parameter, each in the dtype that it has; raises BadValue where they do not fit."""
    homes = made_states(rule, parameter, options.state_dtype, options.rounding)
    for state in (STEP, *rule.tree.state_names):
        if state not in kept:
            raise BadValue(f"the state of {name} lacks `{state}`", SAME)
    for state, value in kept.items():
        if state in BESIDE:
            homes[state] = torch.empty_like(parameter, requires_grad=False)
        if state not in homes:
            raise BadValue(f"the state of {name} has `{state}`, which {rule.name} does not have", SAME)
        homes[state] = _copied(homes[state], value, f"`{state}` of {name}", state == STEP)
    return homes


def _copied(home: Tensor, value: Any, called: str, is_step: bool) -> Tensor:
    if not isinstance(value, torch.Tensor):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValue(f"{called} is {type(value).__name__}", SAME)
        value = torch.tensor(float(value), dtype=torch.float64)
    if dtype_name(value.dtype) not in DTYPES and not (is_step and not value.is_complex()):
        raise BadValue(f"{called} is {value.dtype}", f"Give one of {', '.join(DTYPES)}.")
    if value.shape != home.shape:
        if value.numel() != 1 or home.numel() != 1:
            raise BadValue(f"{called} has the shape {tuple(value.shape)}, not {tuple(home.shape)}", SAME)
        value = value.reshape(home.shape)
    # Numbers of a step are doubles, whatever torch counts in.
    dtype = home.dtype if home.dtype == torch.float64 and not home.dim() else value.dtype
    made = torch.empty_like(home, dtype=dtype)
    made.copy_(value)
    return made
