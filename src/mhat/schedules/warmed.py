"""Values that rise in equal parts over a warm-up, and then stay, or go down.

They are counted from 1, as papers do: the first step is no step of nothing, step `warmup` is at the peak and step
`steps` at the end. With first=0 they are those of optax, Keras and transformers, one step later. They know no rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mhat.errors import BadValue
from mhat.notation import between, positive, whole
from mhat.notation.decimals import exact
from mhat.schedules.schedule import Array, Schedule, counted, finite, made, namespace, text_of
from mhat.schedules.shapes import COSINE, STRAIGHT, Shape, Way, less_the_power


def warmup_constant(peak: float = 1e-3, *, warmup: float = 10, start: float = 0.0, first: int = 1) -> Schedule:
    """Rises to the peak, and stays.

    The modifier `warmed_up` is this one. transformers, with first=0: get_constant_schedule_with_warmup. Source: Goyal
    et al. 2017, arXiv:1706.02677, section 2.2.

    >>> warmup_constant(1, warmup=4).values(5)
    array([0.25, 0.5 , 0.75, 1.  , 1.  ])
    """
    peak, start, first = finite("peak", peak), finite("start", start), whole("first", first)
    course = _Course(Way(start, peak, positive("warmup", warmup), STRAIGHT), ())
    given = {"peak": peak, "warmup": course.rise.steps, "start": start, "first": first}
    return made(warmup_constant, course.values, course.text(first), course.said(first), course.rise.steps, **given)


def warmup_linear(
    peak: float = 1e-3, *, warmup: float = 10, steps: float = 100, start: float = 0.0, end: float = 0.0, first: int = 1
) -> Schedule:
    """Rises to the peak, then goes down in equal parts to the end, which is reached at `steps`.

    transformers, with first=0: get_linear_schedule_with_warmup.

    >>> warmup_linear(1, warmup=2, steps=4).values(5)
    array([0.5, 1. , 0.5, 0. , 0. ])
    """
    return _warmed(warmup_linear, STRAIGHT, peak, warmup, steps, start, end, first)


def warmup_cosine(
    peak: float = 1e-3, *, warmup: float = 10, steps: float = 100, start: float = 0.0, end: float = 0.0, first: int = 1
) -> Schedule:
    """Rises to the peak, then goes down by half a cosine to the end, which is reached at `steps`.

    With first=0: optax's warmup_cosine_decay_schedule(start, peak, warmup, steps, end), transformers'
    get_cosine_schedule_with_warmup, and Keras's CosineDecay(start, steps - warmup, end / peak, warmup_target=peak,
    warmup_steps=warmup).

    >>> warmup_cosine(1, warmup=2, steps=4).values(5).round(12)
    array([0.5, 1. , 0.5, 0. , 0. ])
    """
    return _warmed(warmup_cosine, COSINE, peak, warmup, steps, start, end, first)


def wsd(
    peak: float = 1e-3, *, warmup: float = 10, decay: float = 20, steps: float = 100, start: float = 0.0,
    end: float = 0.0, power: float = 1.0, first: int = 1,
) -> Schedule:  # fmt: skip
    """Warm-up, stable, decay: rises to the peak, stays, and goes down to the end over the last `decay` steps.

    The way down is 1 - share ** power: straight, or with power=0.5 the root of Hägele et al. 2024, arXiv:2405.18392.
    Source: Hu et al. 2024, MiniCPM, arXiv:2404.06395, section 4. Raises BadValue if there is no room for it.

    >>> wsd(1, warmup=2, decay=2, steps=6).values(7)
    array([0.5, 1. , 1. , 1. , 0.5, 0. , 0. ])
    """
    peak, start, end, first = finite("peak", peak), finite("start", start), finite("end", end), whole("first", first)
    warmup, decay, steps = (
        between("warmup", warmup, 0, float(steps)),
        positive("decay", decay),
        positive("steps", steps),
    )
    if warmup + decay > steps:
        raise BadValue(
            f"a warm-up of {exact(warmup)} and a decay of {exact(decay)} steps have no room in {exact(steps)}",
            f"Give steps={exact(warmup + decay)} or more.",
        )
    falls = Way(peak, end, decay, less_the_power(positive("power", power)))
    course = _Course(Way(start, peak, warmup, STRAIGHT), (falls,), steps - decay)
    given = {"peak": peak, "warmup": warmup, "decay": decay, "steps": steps, "start": start, "end": end,
             "power": float(power), "first": first}  # fmt: skip
    return made(wsd, course.values, course.text(first), course.said(first), steps, **given)


def _warmed(
    function: Callable[..., Schedule],
    shape: Shape,
    peak: float,
    warmup: float,
    steps: float,
    start: float,
    end: float,
    first: int,
) -> Schedule:
    peak, start, end, first = finite("peak", peak), finite("start", start), finite("end", end), whole("first", first)
    steps = positive("steps", steps)
    warmup = between("warmup", warmup, 0, steps)
    if warmup == steps:
        raise BadValue(
            f"a warm-up of {exact(warmup)} steps leaves nothing of {exact(steps)}",
            "Give more steps, or take warmup_constant.",
        )
    course = _Course(Way(start, peak, warmup, STRAIGHT), (Way(peak, end, steps - warmup, shape),), warmup)
    given = {"peak": peak, "warmup": warmup, "steps": steps, "start": start, "end": end, "first": first}
    return made(function, course.values, course.text(first), course.said(first), steps, **given)


@dataclass(frozen=True)
class _Course:
    """A rise, and what follows it, from a count on."""

    rise: Way
    falls: tuple[Way, ...]
    falls_at: float = 0.0

    def values(self, count: Array) -> Any:
        peak, warmup = self.rise.end, self.rise.steps
        xp = namespace(count)
        values = xp.full_like(count, peak)
        for fall in self.falls:
            values = xp.where(count > self.falls_at, fall.values(count - self.falls_at), values)
        if warmup:
            values = xp.where(count < warmup, _risen(self.rise, count), values)
        return values

    def text(self, first: int) -> str:
        count, warmup = counted(first), text_of(self.rise.steps)
        text = text_of(self.rise.end)
        for fall in self.falls:
            # Before its beginning it stands at its beginning.
            gone = f"maximum({count} - {text_of(self.falls_at)}, 0)" if self.falls_at else count
            text = fall.text(gone)
        if not self.rise.steps:
            return text
        start, peak = text_of(self.rise.start), text_of(self.rise.end)
        height = peak if self.rise.start == 0.0 else f"({peak} - {start})"
        rise = f"{height} * {count} / {warmup}"
        return f"{rise if self.rise.start == 0.0 else f'{start} + {rise}'} if {count} < {warmup} else {text}"

    def said(self, first: int) -> str:
        parts = []
        if self.rise.steps:
            parts.append(
                f"grows from {exact(self.rise.start)} to {exact(self.rise.end)} over {exact(self.rise.steps)} steps"
            )
        stays = not self.falls or self.falls_at > self.rise.steps
        if stays:
            until = f" up to step {exact(self.falls_at - first + 1)}" if self.falls else ""
            parts.append(f"stays at {exact(self.rise.end)}{until}")
        parts += [fall.said for fall in self.falls]
        return "; then ".join(parts) if len(parts) != 2 or not stays else ", and ".join(parts)


def _risen(rise: Way, count: Array) -> Any:
    grown = (rise.end - rise.start) * count / rise.steps
    return grown if rise.start == 0.0 else rise.start + grown
