"""A rate over the steps, recognised as one of the forms that people use. They know no rule.

A form has few parameters, begun with by what the rates show and bettered by least squares; whether it gives the record
is for others to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.notation.decimals import exact

Array = np.ndarray[Any, Any]
ROUNDS = 12
# A step by which a rate differs is one of this share; a smaller one is rounding.
JUMP = 0.02
# A parameter that is a smaller part of the largest rate may as well be nothing.
SLIGHT = 5e-3


@dataclass(frozen=True)
class Form:
    """A schedule with its parameters: the rates it gives, and how it is said."""

    parameters: tuple[float, ...]
    rates: Callable[[Array], Array]
    said: Callable[[Array], str]

    @property
    def values(self) -> Array:
        """The rate at each step."""
        with np.errstate(all="ignore"):
            return np.asarray(self.rates(np.array(self.parameters)))

    @property
    def sentence(self) -> str:
        """Say it."""
        return self.said(np.array(self.parameters))

    def rounded(self, digits: int) -> Form:
        """Write the parameters with so many digits: people choose round numbers."""
        return replace(self, parameters=tuple(float(f"{value:.{digits}g}") for value in self.parameters))

    def written_short(self, largest: float) -> Iterator[Form]:
        """Yield it with its parameters written ever longer; next to nothing beside the largest rate is nothing."""
        for digits in (2, 3, 4, 6):
            short = self.rounded(digits)
            bare = tuple(0.0 if abs(value) < SLIGHT * largest else value for value in short.parameters)
            yield replace(short, parameters=bare)
            yield short
        yield self


def forms(rates: Array, tolerance: float) -> Iterator[Form]:
    """Yield the forms that come within a tolerance of the rates (a share of them), the plainest first."""
    for form in _begun(rates):
        better = _bettered(form, rates)
        values = better.values
        if np.isfinite(values).all() and (np.abs(values - rates) <= tolerance * np.abs(rates).max()).all():
            yield better


def _bettered(form: Form, rates: Array) -> Form:
    """Improve the parameters by least squares."""
    point = np.array(form.parameters)
    for _ in range(ROUNDS):
        with np.errstate(all="ignore"):
            residual = form.rates(point) - rates
            size = np.where(np.abs(point) > 1e-9 * rates.max(), np.abs(point), rates.max())
            columns = [
                (form.rates(point + 1e-6 * unit) - form.rates(point)) / 1e-6 for unit in np.diag(size)
            ]  # fmt: skip
        jacobian = np.stack(columns, axis=1)
        if not np.isfinite(jacobian).all() or not np.isfinite(residual).all():
            break
        moved = point - size * np.linalg.lstsq(jacobian, residual, rcond=None)[0]
        with np.errstate(all="ignore"):
            after = form.rates(moved) - rates
        if not np.isfinite(after).all() or not float(after @ after) < float(residual @ residual):
            break
        point = moved
    return replace(form, parameters=tuple(point.tolist()))


def _begun(rates: Array) -> Iterator[Form]:
    steps = np.arange(len(rates), dtype=float)
    yield from _stepped(rates)
    yield from _falling(rates, steps)
    yield from _warmed(rates, steps)


def _falling(rates: Array, steps: Array) -> Iterator[Form]:
    """Yield forms that go on from the first step in one way."""
    if len(rates) < 4:
        return
    first, last = float(rates[0]), float(rates[-1])
    slope = (last - first) / (len(rates) - 1)
    yield Form(
        (first, slope), lambda p: p[0] + p[1] * steps,
        lambda p: f"lr goes from {_short(p[0])} to {_short(p[0] + p[1] * steps[-1])} in equal parts",
    )  # fmt: skip
    if first <= 0 or last <= 0:
        return
    factor = (last / first) ** (1 / (len(rates) - 1))
    yield Form(
        (first, factor), lambda p: p[0] * p[1] ** steps,
        lambda p: f"lr is multiplied by {_short(p[1])} at every step, from {_short(p[0])}",
    )  # fmt: skip
    yield _divided(first, steps, "the root of the step", 0.5)
    yield _divided(first, steps, "the step", 1.0)
    yield Form(
        (first, (first / last - 1) / steps[-1]), lambda p: p[0] / (1.0 + p[1] * steps),
        lambda p: f"lr={_short(p[0])} divided by 1 + {_short(p[1])} * (step - 1)",
    )  # fmt: skip
    yield from _cosine(rates, steps)
    bend = float(np.median(np.diff(np.log(rates), 2)))
    yield Form(
        (first, float(rates[1] / rates[0]), math.exp(bend)),
        lambda p: p[0] * p[1] ** steps * p[2] ** (steps * (steps - 1) / 2),
        lambda p: f"lr compounds: what it is multiplied by is itself multiplied by {_short(p[2])} at every step",
    )  # fmt: skip


def _divided(first: float, steps: Array, called: str, power: float) -> Form:
    def rates(p: Array) -> Array:
        return np.asarray(p[0] / (steps + 1.0) ** power)

    return Form((first,), rates, lambda p: f"lr={_short(p[0])} divided by {called}")


def _cosine(rates: Array, steps: Array) -> Iterator[Form]:
    """Yield half a cosine down to an end, which may lie beyond the record."""
    top = float(rates[0])
    for end, low in ((1.0, 0.0), (1.5, 0.0), (2.5, 0.0), (6.0, 0.0), (20.0, 0.0), (1.0, 0.1), (2.0, 0.1)):
        period = end * max(len(rates), 2)
        yield Form(
            (top, low * top, period), lambda p: p[1] + (p[0] - p[1]) * (1 + np.cos(np.pi * steps / p[2])) / 2,
            lambda p: f"lr follows a cosine from {_short(p[0])} to {_short(max(p[1], 0.0))} over {_short(p[2])} steps",
        )  # fmt: skip


def _warmed(rates: Array, steps: Array) -> Iterator[Form]:
    """Yield a rate that grows in equal parts, and then stays, or does what another form does."""
    grows = int(np.argmax(rates >= rates.max() * (1 - JUMP)))
    for top in range(max(grows - 1, 2), min(grows + 3, len(rates))):
        begun = (float(rates[0]), float((rates[top] - rates[0]) / top))
        yield _grown(begun, steps, top, None)
        for form in _falling(rates[top:], np.arange(float(len(rates) - top))):
            yield _grown(begun, steps, top, form)


def _grown(begun: tuple[float, float], steps: Array, top: int, then: Form | None) -> Form:
    """Join a rate that grows up to a step with one that stays, or a form that follows."""

    def rates(p: Array) -> Array:
        after = np.full(len(steps) - top, p[0] + p[1] * top) if then is None else then.rates(p[2:])
        return np.concatenate([p[0] + p[1] * steps[:top], after])

    def said(p: Array) -> str:
        grown = f"lr grows from {_short(p[0])} to {_short(p[0] + p[1] * top)} over {top + 1} steps"
        return f"{grown}, and stays" if then is None else f"{grown}; then {then.said(p[2:])}"

    return Form((*begun, *(() if then is None else then.parameters)), rates, said)


def _stepped(rates: Array) -> Iterator[Form]:
    """Yield a rate that stays, and changes at few steps."""
    jumps = np.flatnonzero(np.abs(np.diff(rates)) > JUMP * np.abs(rates[1:])) + 1
    if len(jumps) > max(1, len(rates) // 5):
        return
    sizes = [len(part) for part in np.split(rates, jumps)]
    levels = tuple(float(np.median(part)) for part in np.split(rates, jumps))

    def said(p: Array) -> str:
        later = [f"{_short(level)} from step {at + 1}" for level, at in zip(p[1:4], jumps[:3], strict=False)]
        return ", ".join([f"lr={_short(p[0])}", *later, *(["and so on"] if len(jumps) > 3 else [])])

    yield Form(levels, lambda p: np.repeat(p, sizes), said)


def _short(value: float) -> str:
    """Write a number that was estimated with the digits that are known of it."""
    return exact(float(f"{value:.4g}"))
