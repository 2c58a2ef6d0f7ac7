"""The knobs of an optimizer as they are now: numbers by name, read and set. It steps nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

from mhat.engines.kernels.step import knob_values
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.notation import cut
from mhat.schedules import Schedule, meant

Array = Any


class Knobs(Mapping[str, float]):
    """The knobs of a rule with their values, as an optimizer has them: `opt.knobs["lr"] = 3e-4`.

    What is set is checked first, and holds from the next step on. A schedule (of `mhat.schedules`, as text, or a
    function of the step number) is followed from there on, until a number is set. `more`: what the refusal of an
    unknown name adds.
    """

    def __init__(self, rule: Rule, more: str = "") -> None:
        self._rule = rule
        self._more = more
        self._step = 1
        # Those that were set; the others follow where their defaults are made of other knobs.
        self._told: dict[str, float] = {}
        self.schedules: dict[str, Schedule] = {}
        self._set(dict(rule.knobs))

    def update(self, given: Mapping[str, Any]) -> None:
        """Set several knobs, or none of them: raises UnknownName or BadValue."""
        for name in given:
            if name not in self._rule.knobs:
                raise self._rule.unknown_knob(str(name), self._more)
        found = {name: meant(value) for name, value in given.items()}
        schedules = {name: one for name, one in found.items() if one is not None}
        begun = {name: one(self._step) for name, one in schedules.items()}
        self._tell({**{name: _number(name, value) for name, value in given.items() if found[name] is None}, **begun})
        self.schedules = {name: one for name, one in self.schedules.items() if name not in given} | schedules

    def follow(self, step: int) -> None:
        """Set the knobs that follow a schedule for a step, counted from 1; raises BadValue for what none can be."""
        self._step = step
        if not self.schedules:
            return
        try:
            self._tell({name: schedule(step) for name, schedule in self.schedules.items()})
        except BadValue as error:
            raise BadValue(f"at step {step} of its schedule: {error.what}", error.cure) from None

    @property
    def given(self) -> dict[str, float | Schedule]:
        """The knobs as another optimizer would be given them: numbers, and schedules where they are followed."""
        return {**self, **self.schedules}

    def _tell(self, numbers: dict[str, float]) -> None:
        self._rule.check_knobs(numbers)
        self._check_ranks(numbers)
        told = {**self._told, **numbers}
        made = self._rule.settled(told)
        self._rule.check_knobs(made)
        self._told = told
        self._set({**self._rule.knobs, **made})

    def restore(self, values: Mapping[str, float]) -> None:
        """Take over all values of another optimizer: what differs from what its default makes of the others was set."""
        self._rule.check_knobs(dict(values))
        self._check_ranks(values)
        told = dict(values)
        for knob in reversed(self._rule.tree.knobs):
            rest = {name: value for name, value in told.items() if name != knob.name}
            if knob.expression is not None and self._rule.settled(rest).get(knob.name) == values[knob.name]:
                told = rest
        self._told = told
        self._set(dict(values))

    def _check_ranks(self, values: Mapping[str, float]) -> None:
        """Refuse to change what states have their shapes of."""
        for name, count in self._rule.ranks.items():
            if values.get(name[1:], count) != count:
                raise BadValue(
                    f"`{name[1:]}` gives states their shapes, and cannot be changed", "Make another optimizer with it."
                )

    def _set(self, values: dict[str, float]) -> None:
        # One assignment, so that a step in another thread sees all of it or nothing.
        self.now: tuple[dict[str, float], Array] = values, knob_values(self._rule, values)

    def __getitem__(self, name: str) -> float:
        return self.now[0][name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __iter__(self) -> Iterator[str]:
        return iter(self.now[0])

    def __len__(self) -> int:
        return len(self.now[0])

    def __repr__(self) -> str:
        return repr(self.now[0])


def _number(name: str, value: Any) -> float:
    # A scalar of NumPy, torch or JAX, as schedules give them.
    plain = value.item() if getattr(value, "shape", None) == () else value
    if isinstance(plain, bool) or not isinstance(plain, Real):
        raise BadValue(
            f"{name}={cut(repr(value))} is not a number", f"Give {name} a number; set it anew when it changes."
        )
    try:
        return float(plain)
    except OverflowError:
        raise BadValue(f"{name} is a number that no float can hold", "Give a smaller one, or inf.") from None
