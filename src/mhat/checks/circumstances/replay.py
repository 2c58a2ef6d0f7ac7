"""A rule run along a record: every step from where the record says that x was. It knows no file and no subject.

Since each step begins where the record does, what is wrong at a step shows at that step and nowhere else, and rounding
of what is written does not add up. States are the rule's own: they are carried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mhat.checks.circumstances.rows import Rows
from mhat.dtypes import DTYPES
from mhat.language.tree import Tree
from mhat.search.evaluator import SHAPE, Closures

Array = np.ndarray[Any, Any]
# Draws of what may have been written down so, and how many of their deviations what was may lie away.
DRAWS = 6
DEVIATIONS = 5.0
# What an honest spelling may lose of what it computes with, beside the rounding of its results, in units of the type.
LOST = 8.0


@dataclass(frozen=True)
class Setting:
    """In which circumstances a rule is run.

    `knobs`: a number, or an array over (tensor, coordinate); `over_steps`: knobs with a value a step. `begin`: how many
    steps went before the record. `states`: what was carried into it; those of the rule where there are none. `start`:
    x before the first step, where the record does not say it.
    """

    knobs: Mapping[str, Any] = field(default_factory=dict)
    over_steps: Mapping[str, Array] = field(default_factory=dict)
    begin: float = 0.0
    states: Mapping[str, Array] = field(default_factory=dict)
    start: Array | None = None


def together(settings: Sequence[Setting]) -> Setting:
    """Put settings of one rule side by side, along an axis before the tensors, so that one run serves all."""
    first = settings[0]

    def stacked(values: list[Any], behind: int) -> Array:
        arrays = [np.asarray(value, np.float64) for value in values]
        arrays = [a.reshape(*a.shape, *(1,) * (behind - a.ndim)) if a.ndim < behind else a for a in arrays]
        return np.stack(np.broadcast_arrays(*arrays))

    over_steps = {
        name: np.moveaxis(stacked([each.over_steps[name] for each in settings], 3), 0, 1) for name in first.over_steps
    }
    return Setting(
        {name: stacked([each.knobs[name] for each in settings], 2) for name in first.knobs},
        over_steps,
        first.begin,
        {name: stacked([each.states[name] for each in settings], 2) for name in first.states},
        None if first.start is None else stacked([each.start for each in settings], 2),
    )


class Replay:
    """Runs trees along one record."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.closures = Closures()
        self.known = rows.known
        before = np.concatenate([rows.start[None], rows.observed[:-1]]) if rows.observe == "x" else None
        self._before = before

    def run(self, tree: Tree, setting: Setting, gradients: Array | None = None) -> Array:
        """Give what should have been observed after every step; raises what the arrays raise."""
        return self.course(tree, setting, gradients)[0]

    def course(self, tree: Tree, setting: Setting, gradients: Array | None = None) -> tuple[Array, dict[str, Array]]:
        """Give what should have been observed, and the states at the end."""
        rows, closure = self.rows, self.closures.of
        g_all = rows.gradients if gradients is None else gradients
        tensors = g_all.shape[-2]
        shape = self._shape(setting, g_all.shape[1:])
        start = np.broadcast_to(self._start(setting, g_all.shape[-2:]), shape)
        count: Any = np.arange(1.0, tensors + 1)[:, None] if tensors > 1 else 1.0
        environment: dict[str, Any] = {knob.name: knob.default for knob in tree.knobs} | dict(setting.knobs)
        over_steps = {**rows.schedules, **setting.over_steps}
        environment |= {name: values[0] for name, values in over_steps.items()}
        environment |= {"x": start, "g": g_all[0], "t": 1.0, "k": count, "n": float(tensors), SHAPE: shape}
        with np.errstate(all="ignore"):
            environment |= {state.name: closure(state.start)(environment) for state in tree.states}
            environment |= setting.states
            lines = [(line.targets, closure(line.value)) for line in tree.body]
            result = closure(tree.result)
            seen = np.empty((len(g_all), *shape))
            x = start
            for i, g in enumerate(g_all):
                x = self._placed(i, x)
                environment |= {"t": setting.begin + i + 1.0, "g": g, "x": x}
                environment |= {name: values[i] for name, values in over_steps.items()}
                for targets, value_of in lines:
                    value = value_of(environment)
                    environment.update(zip(targets, value if len(targets) > 1 else (value,), strict=True))
                before, x = x, np.broadcast_to(result(environment), shape)
                seen[i] = self._seen(environment, before, x)
        states = {state.name: np.array(np.broadcast_to(environment[state.name], shape)) for state in tree.states}
        return seen, states

    def _shape(self, setting: Setting, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Give the shape of a step: with an axis more in front where settings stand side by side."""
        given = [*setting.knobs.values(), *setting.states.values(), *(v[0] for v in setting.over_steps.values())]
        beside = max((np.shape(value)[0] for value in given if np.ndim(value) == 3), default=0)
        return (beside, *shape) if beside else shape

    def _start(self, setting: Setting, shape: tuple[int, ...]) -> Array:
        start = self.rows.start
        if setting.start is not None:
            start = np.where(np.isnan(start), setting.start, start)
        elif np.isnan(start).any():
            # Where nobody says it, it was near where the first step led.
            first = self.rows.observed[0] if self.rows.observe == "x" else np.zeros(shape)
            start = np.where(np.isnan(start), first, start)
        return np.asarray(np.nan_to_num(start, nan=0.0))

    def _placed(self, i: int, x: Array) -> Array:
        """Put x where the record says it was before step i; where it does not, leave it where the rule put it."""
        if self._before is None:
            return x
        written = self._before[i]
        return np.where(np.isnan(written), x, written)

    def _seen(self, environment: dict[str, Any], before: Array, x: Array) -> Array:
        observe = self.rows.observe
        if observe == "x":
            return x
        return np.asarray(x - before if observe == "update" else np.broadcast_to(environment[observe], x.shape))

    def limit(self, tree: Tree, setting: Setting, predicted: Array) -> Array:
        """Derive how far what is written may lie from what the rule gives, if the rule is right.

        What was rounded before it was written is drawn anew some times; what a type loses in computing is drawn too.
        """
        rows = self.rows
        epsilon = DTYPES[rows.dtype].epsilon
        written = np.where(np.isnan(rows.x_half), 0.0, rows.x_half)
        limit = 2.0 * written + LOST * epsilon * np.abs(np.nan_to_num(predicted))
        if rows.observe == "x":
            began = np.abs(np.concatenate([np.nan_to_num(rows.start)[None], np.nan_to_num(rows.observed[:-1])]))
            # The start may be just above a power of ten, and the first x just below it.
            limit += 2.0 * np.concatenate([10.0 * written[:1], written[:-1]]) + epsilon * began
        lost = np.maximum(np.nan_to_num(rows.g_half), LOST * epsilon * np.abs(np.nan_to_num(rows.gradients)))
        shape = (rows.steps, DRAWS, *rows.gradients.shape[1:])
        signs = np.random.default_rng(17).choice((-1.0, 1.0), size=shape)
        with np.errstate(all="ignore"):
            drawn = self.run(tree, setting, rows.gradients[:, None] + signs * lost[:, None])
            apart = np.where(np.isfinite(drawn), drawn - predicted[:, None], 0.0)
            limit += DEVIATIONS * np.sqrt((apart**2).mean(axis=1))
        return np.asarray(limit + self._gaps(limit) + DTYPES[rows.dtype].smallest)

    def _gaps(self, limit: Array) -> Array:
        """Add up what may be lost over steps at which x was not written down."""
        extra = np.zeros_like(limit)
        for i in range(1, len(limit)):
            extra[i] = np.where(self.known[i - 1], 0.0, limit[i - 1] + extra[i - 1])
        return extra

    def agrees(self, tree: Tree, setting: Setting) -> Array:
        """Tell at which steps the record is what the rule gives, as far as something is known there."""
        predicted = self.run(tree, setting)
        limit = self.limit(tree, setting, predicted)
        with np.errstate(all="ignore"):
            near = np.abs(predicted - self.rows.observed) <= limit
        unsaid = np.zeros_like(near)
        if self.rows.observe == "x" and setting.start is None:
            unsaid[0] = np.isnan(self.rows.start)
        return np.asarray((near | ~self.known | unsaid).all(axis=(1, 2)))

    def with_start(self, tree: Tree, setting: Setting) -> Setting:
        """Find where x was before the first step, if nobody says so: from there the step leads where it led."""
        rows = self.rows
        if rows.observe != "x" or not np.isnan(rows.start).any():
            return setting
        first = rows.first_steps(1)
        replay = Replay(first)
        start = np.nan_to_num(first.observed[0])
        for _ in range(6):
            made = replay.run(tree, replace(setting, start=start), first.gradients)[0]
            with np.errstate(all="ignore"):
                start = np.where(np.isfinite(made), start + (np.nan_to_num(first.observed[0]) - made), start)
        return replace(setting, start=start)
