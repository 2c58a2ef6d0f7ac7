"""What a user names as a problem: digits, a landscape, a stream that is followed, a loss of their own.

It knows no rule.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat import landscapes, notation, streams
from mhat.errors import BadValue, UnknownName
from mhat.landscapes import Landscape
from mhat.streams.stream import Stream
from mhat.subjects import modules
from mhat.subjects.sandbox import USUAL_GUARD
from mhat.trials.digits import digits
from mhat.trials.problem import Problem

__all__ = ["Problem", "problem_of"]

Array = NDArray[np.float64]
STEPS = 500
# How far seeds move a start: a share of the window of a landscape, and of the size of a point.
MOVED = 0.05
# The error of a central difference is least where the step is about the cube root of the rounding.
NUDGE = float(np.finfo(np.float64).eps) ** (1 / 3)
LOSS_CURE = "Return the loss, one number, or (loss, gradient)."
DATASETS: Mapping[str, Callable[..., Problem]] = {"digits": digits}


def problem_of(named: Any, start: Any = None) -> Problem:
    """Give the problem that is meant: "digits", the name of a landscape or a stream, "FILE.py:loss", or the thing.

    `start`: where a loss of the user's own, or a landscape, begins. Raises UnknownName, BadValue, InputFileError, and
    SubjectError where the loss raises.

    >>> problem_of("quadratic").name
    'quadratic'
    """
    if isinstance(named, str):
        name = named.partition(":")[0].strip()
        if name.endswith(".py") or ".py:" in named:
            return _loss_in(named, start)
        if name in DATASETS:
            _refuse_start(start, named)
            return notation.call(named, DATASETS, "problem")
        if name in landscapes.names() and name not in streams.names():
            return of_landscape(landscapes.named(named), start)
        if name not in streams.names() and not _is_file(named):
            known = sorted({*DATASETS, *landscapes.names(), *streams.names()})
            raise UnknownName("problem", name, known, "A loss of your own is FILE.py:NAME.")
        named = streams.named(named)
    if isinstance(named, Landscape):
        return of_landscape(named, start)
    if isinstance(named, Stream):
        _refuse_start(start, named.recipe or "the stream")
        return of_stream(named)
    if callable(named):
        return of_loss(named, _default(named) if start is None else start, getattr(named, "__name__", "loss"))
    raise BadValue(
        f"{type(named).__name__} is no problem to train on",
        'Give "digits", a landscape, a stream whose values are followed, or a function loss(x).',
    )


def of_landscape(landscape: Landscape, start: Any = None) -> Problem:
    """Give the descent into a landscape; a seed moves the start a little."""
    begin = np.asarray(landscape.start if start is None else start, dtype=np.float64)
    landscape.value(begin)
    reach = MOVED * np.array([high - low for low, high in landscape.window])

    def moved(seed: int) -> list[Array]:
        return [np.asarray(landscape.project(begin + reach * _chance(seed).normal(size=begin.shape)))]

    def height(xs: list[Array], t: int, seed: int) -> float:
        return float(landscape.value(xs[0])) - landscape.minimum_value

    return Problem(
        name=landscape.recipe,
        what=f"the landscape {landscape.recipe}, {landscape.dimensions} coordinates",
        start=moved,
        slope=lambda xs, t, seed: (float(landscape.value(xs[0])), [np.asarray(landscape.gradient(xs[0], t))]),
        measure=height,
        measured="height above the lowest point",
        steps=STEPS,
        chance="where x starts, by about 5 % of the window",
        project=lambda xs: [np.asarray(landscape.project(xs[0]))],
    )


def of_stream(stream: Stream) -> Problem:
    """Give the task to follow a stream: x is to be where its values are, at the loss of half the squared distance.

    A stream with a seed is drawn anew for each; another one begins at a start by chance.
    """
    drawn = _redrawn(stream)
    size = float(np.std(stream.values)) or float(np.abs(stream.values).mean()) or 1.0

    def start(seed: int) -> list[Array]:
        shape = stream.values.shape[1:] or (1,)
        return [np.zeros(shape) if drawn is not None else size * _chance(seed).normal(size=shape)]

    def away(xs: list[Array], t: int, seed: int) -> Array:
        values = stream.values if drawn is None else drawn(seed)
        return np.asarray(xs[0] - values[t - 1].reshape(xs[0].shape))

    def loss(xs: list[Array], t: int, seed: int) -> float:
        return 0.5 * float((away(xs, t, seed) ** 2).mean())

    name = stream.recipe or "a stream"
    return Problem(
        name=name,
        what=f"following {name}: the loss is half the squared distance of x from its values",
        start=start,
        slope=lambda xs, t, seed: (loss(xs, t, seed), [away(xs, t, seed)]),
        measure=loss,
        measured="half the squared distance, before each step",
        steps=min(STEPS, stream.steps),
        chance="the draw of the stream"
        if drawn is not None
        else "where x starts, by about as much as the values spread",
        every=True,
        longest=stream.steps,
    )


def of_loss(loss: Callable[..., Any], start: Any, name: str) -> Problem:
    """Give the descent of a function of the user's: it gives the loss, or the loss and the gradient.

    Where it gives no gradient, central differences do.
    """
    if start is None:
        raise BadValue(f"nobody says where x starts in `{name}`", "Write loss(x=(1.0, -2.0)), or give start=.")
    try:
        begin = np.atleast_1d(np.asarray(start, dtype=np.float64))
    except (TypeError, ValueError):
        raise BadValue(f"the start {start!r} is no array of numbers", "Give numbers, as (1.0, -2.0).") from None
    called = _Loss(loss, name, np.ndim(start) == 0)
    called.at(begin)
    reach = MOVED * (1.0 + np.abs(begin))
    notes = () if called.slopes(begin) else ("the gradient is by central differences: the loss gives none",)

    def measure(xs: list[Array], t: int, seed: int) -> float:
        return called.at(xs[0])

    return Problem(
        name=name,
        what=f"the loss `{name}`, {begin.size} coordinate{'s' * (begin.size != 1)}",
        start=lambda seed: [begin + reach * _chance(seed).normal(size=begin.shape)],
        slope=lambda xs, t, seed: called.with_slope(xs[0]),
        measure=measure,
        measured="the loss",
        steps=STEPS,
        chance="where x starts, by about 5 % of 1 + |x|",
        notes=notes,
    )


@dataclass(frozen=True)
class _Loss:
    """A function of the user's, whose failures become messages."""

    function: Callable[..., Any]
    name: str
    alone: bool

    def at(self, x: Array) -> float:
        """Give the loss."""
        return self._number(self._called([x])[0])

    def slopes(self, x: Array) -> bool:
        """Whether it gives a gradient too."""
        return isinstance(self._called([x])[0], tuple)

    def with_slope(self, x: Array) -> tuple[float, list[Array]]:
        """Give the loss and the gradient."""
        said = self._called([x])[0]
        if not isinstance(said, tuple):
            return self._number(said), [self._differences(x)]
        loss, slope = self._number(said), np.asarray(said[1], dtype=np.float64)
        if slope.shape not in (x.shape, ()) or (slope.shape == () and x.size > 1):
            raise BadValue(
                f"`{self.name}` gives a gradient of the shape {slope.shape} for x of the shape {x.shape}",
                "Return (loss, gradient), the gradient in the shape of x.",
            )
        return loss, [slope.reshape(x.shape)]

    def _differences(self, x: Array) -> Array:
        """Give the slope by central differences."""
        steps = np.diag(NUDGE * np.maximum(1.0, np.abs(x.ravel())))
        ups, downs = x.ravel() + steps, x.ravel() - steps
        said = [self._number(each) for each in self._called([end.reshape(x.shape) for end in (*ups, *downs)])]
        rise = np.array(said[: x.size]) - np.array(said[x.size :])
        return np.asarray(rise / (np.diag(ups) - np.diag(downs))).reshape(x.shape)

    def _called(self, points: list[Array]) -> list[Any]:
        with USUAL_GUARD.running(self.name):
            return [self.function(float(x[0]) if self.alone else x.copy()) for x in points]

    def _number(self, said: Any) -> float:
        if isinstance(said, tuple) and len(said) != 2:
            raise BadValue(f"`{self.name}` gives {len(said)} things", LOSS_CURE)
        value = said[0] if isinstance(said, tuple) else said
        try:
            if np.size(value) == 1:
                return float(np.asarray(value, dtype=np.float64).reshape(()))
        except (TypeError, ValueError):
            pass
        kind = f"an array of the shape {np.shape(value)}" if np.size(value) != 1 else f"a {type(value).__name__}"
        raise BadValue(f"`{self.name}` gives {kind}", LOSS_CURE)


def _loss_in(named: str, start: Any) -> Problem:
    """Find a loss in a file, and where its argument starts; raises InputFileError, UnknownName, BadValue."""
    where, _, name = named.rpartition(":") if not named.endswith(".py") else (named, "", "")
    if not name:
        raise BadValue(f"`{named}` is a file", f"Name the loss in it: {named}:loss.")
    loaded = modules.load_around(where, name)
    loss = loaded.named(name)
    if not callable(loss):
        raise BadValue(f"`{named}` is no function", "Write one that gives the loss at x: def loss(x): ...")
    # The user's own modules stand beside the file: going there takes longer than most losses, so it is done once.
    with loaded.neighbours.entered():
        problem = of_loss(loss, _default(loss) if start is None else start, named)
    return replace(problem, there=loaded.neighbours.entered)


def _default(loss: Callable[..., Any]) -> Any:
    """Give the default of the first argument: where x starts."""
    try:
        first = next(iter(inspect.signature(loss).parameters.values()), None)
    except (TypeError, ValueError):
        return None
    return None if first is None or first.default is first.empty else first.default


def _redrawn(stream: Stream) -> Callable[[int], Array] | None:
    """Give what draws a stream anew for a seed; None for one that has none."""
    typed = notation.parse(stream.recipe) if stream.recipe else None
    function = getattr(streams, typed.name, None) if typed is not None and typed.name in streams.names() else None
    if typed is None or function is None or "seed" not in inspect.signature(function).parameters:
        return None
    base, rest = notation.parse(stream.recipe), dict(typed.named)
    first = int(rest.pop("seed", inspect.signature(function).parameters["seed"].default))
    rest.pop("steps", None)
    pieces = ",".join([*base.values, *(f"{key}={value}" for key, value in rest.items())])
    drawn: dict[int, Array] = {}

    def values(seed: int) -> Array:
        if seed not in drawn:
            comma = "," if pieces else ""
            drawn[seed] = streams.named(f"{base.name}:{pieces}{comma}seed={first + seed}", stream.steps).values
        return drawn[seed]

    return values


def _refuse_start(start: Any, named: str) -> None:
    if start is not None:
        raise BadValue(f"{named} has starts of its own", "Leave start= out: it is for a landscape, or a loss.")


def _is_file(named: str) -> bool:
    return any(mark in named for mark in ("/", "\\")) or "." in named.partition(":")[0]


def _chance(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 1])
