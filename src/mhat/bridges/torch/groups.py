"""Parameter groups: torch's dictionaries, in which a knob has one value in all its spellings. It steps nothing.

`group["betas"]` and `group["beta1"]` are the same number, so that torch's schedules, which write the first, and people,
who may write either, mean one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mhat.bridges.numpy.knobs import Knobs
from mhat.bridges.torch.gradients import uphill
from mhat.bridges.torch.watched import Marks, Watched
from mhat.errors import BadValue, UnknownName
from mhat.language.definition import Rule
from mhat.notation import cut
from mhat.schedules import meant

BETAS = "betas"
# The key under which a group says which knobs follow which schedules.
SCHEDULES = "schedules"
# Keys of a group that change what is prepared for steps.
PREPARED = ("params", "maximize")
# torch's keys for how a step is computed.
COMPUTED = ("foreach", "fused", "capturable")


def together(rule: Rule) -> tuple[str, ...]:
    """List the knobs that `betas` holds: beta1, and those that follow it.

    >>> from mhat.rules import adam, sgd
    >>> together(adam), together(sgd)
    (('beta1', 'beta2'), ())
    """
    names: list[str] = []
    while f"beta{len(names) + 1}" in rule.knobs:
        names.append(f"beta{len(names) + 1}")
    return tuple(names)


def spelled_out(rule: Rule, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Write `betas` as beta1, beta2 ...; raises BadValue where both are given or the number is wrong."""
    out = dict(knobs)
    names = together(rule)
    if BETAS not in out or not names:
        return out
    return {**out, **_parted(rule, out.pop(BETAS), out)}


def _parted(rule: Rule, betas: Any, besides: Iterable[str] = ()) -> dict[str, Any]:
    names = together(rule)
    if not isinstance(betas, tuple | list) or len(betas) != len(names):
        raise BadValue(
            f"betas={cut(repr(betas))} is not {len(names)} numbers, and {rule.name} has {' and '.join(names)}",
            f"Give betas=({', '.join(str(rule.knobs[name]) for name in names)}), say.",
        )
    for name in names:
        if name in besides:
            raise BadValue(f"{name} is given twice, also in betas={cut(repr(betas))}", "Give it once.")
    return dict(zip(names, betas, strict=True))


class Group(Watched):
    """One group: its rule, the knobs as they are now, and whatever else torch or a user keeps in it."""

    def __init__(self, rule: Rule, knobs: Mapping[str, Any], entries: Mapping[str, Any], marks: Marks) -> None:
        super().__init__({**entries, "rule": rule}, marks)
        self.rule = rule
        self.knobs = Knobs(rule)
        # Knobs whose value is a tensor are read at each step: it is changed in place.
        self._tensors: dict[str, Any] = {}
        self._tell(knobs)

    @property
    def stepped(self) -> Rule:
        """The rule as it is stepped: up the gradient, where the group says so."""
        return uphill(self.rule) if self.get("maximize") else self.rule

    def now(self) -> dict[str, float]:
        """Give the knobs as they are now."""
        for name, tensor in self._tensors.items():
            value = float(tensor)
            if value != self.knobs[name]:
                self.knobs.update({name: value})
                self._show()
        return self.knobs.now[0]

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over all knobs of another group, a text for one that follows a schedule.

        What its default makes of the others goes on following them.
        """
        followed = {name: value for name, value in values.items() if isinstance(value, str)}
        plain = {name: self.knobs[name] if name in followed else value for name, value in values.items()}
        self.knobs.restore({name: as_number(value) for name, value in plain.items()})
        self.knobs.schedules = {}
        self.knobs.update(followed)
        self._tensors = {name: value for name, value in plain.items() if hasattr(value, "fill_")}
        self._show()

    def name_of(self, place: int, index: int) -> str:
        """Say how messages call a parameter: by its own name, if it was given with one."""
        names = self.get("param_names")
        return str(names[place]) if names else f"param_groups[{index}]['params'][{place}]"

    def __setitem__(self, key: Any, value: Any) -> None:
        if key == BETAS and together(self.rule):
            self._tell(_parted(self.rule, value))
        elif key in self.knobs:
            self._tell({key: value})
        elif key == "rule":
            if value != self.rule:
                raise BadValue(
                    f"the rule of a group cannot be changed: it is {self.rule.name}", "Make another optimizer."
                )
        elif key in PREPARED:
            super().__setitem__(key, value)
        else:
            self.settle(key, value)

    def _tell(self, given: Mapping[str, Any]) -> None:
        """Set knobs, or none of them; raises UnknownName or BadValue."""
        for name, value in given.items():
            followed = None if hasattr(value, "fill_") else meant(value)
            if followed is not None and not followed.recipe:
                raise BadValue(
                    f"{name} follows a function of yours, which torch's state cannot carry",
                    "Take one of mhat.schedules, or torch's LambdaLR.",
                )
        self.knobs.update({name: as_number(value) for name, value in given.items()})
        for name, value in given.items():
            self._tensors.pop(name, None)
            if hasattr(value, "fill_"):
                self._tensors[name] = value
        self._show()

    def follow(self, step: int) -> None:
        """Set the knobs that follow schedules for a step, counted from 1; raises BadValue for what none can be."""
        self.knobs.follow(step)
        self._show()

    def _show(self) -> None:
        """Let the entries say what the knobs are, also those that follow from others."""
        for name in self.knobs:
            self.settle(name, self._tensors.get(name, self.knobs[name]))
        followed = {name: schedule.recipe for name, schedule in self.knobs.schedules.items()}
        if followed or SCHEDULES in self:
            self.settle(SCHEDULES, followed)
        names = together(self.rule)
        if names:
            self.settle(BETAS, tuple(self[name] for name in names))


def as_number(value: Any) -> Any:
    """Give the number of a tensor of one element, as torch takes it for lr; other values as they are."""
    return value.item() if hasattr(value, "fill_") and value.numel() == 1 else value


def settings_of(group: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    """Take the knobs of a rule out of a group, spelled out; where a group has both spellings, the single one counts."""
    names = together(rule)
    told = {name: value for name, value in group.items() if name in rule.knobs}
    betas = group.get(BETAS)
    followed = {name: text for name, text in (group.get(SCHEDULES) or {}).items() if name in rule.knobs}
    return {**(_parted(rule, betas) if names and betas is not None else {}), **told, **followed}


def check_keys(group: Mapping[str, Any], rule: Rule) -> None:
    """Refuse what in a new group is meant for a knob that its rule does not have; raises UnknownName or BadValue.

    Other entries are the user's own, as in torch.
    """
    for key, value in group.items():
        if key == BETAS and not together(rule):
            raise BadValue(f"{rule.name} has no betas", "Leave them out.")
        if key in rule.knobs or key in ("params", "param_names", "rule", BETAS, SCHEDULES, *PREPARED):
            continue
        if key in COMPUTED and value:
            raise BadValue(f"`{key}` is torch's way to say how a step is computed", "Leave it out: see opt.ways.")
        if key == "differentiable" and value:
            raise BadValue(
                "differentiable=True: steps are taken in place, and no gradient goes through them",
                "Use optax for that: mhat.bridges.optax.transformation(rule).",
            )
        if key == "weight_decay" and value:
            raise BadValue(
                f"{rule.name} has no weight_decay, and weight_decay={value!r} asks for it",
                f"Give a rule that has: decoupled_decay({rule.name}) (mhat.modifiers.decoupled_decay).",
            )
        unknown = rule.unknown_knob(str(key))
        if isinstance(unknown, UnknownName) and _is_near(str(key), rule):
            raise unknown


def _is_near(key: str, rule: Rule) -> bool:
    """Whether a key looks like a slip of the pen: one letter more, less or other than a knob."""
    if key in ("initial_lr", "max_lr", "min_lr"):
        return False
    return any(len(name) > 2 and abs(len(name) - len(key)) < 2 and _apart(key, name) <= 2 for name in rule.knobs)


def _apart(first: str, second: str) -> int:
    """Count the letters to change, add or leave out."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        before, row = row, [i]
        for j, b in enumerate(second, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1]


def check_told(told: Mapping[str, Any], rules: Iterable[Rule]) -> None:
    """Refuse keywords of an optimizer that are knobs of none of its rules; raises UnknownName or BadValue."""
    rules = list(dict.fromkeys(rules))
    known = {name for rule in rules for name in (*rule.knobs, *((BETAS,) if together(rule) else ()))}
    for name, value in told.items():
        if name in known:
            continue
        check_keys({name: value}, rules[0])
        if len(rules) == 1:
            raise rules[0].unknown_knob(name)
        raise UnknownName(f"knob of {' or '.join(rule.name for rule in rules)}", name, known)
