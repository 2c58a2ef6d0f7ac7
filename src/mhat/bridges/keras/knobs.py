"""The knobs of a rule as a Keras optimizer has them: numbers, or schedules of Keras. It steps nothing.

The learning rate is Keras's own, in a variable that schedules and callbacks set, unless a rule is given another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

from mhat.bridges.keras.backends import keras, native
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.notation import cut
from mhat.schedules.schedule import Schedule

RATE = "lr"
# What can be a knob: a number, or a schedule of Keras.
Setting = Any


class Knobs(Mapping[str, Setting]):
    """The knobs of a rule with their values, to be read and set by name: `opt.knobs["beta1"] = 0.8`.

    What is set is checked first, and holds from the next step on. `optimizer`: whose learning rate is `lr`, None where
    the rule has one of its own. `more`: what the refusal of an unknown name adds.
    """

    def __init__(self, rule: Rule, optimizer: Any = None, more: str = "") -> None:
        self._rule = rule
        self._optimizer = optimizer if RATE in rule.knobs else None
        self._more = more
        self.told: dict[str, Setting] = {}

    def update(self, given: Mapping[str, Setting]) -> None:
        """Set several knobs, or none of them: raises UnknownName or BadValue."""
        for name in given:
            if name not in self._rule.knobs:
                raise self._rule.unknown_knob(str(name), self._more)
        values = {name: setting_of(name, value) for name, value in given.items()}
        rate = values.pop(RATE, None) if self._optimizer is not None else None
        numbers = {name: value for name, value in values.items() if isinstance(value, float)}
        check_ranges(self._rule, numbers if rate is None else {**numbers, RATE: rate})
        for name in given:
            if (held := self._rule.ranks.get(f"@{name}", values.get(name))) != values.get(name):
                raise BadValue(
                    f"`{name}` gives states their shapes, and stays {held:g}", "Make another optimizer with it."
                )
        self.told.update(values)
        if self._optimizer is not None and rate is not None:
            self._optimizer.learning_rate = rate

    def at(self, iterations: Any) -> dict[str, Any]:
        """Give what was set, but for the learning rate of Keras, at a number of steps: numbers and tensors."""
        return {name: value if isinstance(value, float) else value(iterations) for name, value in self.told.items()}

    @property
    def follows(self) -> bool:
        """Whether `lr` is the learning rate of Keras."""
        return self._optimizer is not None

    def __getitem__(self, name: str) -> Setting:
        if self._optimizer is not None and name == RATE:
            return self._optimizer.learning_rate_set
        known = {**self._rule.knobs, **self._rule.settled(self._numbers()), **self.told}
        return known[name]

    def _numbers(self) -> dict[str, float]:
        numbers = {name: value for name, value in self.told.items() if isinstance(value, float)}
        rate = None if self._optimizer is None else self._optimizer.learning_rate_set
        return {**numbers, RATE: rate} if isinstance(rate, float) else numbers

    def __setitem__(self, name: str, value: Setting) -> None:
        self.update({name: value})

    def __contains__(self, name: object) -> bool:
        # That of Mapping would read the value, which is none yet while JAX traces.
        return name in self._rule.knobs

    def __iter__(self) -> Iterator[str]:
        return iter(self._rule.knobs)

    def __len__(self) -> int:
        return len(self._rule.knobs)

    def __repr__(self) -> str:
        return repr(dict(self))


def setting_of(name: str, value: Any) -> Setting:
    """Give a knob as a plain number, or the schedule that it is; raises BadValue."""
    if isinstance(value, Schedule):
        raise BadValue(
            f"{name} is a schedule of mhat ({value.recipe}), and Keras takes its own alone",
            "Give one of keras.optimizers.schedules.",
        )
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule) or (name == RATE and callable(value)):
        return value
    plain = value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value
    if isinstance(plain, keras.Variable) and not plain.shape:
        plain = float(native(plain))
    if isinstance(plain, bool) or not isinstance(plain, Real):
        raise BadValue(
            f"{name}={cut(repr(value))} is no number", f"Give {name} a number, or a schedule of keras.optimizers."
        )
    try:
        return float(plain)
    except OverflowError:
        raise BadValue(f"{name} is a number that no float can hold", "Give a smaller one, or inf.") from None


def check_ranges(rule: Rule, numbers: Mapping[str, Any]) -> None:
    """Refuse numbers out of their range, of knobs and of those that are made of them; raises BadValue."""
    plain = {name: value for name, value in numbers.items() if isinstance(value, float)}
    rule.check_knobs(plain)
    rule.check_knobs(rule.settled(plain))


def rate_said(found: Any, several: bool, learning_rate: Any, named: Mapping[str, Any], knobs: Any) -> Any:
    """Give the learning rate under either of its names; raises BadValue where it is given twice or to nobody."""
    given = [value for value in (learning_rate, named.get(RATE)) if value is not None]
    if not several and isinstance(knobs, Mapping) and RATE in knobs:
        given.append(knobs[RATE])
    if len(given) > 1:
        raise BadValue("the learning rate is given twice", "Give `learning_rate` or `lr`.")
    if given and not any(RATE in rule.knobs for rule, _ in found):
        raise found[0][0].unknown_knob("learning_rate" if learning_rate is not None else RATE)
    return given[0] if given else None


def first_rate(rate: Any, following: Sequence[Rule]) -> Any:
    """Give the learning rate that Keras begins with: what is given, else the rule's own."""
    if not following:
        return 1.0
    setting = setting_of(RATE, following[0].knobs[RATE] if rate is None else rate)
    for rule in following:
        check_ranges(rule, {RATE: setting})
    return setting
