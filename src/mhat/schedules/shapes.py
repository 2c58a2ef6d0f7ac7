"""How a value goes from one level to another: what is left of the height at a share of the way. It knows no rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from mhat.notation.decimals import exact
from mhat.schedules.schedule import Array, namespace, text_of

PI = "3.141592653589793"


@dataclass(frozen=True)
class Shape:
    """A way down: what is left of the height at a share of the way, the same as text with `{q}`, and how it is said."""

    left: Callable[[Array], Array]
    text: str
    said: str


def _straight(share: Array) -> Array:
    return 1 - share


def _half_cosine(share: Array) -> Any:
    return (1 + namespace(share).cos(math.pi * share)) / 2


def _power(power: float, share: Array) -> Any:
    return (1 - share) ** power


def _without_power(power: float, share: Array) -> Any:
    return 1 - share**power


STRAIGHT = Shape(_straight, "(1 - {q})", "goes from {a} to {b} in equal parts over {n} steps")
COSINE = Shape(_half_cosine, f"(1 + cos({PI} * {{q}})) / 2", "follows a cosine from {a} to {b} over {n} steps")


def to_the_power(power: float) -> Shape:
    """Give the way of a polynomial, which ends flat."""
    said = f"follows the power {exact(power)} of what is left, from {{a}} to {{b}} over {{n}} steps"
    return STRAIGHT if power == 1 else Shape(partial(_power, power), f"(1 - {{q}}) ** {text_of(power)}", said)


def less_the_power(power: float) -> Shape:
    """Give the way of one less a power of the share, which falls fast at first where the power is below 1."""
    said = f"goes down by the power {exact(power)} of the way, from {{a}} to {{b}} over {{n}} steps"
    return STRAIGHT if power == 1 else Shape(partial(_without_power, power), f"(1 - {{q}} ** {text_of(power)})", said)


@dataclass(frozen=True)
class Way:
    """A way from a level to another over so many steps, as numbers, text and words."""

    start: float
    end: float
    steps: float
    shape: Shape

    def values(self, gone: Array) -> Any:
        """Give the values where so many steps of the way are gone; behind its end it stays there."""
        xp = namespace(gone)
        share = xp.minimum(xp.maximum(gone, 0.0) / self.steps, 1.0) if self.steps else xp.ones_like(gone)
        return between(self.start, self.end, self.shape.left(share))

    def text(self, gone: str) -> str:
        """Write the same, `gone` being an expression for the steps that are gone."""
        share = f"minimum({gone} / {text_of(self.steps)}, 1)" if self.steps else "1"
        left = self.shape.text.format(q=share)
        if self.end == 0.0:
            return f"{text_of(self.start)} * {left}"
        return f"{text_of(self.end)} + ({text_of(self.start)} - {text_of(self.end)}) * {left}"

    @property
    def said(self) -> str:
        """Say it."""
        return self.shape.said.format(a=exact(self.start), b=exact(self.end), n=exact(self.steps))


def between(start: float, end: float, left: Array) -> Array:
    """Give what lies between two levels, as much of the height as is left over the end."""
    return start * left if end == 0.0 else end + (start - end) * left
