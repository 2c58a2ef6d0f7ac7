"""A rate over the steps, recognised as one of the forms that people use. They know no rule.

A form is fitted by few numbers and believed only where it gives every step, to the digits that the steps are known to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.notation.decimals import exact

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Form:
    """A schedule that was recognised: in words, and its value at each step."""

    sentence: str
    values: Array


def recognised(rates: Array, tolerance: float = TOLERANCE) -> Form | None:
    """Find the plainest form that gives these rates; None if there is none."""
    with np.errstate(all="ignore"):
        for form in _forms(rates):
            if np.isfinite(form.values).all() and (np.abs(form.values - rates) <= tolerance * np.abs(rates)).all():
                return form
    return None


def _forms(rates: Array) -> Iterator[Form]:
    steps = np.arange(len(rates), dtype=float)
    top = float(rates.max())
    yield Form(f"lr={_short(float(np.median(rates)))}", np.full(len(rates), float(np.median(rates))))
    yield from _warmed(rates, steps, top)
    yield from _stepped(rates)
    yield from _falling(rates, steps)
    yield from _inverse(rates, steps)
    yield from _cosine(rates, steps)


def _warmed(rates: Array, steps: Array, top: float) -> Iterator[Form]:
    """A rate that grows in equal parts, and then stays, or does what another form does."""
    grows = int(np.argmax(rates >= top * (1 - TOLERANCE)))
    if grows < 2:
        return
    slope = float(np.median(np.diff(rates[: grows + 1])))
    line = rates[0] + slope * steps
    after = rates[grows:]
    rest = np.full(len(after), top)
    said = f"lr grows from {_short(float(rates[0]))} to {_short(top)} over {grows + 1} steps"
    whole = np.concatenate([line[:grows], rest])
    yield Form(f"{said}, and stays", whole)
    if len(after) > 3:
        for form in (
            *_falling(after, np.arange(len(after), dtype=float)),
            *_cosine(after, np.arange(len(after), dtype=float)),
        ):
            yield Form(f"{said}; then {form.sentence}", np.concatenate([line[:grows], form.values]))


def _stepped(rates: Array) -> Iterator[Form]:
    """A rate that stays, and changes at few steps."""
    jumps = np.flatnonzero(np.abs(np.diff(rates)) > TOLERANCE * np.abs(rates[1:])) + 1
    if not 0 < len(jumps) <= max(1, len(rates) // 5):
        return
    parts = np.split(rates, jumps)
    levels = [float(np.median(part)) for part in parts]
    said = ", ".join(f"{_short(level)} from step {at + 1}" for level, at in zip(levels[1:4], jumps[:3], strict=False))
    more = ", and so on" if len(jumps) > 3 else ""
    yield Form(
        f"lr={_short(levels[0])}, {said}{more}",
        np.concatenate([np.full(len(p), v) for p, v in zip(parts, levels, strict=True)]),
    )


def _falling(rates: Array, steps: Array) -> Iterator[Form]:
    """A rate that changes by one amount, or one factor, at each step; or by a factor that is compounded."""
    if len(rates) < 4:
        return
    slope = float(np.median(np.diff(rates)))
    yield Form(
        f"lr goes from {_short(float(rates[0]))} to {_short(float(rates[-1]))} in equal parts", rates[0] + slope * steps
    )
    if (rates > 0).all():
        logs = np.log(rates)
        factor = math.exp(float(np.median(np.diff(logs))))
        yield Form(
            f"lr is multiplied by {_short(factor)} at every step, from {_short(float(rates[0]))}",
            rates[0] * factor**steps,
        )
        bend = float(np.median(np.diff(logs, 2)))
        start = float(logs[1] - logs[0])
        compounded = np.exp(logs[0] + start * steps + bend * steps * (steps - 1) / 2)
        yield Form(
            f"lr compounds: what it is multiplied by is itself multiplied by {_short(math.exp(bend))} at every step",
            compounded,
        )


def _inverse(rates: Array, steps: Array) -> Iterator[Form]:
    """A rate divided by the root of the step, or by a number that grows in equal parts."""
    for called, power in (("the root of the step", 0.5), ("the step", 1.0)):
        yield Form(f"lr={_short(float(rates[0]))} divided by {called}", rates[0] / (steps + 1.0) ** power)
    with np.errstate(all="ignore"):
        inverse = 1.0 / rates
        slope = float(np.median(np.diff(inverse))) * float(rates[0])
        yield Form(
            f"lr={_short(float(rates[0]))} divided by 1 + {_short(slope)} * (step - 1)",
            rates[0] / (1.0 + slope * steps),
        )


def _cosine(rates: Array, steps: Array) -> Iterator[Form]:
    """Half a cosine down to an end, which may lie beyond the record: a + b cos(w step) by its second differences."""
    if len(rates) < 6:
        return
    with np.errstate(all="ignore"):
        inner = rates[1:-1]
        # r[k+1] + r[k-1] - 2a = 2 cos(w) (r[k] - a): linear in cos(w) and a (1 - cos w).
        system = np.stack([2.0 * inner, np.full(len(inner), 2.0)], axis=1)
        found, *_ = np.linalg.lstsq(system, rates[2:] + rates[:-2], rcond=None)
        c = float(found[0])
        if not -1.0 < c < 1.0 - 1e-12:
            return
        middle, w = float(found[1]) / (1.0 - c), math.acos(c)
        basis = np.stack([np.cos(w * steps), np.sin(w * steps)], axis=1)
        (cosine, sine), *_ = np.linalg.lstsq(basis, rates - middle, rcond=None)
    height = math.hypot(cosine, sine)
    period = round(math.pi / w)
    yield Form(
        f"lr follows a cosine from {_short(middle + height)} to {_short(max(middle - height, 0.0))} over {period} steps",
        middle + basis @ np.array([cosine, sine]),
    )


def _short(value: float) -> str:
    """Write a number that was estimated with the digits that are known of it."""
    return exact(float(f"{value:.4g}"))
