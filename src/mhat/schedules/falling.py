"""Values that go from one level to another from the first step on: straight, as a power, a cosine, by a factor.

They are counted from 0, as torch, optax and Keras do: step 1 has the start, and the end is reached one step after
`steps`. They know no warm-up.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mhat.notation import positive, whole
from mhat.notation.decimals import exact
from mhat.schedules.schedule import Array, Schedule, counted, finite, made, text_of
from mhat.schedules.shapes import COSINE, STRAIGHT, Way, to_the_power


def linear(start: float = 1e-3, end: float = 0.0, *, steps: float = 100, first: int = 0) -> Schedule:
    """From start to end in equal parts.

    torch: LinearLR(start_factor=1, end_factor=end / start, total_iters=steps). optax: linear_schedule. Keras:
    PolynomialDecay with power=1.

    >>> linear(1, 0, steps=4).values(5)
    array([1.  , 0.75, 0.5 , 0.25, 0.  ])
    """
    start, end, steps, first = (
        finite("start", start),
        finite("end", end),
        positive("steps", steps),
        whole("first", first),
    )
    way = Way(start, end, steps, STRAIGHT)
    given = {"start": start, "end": end, "steps": steps, "first": first}
    return made(linear, way.values, way.text(counted(first)), way.said, steps, **given)


def polynomial(
    start: float = 1e-3, end: float = 0.0, *, power: float = 2.0, steps: float = 100, first: int = 0
) -> Schedule:
    """From start to end by a power of what is left of the way; it ends flat where the power is above 1.

    torch: PolynomialLR(total_iters=steps, power=power), which ends at 0. optax: polynomial_schedule. Keras:
    PolynomialDecay.

    >>> polynomial(1, 0, power=2, steps=4).values(5)
    array([1.    , 0.5625, 0.25  , 0.0625, 0.    ])
    """
    start, end, steps, first = (
        finite("start", start),
        finite("end", end),
        positive("steps", steps),
        whole("first", first),
    )
    power = positive("power", power)
    way = Way(start, end, steps, to_the_power(power))
    given = {"start": start, "end": end, "power": power, "steps": steps, "first": first}
    return made(polynomial, way.values, way.text(counted(first)), way.said, steps, **given)


def cosine(start: float = 1e-3, end: float = 0.0, *, steps: float = 100, first: int = 0) -> Schedule:
    """From start to end by half a cosine: flat at first and at last.

    torch: CosineAnnealingLR(T_max=steps, eta_min=end), which rises again behind its end; this one stays there, as
    optax's cosine_decay_schedule and Keras's CosineDecay do. Source: Loshchilov & Hutter 2017, arXiv:1608.03983,
    equation 5.

    >>> cosine(1, 0, steps=2).values(4).round(12)
    array([1. , 0.5, 0. , 0. ])
    """
    start, end, steps, first = (
        finite("start", start),
        finite("end", end),
        positive("steps", steps),
        whole("first", first),
    )
    way = Way(start, end, steps, COSINE)
    given = {"start": start, "end": end, "steps": steps, "first": first}
    return made(cosine, way.values, way.text(counted(first)), way.said, steps, **given)


def exponential(start: float = 1e-3, factor: float = 0.99, *, every: float = 1, first: int = 0) -> Schedule:
    """Multiplied by `factor` in every `every` steps, evenly.

    torch: ExponentialLR(gamma=factor). optax: exponential_decay(transition_steps=every, decay_rate=factor). Keras:
    ExponentialDecay(decay_steps=every, decay_rate=factor).

    >>> exponential(1, 0.5).values(4)
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    start, factor, every = finite("start", start), positive("factor", factor), positive("every", every)
    first = whole("first", first)
    count = counted(first) if every == 1 else f"({counted(first)} / {text_of(every)})"
    over = "at every step" if every == 1 else f"in every {exact(every)} steps, evenly"
    return made(
        exponential, partial(_exponential, start, factor, every), f"{text_of(start)} * {text_of(factor)} ** {count}",
        f"is multiplied by {exact(factor)} {over}, from {exact(start)}", start=start, factor=factor, every=every,
        first=first,
    )  # fmt: skip


def inverse_time(start: float = 1e-3, decay: float = 0.01, *, first: int = 0) -> Schedule:
    """Divided by 1 + decay * count: it falls as one over the steps.

    Keras: InverseTimeDecay(decay_steps=1, decay_rate=decay), and the argument `decay` of Keras 2.

    >>> inverse_time(1, 1).values(4)
    array([1.        , 0.5       , 0.33333333, 0.25      ])
    """
    start, decay, first = finite("start", start), positive("decay", decay), whole("first", first)
    return made(
        inverse_time, partial(_inverse_time, start, decay),
        f"{text_of(start)} / (1 + {text_of(decay)} * {counted(first)})",
        f"is {exact(start)} divided by 1 + {exact(decay)} * {_steps_gone(first)}",
        start=start, decay=decay, first=first,
    )  # fmt: skip


def _steps_gone(first: int) -> str:
    return "step" if first == 1 else "(step - 1)" if first == 0 else f"(step + {first - 1})"


def _exponential(start: float, factor: float, every: float, count: Array) -> Any:
    return start * factor ** (count / every)


def _inverse_time(start: float, decay: float, count: Array) -> Any:
    return start / (1 + decay * count)
