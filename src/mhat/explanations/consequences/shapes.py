"""How one course stands beside another, step by step: so many times as long, later, dying, growing. It knows no rule.

shape_of(wrong, right)      the kind of difference, and the numbers that say it
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]
Kind = Literal[
    "same", "constant", "transient", "limit", "dies", "vanishes", "grows", "power", "uphill", "still", "moves",
    "infinite", "nan", "skips", "wanders",
]  # fmt: skip
# Two steps are alike where they differ by less than this share.
ALIKE = 1e-3
# A factor has arrived where it stays this near to its last value.
ARRIVED = 0.01
# Beside this share of its typical size a step counts as none.
NOTHING = 1e-9


@dataclass(frozen=True)
class Shape:
    """What kind of difference it is; `factors` are those at steps 1, 2, 10, 100 and 1000, as far as there are steps.

    `last` is the factor in the end, `step` from where on it is so: alike, dead, or not finite; of what `skips`, every
    how many steps it moves. `rate`: by what the
    factor is multiplied each step; `power`: which power of the step number it follows.
    """

    kind: Kind
    factors: dict[int, float]
    last: float = 1.0
    step: int = 1
    rate: float = 1.0
    power: float = 0.0


def shape_of(wrong: Array, right: Array) -> Shape:
    """Say how a course of steps stands beside the right one."""
    if not np.isfinite(right).all():
        return Shape("wanders", {})
    if not np.isfinite(wrong).all():
        first = int(np.argmax(~np.isfinite(wrong)))
        kind: Kind = "nan" if np.isnan(wrong[first]) else "infinite"
        return Shape(kind, {}, float(wrong[first]), first + 1)
    size = float(np.abs(right).max())
    if np.allclose(wrong, right, rtol=ALIKE, atol=ALIKE * _typical(right)):
        return Shape("same", {})
    if size == 0.0:
        return Shape("moves", {})
    if not np.any(np.abs(wrong) > NOTHING * size):
        return Shape("still", {})
    if np.any(np.abs(right) <= NOTHING * size):
        return Shape("wanders", {})
    moving = np.nonzero(np.abs(wrong) > NOTHING * size)[0]
    every = int(moving[1] - moving[0]) if len(moving) > 2 else 1
    if every > 1 and np.all(np.diff(moving) == every):
        return Shape("skips", {}, float(wrong[moving[-1]] / right[moving[-1]]), every)
    return _of_factors(wrong / right)


def _typical(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _of_factors(factors: Array) -> Shape:
    steps = len(factors)
    shown = {step: float(factors[step - 1]) for step in (1, 2, 10, 100, 1000) if step <= steps}
    last, middle = float(factors[-1]), float(factors[steps // 2 - 1])
    if np.all(np.abs(factors - last) <= ALIKE * abs(last)):
        return Shape("uphill" if last < 0 else "constant", shown, last)
    if abs(last) < NOTHING or (0 < abs(last) < 1e-3 and abs(last) < 0.5 * abs(middle)):
        return _dying(factors, shown)
    away = np.abs(factors - 1.0)
    if away[-1] <= ARRIVED:
        far = np.nonzero(away > ARRIVED)[0]
        return Shape("transient", shown, 1.0, int(far[-1]) + 2 if len(far) else 1)
    if abs(last - middle) <= ARRIVED * abs(last):
        far = np.nonzero(np.abs(factors - last) > ARRIVED * abs(last))[0]
        return Shape("limit", shown, last, int(far[-1]) + 2 if len(far) else 1)
    return _growing(factors, shown)


def _dying(factors: Array, shown: dict[int, float]) -> Shape:
    alive = np.nonzero(np.abs(factors) >= 0.01)[0]
    step = int(alive[-1]) + 2 if len(alive) else 1
    power = _power(factors)
    if power is not None and power < 0:
        return Shape("power", shown, float(factors[-1]), step, power=power)
    return Shape("dies", shown, float(factors[-1]), step, rate=_rate(factors))


def _growing(factors: Array, shown: dict[int, float]) -> Shape:
    last = float(factors[-1])
    power = _power(factors)
    if power is not None:
        return Shape("power", shown, last, power=power)
    rate = _rate(factors)
    if not (np.all(factors > 0) and _monotone(factors)):
        return Shape("wanders", shown, last, rate=rate)
    return Shape("grows" if last > float(factors[-2]) else "vanishes", shown, last, rate=rate)


def _monotone(factors: Array) -> bool:
    late = np.diff(factors[len(factors) // 10 :])
    return bool(np.all(late >= 0) or np.all(late <= 0))


def _power(factors: Array) -> float | None:
    """Give the power of the step number that factors follow in the end, if they do."""
    steps = len(factors)
    places = [steps // 10, steps // 3, steps]
    values = [abs(float(factors[place - 1])) for place in places]
    if min(values) < 1e-300:
        return None
    logs = np.log(values)
    first = (logs[1] - logs[0]) / math.log(places[1] / places[0])
    second = (logs[2] - logs[1]) / math.log(places[2] / places[1])
    return float(second) if abs(first - second) < 0.05 * max(abs(second), 0.2) and abs(second) > 0.1 else None


def _rate(factors: Array) -> float:
    """By what the size of a factor is multiplied each step, late in it; 0 if by no one number."""
    sizes = np.abs(factors)
    there = np.nonzero((sizes > 1e-300) & (sizes < 1e300))[0]
    if len(there) < 20:
        return 0.0
    end = int(there[-1])
    half = max(len(there) // 20, 5)
    late, early = (float((sizes[at] / sizes[at - half]) ** (1 / half)) for at in (end, end - half))
    return late if abs(late - early) < 0.005 * early else 0.0
