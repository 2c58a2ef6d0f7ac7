"""The states of torch's own optimizers, read and written: a training goes on in ours, and back. It steps nothing.

What is exact: the states, the numbers of steps, and the knobs. How the next step is rounded is each one's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mhat.bridges.torch.counterparts import COUNTERPARTS, Counterpart
from mhat.bridges.torch.groups import Group, settings_of
from mhat.bridges.torch.states import STEP
from mhat.bridges.torch.watched import States
from mhat.errors import BadValue, UnknownName
from mhat.language.definition import Rule
from mhat.mistakes.dialects import dialects_of
from mhat.names import find_rule
from mhat.printers.python import rule_text

Tensor = Any
ENTRY = re.compile(r"(-?)(\w+)(?:\[(\d)\])?")
GIVE = "Give what state_dict() of an optimizer of torch returned."


@dataclass(frozen=True)
class Resumed:
    """What goes on: the groups to make an optimizer of, and the state to load into it."""

    groups: list[dict[str, Any]]
    state: dict[str, Any]


def resumed(params: Iterable[Any], rule: Any, state: Any, told: Mapping[str, Any]) -> Resumed:
    """Read the state of an optimizer of torch for these parameters; raises UnknownName or BadValue.

    `rule`: the rule to go on by; None for the one that is torch's to the bit. `told`: knobs that are set otherwise.
    """
    if not isinstance(state, Mapping) or not {"state", "param_groups"} <= state.keys():
        raise BadValue("the state has no `state` and `param_groups`", GIVE)
    if any("rule" in group for group in state["param_groups"]):
        raise BadValue("the state is one of an optimizer of rules", "Go on from it with opt.load_state_dict(state).")
    theirs = state["param_groups"]
    shares = _shared_out(params, theirs)
    groups, written, states = [], [], {}
    for index, (share, group) in enumerate(zip(shares, theirs, strict=True)):
        kept = [state["state"].get(number) or {} for number in group["params"]]
        own = share.get("rule", rule)
        named = _rule_found(group, kept) if own is None else find_rule(own)
        known = _counterpart(named)
        _check_held(named, known, group, kept, index)
        first = _tensor(share["params"])
        otherwise = {**settings_of(told, named), **settings_of(share, named)}
        knobs = {**named.knobs, **_knobs(known, group, first), **otherwise}
        groups.append({"maximize": group.get("maximize", False), **share, **knobs, "rule": named})
        written.append({**knobs, "params": group["params"], "rule": rule_text(named.tree)})
        for number, before in zip(group["params"], kept, strict=True):
            if before:
                states[number] = _states(named, known, before, number)
    return Resumed(groups, {"state": states, "param_groups": written})


def _shared_out(params: Iterable[Any], theirs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put parameters into groups as the state has them."""
    listed = list(params)
    sizes = [len(group["params"]) for group in theirs]
    if listed and isinstance(listed[0], dict):
        groups = [{**group, "params": list(group["params"])} for group in listed]
        ours = [len(group["params"]) for group in groups]
        if ours != sizes:
            raise BadValue(f"the groups have {ours} parameters, those of the state {sizes}", "Give the same groups.")
        return groups
    if len(listed) != sum(sizes):
        raise BadValue(f"there are {len(listed)} parameters, the state has {sum(sizes)}", "Give those it is of.")
    return [{"params": listed[sum(sizes[:i]) : sum(sizes[: i + 1])]} for i in range(len(sizes))]


def _tensor(params: Sequence[Any]) -> Tensor | None:
    first = params[0] if params else None
    return first[1] if isinstance(first, tuple) else first


def _rule_found(group: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> Rule:
    """Find the rule that a group of torch is of, in torch's own form."""
    for name, known in COUNTERPARTS.items():
        if _is_of(known, group, kept) and not _other(known, group):
            rule = find_rule(name)
            return _in_dialect(rule, known.dialect) if known.dialect else rule
    raise BadValue(
        "the state is of no rule that is known to be torch's", f"Give rule=...: one of {', '.join(COUNTERPARTS)}."
    )


def _in_dialect(rule: Rule, name: str) -> Rule:
    return next(form for chosen, form in dialects_of(rule) if [dialect.name for dialect in chosen] == [name])


def _counterpart(rule: Rule) -> Counterpart:
    if rule.name not in COUNTERPARTS:
        raise UnknownName("rule that torch.optim has too", rule.name, COUNTERPARTS)
    return COUNTERPARTS[rule.name]


def _is_of(known: Counterpart, group: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a group has the entries of this class, and its states the names."""
    wanted = {ENTRY.fullmatch(place)[2] for place in known.knobs.values()} | known.held.keys()  # type: ignore[index]
    optional = {"decoupled_weight_decay"}
    return (
        wanted - optional <= group.keys()
        and not any(name in group for name in known.without)
        and all(not before or set(known.states.values()) <= before.keys() for before in kept)
    )


def _other(known: Counterpart, group: Mapping[str, Any]) -> list[str]:
    """List the entries of a group that are otherwise than the rule has it."""
    return [
        name for name, wanted in known.held.items()
        if name in group and group[name] != wanted and not (isinstance(wanted, tuple) and group[name] in wanted)
    ]  # fmt: skip


def _check_held(
    rule: Rule, known: Counterpart, group: Mapping[str, Any], kept: Sequence[Mapping[str, Any]], index: int
) -> None:
    if not _is_of(known, group, kept):
        has = sorted({str(name) for before in kept for name in before})
        raise BadValue(
            f"group {index} of the state has {', '.join(has) or 'no states'}: it is not of torch's {known.optimizer}",
            f"Leave rule= out, and it is found; {rule.name} goes on from {known.optimizer}.",
        )
    for name in _other(known, group):
        cure = "Leave rule= out, and it is found."
        if name == "weight_decay":
            having = [
                other for other, its in COUNTERPARTS.items()
                if name in its.knobs and its.optimizer in (known.optimizer, f"{known.optimizer}W")
            ]  # fmt: skip
            cure = f"Give a rule that has it: {' or '.join(having)}." if having else "No rule here is torch's then."
        raise BadValue(f"group {index} of the state has {name}={group[name]!r}, which {rule.name} does not have", cure)


def _knobs(known: Counterpart, group: Mapping[str, Any], parameter: Tensor | None) -> dict[str, Any]:
    knobs = {}
    for name, place in known.knobs.items():
        minus, entry, number = ENTRY.fullmatch(place).groups()  # type: ignore[union-attr]
        value = group[entry] if number is None else group[entry][int(number)]
        if value is None and parameter is not None:
            # torch's Adafactor means the precision of the parameter.
            value = torch.finfo(parameter.dtype).eps
        knobs[name] = -value if minus else value
    return knobs


def _states(rule: Rule, known: Counterpart, before: Mapping[str, Any], number: int) -> dict[str, Any]:
    made: dict[str, Any] = {STEP: before.get(STEP, 1.0)}
    for ours, theirs in known.states.items():
        value = before[theirs]
        if value is None:
            raise BadValue(f"the state of parameter {number} has no {theirs}", f"Give {rule.name} what it steps.")
        made[ours] = value
    if rule.name == "rprop":
        made["move_last"] = torch.sign(before["prev"]) * before["step_size"]
    return made


def written_for_torch(groups: Sequence[Group], states: States) -> dict[str, Any]:
    """Write groups and states as torch's own optimizer of the same rules has them; raises UnknownName or BadValue."""
    names = {_counterpart(group.rule).optimizer for group in groups}
    if len(names) > 1:
        raise BadValue(f"the groups are of torch's {' and '.join(sorted(names))}", "Make an optimizer of each.")
    number, written, kept = 0, [], {}
    for group in groups:
        known = _counterpart(group.rule)
        numbers = []
        for parameter in group["params"]:
            if parameter in states and float(states[parameter][STEP]):
                kept[number] = _for_torch(known, group, states[parameter])
            numbers.append(number)
            number += 1
        written.append({**_entries(known, group), "params": numbers})
    return {"state": kept, "param_groups": written}


def _entries(known: Counterpart, group: Group) -> dict[str, Any]:
    """Give the entries of a group of torch: its own defaults, with our knobs."""
    entries = dict(getattr(torch.optim, known.optimizer)([torch.nn.Parameter(torch.zeros(1, 1))]).defaults)
    entries |= {name: value[0] if isinstance(value, tuple) and name == "adjust_lr_fn" else value
                for name, value in known.held.items()}  # fmt: skip
    for name, place in known.knobs.items():
        minus, entry, number = ENTRY.fullmatch(place).groups()  # type: ignore[union-attr]
        value = -group[name] if minus else group[name]
        if number is not None:
            several = list(entries[entry])
            several[int(number)] = value
            value = tuple(several)
        entries[entry] = value
    if "maximize" in entries:
        entries["maximize"] = bool(group.get("maximize"))
    shared = {name: group[name] for name in ("initial_lr", "param_names") if name in group}
    return {**entries, **shared}


def _for_torch(known: Counterpart, group: Group, own: Mapping[str, Tensor]) -> dict[str, Any]:
    made = {theirs: own[ours].detach().clone() for ours, theirs in known.states.items()}
    step = float(own[STEP])
    if known.optimizer not in ("SGD", "Muon"):
        made[STEP] = torch.tensor(step)
    if "mu_product" in made:
        made["mu_product"] = made["mu_product"].to(torch.get_default_dtype())
    if known.optimizer == "ASGD":
        lr, lambd = float(group["lr"]), float(group["lambd"])
        made["eta"] = torch.tensor(lr / (1 + lambd * lr * step) ** float(group["alpha"]))
        made["mu"] = torch.tensor(1 / max(1.0, step - float(group["t0"])))
    return made
