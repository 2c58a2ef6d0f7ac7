"""The list of schedules, how text names one, and what may stand for one. It knows no values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from mhat import notation
from mhat.errors import BadValue
from mhat.notation import summary
from mhat.schedules.cycles import cosine_restarts, cyclic, one_cycle
from mhat.schedules.falling import cosine, exponential, inverse_time, linear, polynomial
from mhat.schedules.roots import inverse_root, noam
from mhat.schedules.schedule import Array, Schedule
from mhat.schedules.steady import constant
from mhat.schedules.stepped import milestones, step
from mhat.schedules.warmed import warmup_constant, warmup_cosine, warmup_linear, wsd

_MEMBERS: dict[str, Callable[..., Schedule]] = {
    member.__name__: member
    for member in (
        constant, linear, cosine, polynomial, exponential, inverse_time, step, milestones, warmup_constant,
        warmup_linear, warmup_cosine, wsd, inverse_root, noam, one_cycle, cosine_restarts, cyclic,
    )
}  # fmt: skip


def names() -> list[str]:
    """Return the names of all schedules, in the order of a lecture."""
    return list(_MEMBERS)


def summaries() -> dict[str, str]:
    """Return what each schedule is, in a line.

    >>> summaries()["constant"]
    'The same value at every step'
    """
    return {name: summary(member) for name, member in _MEMBERS.items()}


def named(spec: str) -> Schedule:
    """Return the schedule that a text names, as on the command line: `warmup_cosine:1e-3,warmup=10,steps=100`.

    UnknownName for a name or argument that does not exist, BadValue for a value that cannot be.

    >>> named("linear:1e-3,steps=50")(26)
    0.0005
    """
    if not isinstance(spec, str) or not spec.strip():
        raise BadValue(f"`{spec}` names no schedule", "Write a name and its arguments: cosine:1e-3,steps=100.")
    call = notation.parse(spec)
    if call.name == "milestones" and not call.values:
        raise BadValue(f"`{spec}` has no start", "Give it first, then the counts: milestones:0.1,30,60,80.")
    return notation.call(spec.strip(), _MEMBERS, "schedule", "`mhat schedules` lists them.")


def is_named(text: Any) -> bool:
    """Whether a text names a schedule, if perhaps with arguments that cannot be."""
    return isinstance(text, str) and text.partition(":")[0].strip() in _MEMBERS


def meant(value: Any) -> Schedule | None:
    """Give the schedule that stands for a value: itself, what a text names, or a function of the step number.

    None for what is no schedule, such as a number. Raises as `named` does, for a text that begins as one.

    >>> meant(lambda t: 0.1 / t)(2), meant("cosine:1e-3").name, meant(0.1)
    (0.05, 'cosine', None)
    """
    if isinstance(value, Schedule):
        return value
    if is_named(value) or (isinstance(value, str) and ":" in value):
        return named(value)
    member = getattr(value, "__name__", "")
    if _MEMBERS.get(member) is value and member:
        return named(member)
    if not callable(value) or isinstance(value, type) or hasattr(value, "dims"):
        return None
    said = getattr(value, "__name__", type(value).__name__)
    return Schedule("", "", f"follows the function {said}", partial(_of_function, value, said), 1)


def parted(knobs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Schedule]]:
    """Part the knobs of a call: all others, and those that follow a schedule, which is given or named.

    >>> parted({"lr": "cosine:0.1", "eps": 0.1})
    ({'eps': 0.1}, {'lr': Schedule('cosine:0.1,steps=100')})
    """
    followed = {
        name: value if isinstance(value, Schedule) else named(value)
        for name, value in knobs.items()
        if isinstance(value, Schedule) or is_named(value)
    }
    return {name: value for name, value in knobs.items() if name not in followed}, followed


def _of_function(function: Callable[[int], Any], said: str, count: Array) -> Array:
    values = []
    for t in count.tolist():
        value = function(int(t) if float(t).is_integer() else t)
        try:
            values.append(float(value))
        except (TypeError, ValueError):
            what = f"{said}({int(t)}) gave {notation.cut(repr(value))}, which is no number"
            raise BadValue(what, "A schedule takes the number of a step, from 1, and gives a number.") from None
    return np.array(values)
