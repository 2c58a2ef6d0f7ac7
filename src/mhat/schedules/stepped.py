"""Values that stay, and change at few steps. They are counted from 0, as in torch."""

from __future__ import annotations

from functools import partial
from typing import Any

from mhat.errors import BadValue
from mhat.notation import whole
from mhat.notation.decimals import exact
from mhat.schedules.schedule import Array, Schedule, counted, finite, made, namespace, text_of


def step(start: float = 0.1, factor: float = 0.1, *, every: int = 30, first: int = 0) -> Schedule:
    """Multiplied by `factor` after every `every` steps.

    torch: StepLR(step_size=every, gamma=factor). optax and Keras: exponential_decay and ExponentialDecay with
    staircase=True.

    >>> step(1, 0.5, every=2).values(5)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """
    start, factor, every = finite("start", start), finite("factor", factor), whole("every", every, least=1)
    first = whole("first", first)
    return made(
        step, partial(_step, start, factor, every),
        f"{text_of(start)} * {text_of(factor)} ** ({counted(first)} // {every})",
        f"is {exact(start)}, multiplied by {exact(factor)} after every {every} steps", start=start, factor=factor,
        every=every, first=first,
    )  # fmt: skip


def milestones(start: float, *at: int, factor: float = 0.1, first: int = 0) -> Schedule:
    """Multiplied by `factor` when each of some counts is reached.

    torch: MultiStepLR(milestones=at, gamma=factor). optax: piecewise_constant_schedule. Keras, whose
    PiecewiseConstantDecay changes one step later: milestones one higher.

    Raises BadValue for counts that do not grow.

    >>> milestones(1, 2, 3, factor=0.5).values(5)
    array([1.  , 1.  , 0.5 , 0.25, 0.25])
    """
    start, factor, first = finite("start", start), finite("factor", factor), whole("first", first)
    counts = tuple(whole("at", each, least=1) for each in at)
    if not counts or list(counts) != sorted(set(counts)):
        raise BadValue(
            f"milestones at {', '.join(map(str, counts)) or 'no step'}", "Give counts that grow: 0.1,30,60,80."
        )
    falls = (f" * ({text_of(factor)} if {counted(first)} >= {each} else 1)" for each in counts)
    formula = text_of(start) + "".join(falls)
    listed = ", ".join(str(each - first + 1) for each in counts)
    return made(
        milestones, partial(_milestones, start, factor, counts), formula,
        f"is {exact(start)}, multiplied by {exact(factor)} from each of the steps {listed} on", float(counts[-1]),
        start=start, at=counts, factor=factor, first=first,
    )  # fmt: skip


def _step(start: float, factor: float, every: int, count: Array) -> Any:
    return start * factor ** (count // every)


def _milestones(start: float, factor: float, counts: tuple[int, ...], count: Array) -> Any:
    xp = namespace(count)
    values = xp.full_like(count, start)
    for each in counts:
        values = values * xp.where(count >= each, factor, 1.0)
    return values
