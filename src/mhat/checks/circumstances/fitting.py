"""What is not known of a record, estimated by least squares along it. It knows no rule by name and no file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from mhat.checks.circumstances.replay import Replay, Setting, together
from mhat.language.tree import Tree
from mhat.language.vocabulary import meaning_of

Array = np.ndarray[Any, Any]
# One number for all; one for each tensor or coordinate; one for each step.
Kind = Literal["all", "tensor", "coordinate", "step"]
ROUNDS = 25
NUDGE = 1e-6
# A residual that is smaller than this, in units of what rounding explains, is none.
FITTED = 0.05
FAR = 1e15
# Few first steps that cannot be fitted by far are not fitted along with more: so many, and how far off, in such units;
# of knobs of each tensor or coordinate, which are found by detours, further off.
FIRST, HOPELESS, HOPELESS_IN_GROUPS = 10, 1e2, 1e4


@dataclass(frozen=True)
class Unknown:
    """A knob, or a `state` at the beginning, of which there is one value for all, or one for each of a kind."""

    name: str
    kind: Kind = "all"
    state: bool = False


class Fitting:
    """Fits unknowns of one rule to one record."""

    def __init__(self, replay: Replay, tree: Tree, late: Callable[[], bool] = lambda: False) -> None:
        self.late = late
        self.replay, self.tree, self.rows = replay, tree, replay.rows
        self.groups = self.rows.groups()
        self.defaults = {knob.name: float(knob.default) for knob in tree.knobs}

    def fit(self, setting: Setting, unknowns: Sequence[Unknown]) -> Setting | None:
        """Improve a setting by Levenberg-Marquardt steps; None where the rule cannot be run in it, or gives too little.

        The first steps are asked first, which costs little: what does not give them does not give the record.
        """
        return None if self.excluded(setting, unknowns) else self._fit(setting, unknowns)

    def excluded(self, setting: Setting, unknowns: Sequence[Unknown]) -> bool:
        """Whether a rule cannot give the first steps, whatever the values of what is sought."""
        if self.rows.steps < 2 * FIRST or any(unknown.state for unknown in unknowns):
            return False
        over = {name: values[:FIRST] for name, values in setting.over_steps.items()}
        first = Fitting(Replay(self.rows.first_steps(FIRST)), self.tree, self.late)
        first.groups = self.groups
        fitted = first._fit(replace(setting, over_steps=over), unknowns)
        if fitted is None:
            return False
        weights = first._weights(fitted)
        grouped = any(unknown.kind in ("tensor", "coordinate") for unknown in unknowns)
        far = HOPELESS_IN_GROUPS if grouped else HOPELESS
        return weights is not None and math.sqrt(_size(first._residual(fitted, weights))) > far

    def _fit(self, setting: Setting, unknowns: Sequence[Unknown]) -> Setting | None:
        weights = self._weights(setting)
        if weights is None:
            return None
        point, residual = setting, self._residual(setting, weights)
        damping, error = 1e-4, _size(residual)
        for turn in range(ROUNDS):
            if self.late() or not math.isfinite(error) or float(np.max(np.abs(residual), initial=0.0)) < FITTED:
                break
            if turn % 5 == 4:
                # A right reading is soon fitted far better, and rounding is better known near it.
                weights = self._weights(point)
                if weights is None:
                    return None
                residual = self._residual(point, weights)
                error = _size(residual)
            jacobian, places = self._jacobian(point, unknowns, residual, weights)
            while damping < 1e4:
                moved = self._moved(point, places, _solved(jacobian, residual, damping))
                tried = self._residual(moved, weights)
                if _size(tried) < error:
                    stuck = _size(tried) > 0.99 * error
                    point, residual, error, damping = moved, tried, _size(tried), damping * 0.03
                    break
                damping *= 30.0
            else:
                break
            if stuck:
                break
        return self.replay.with_start(self.tree, point)

    def error(self, setting: Setting) -> float:
        """Give the mean square of the residual, in units of what rounding explains."""
        weights = self._weights(setting)
        return math.inf if weights is None else _size(self._residual(setting, weights))

    def nearest(self, settings: Sequence[Setting], most: int) -> list[Setting]:
        """Give those of several settings that come nearest, of how large the steps are."""
        scale = np.nanmax(np.abs(np.diff(self.rows.observed, axis=0, prepend=self.rows.observed[:1])), axis=0)
        weights = np.where(self.rows.known, 1.0 / np.maximum(scale, 1e-300), 0.0)
        residuals = self._residual(together(settings), weights[:, None]).reshape(len(weights), len(settings), -1)
        errors = [_size(residuals[:, i]) for i in range(len(settings))]
        order = sorted(range(len(settings)), key=lambda i: errors[i])[:most]
        return [settings[i] for i in order if math.isfinite(errors[i])]

    def _weights(self, setting: Setting) -> Array | None:
        setting = self.replay.with_start(self.tree, setting)
        predicted = self.replay.run(self.tree, setting)
        if not np.isfinite(predicted[self.rows.known]).all():
            return None
        weights = np.where(self.rows.known, 1.0 / self.replay.limit(self.tree, setting, predicted), 0.0)
        if self.rows.observe == "x":
            weights[0] = np.where(np.isnan(self.rows.start), 0.0, weights[0])
        return weights

    def _residual(self, setting: Setting, weights: Array) -> Array:
        predicted = self.replay.run(self.tree, self.replay.with_start(self.tree, setting))
        with np.errstate(all="ignore"):
            residual = np.where(weights > 0, (predicted - self._observed(predicted)) * weights, 0.0)
        return np.asarray(np.clip(np.nan_to_num(residual, nan=FAR, posinf=FAR, neginf=-FAR), -FAR, FAR).ravel())

    def _observed(self, predicted: Array) -> Array:
        observed = self.rows.observed
        return observed[:, None] if predicted.ndim > observed.ndim else observed

    def _jacobian(
        self, setting: Setting, unknowns: Sequence[Unknown], residual: Array, weights: Array
    ) -> tuple[Array, list[tuple[Unknown, Array]]]:
        """Give a column for each value that is sought, and where it stands: a mask over (step, tensor, coordinate)."""
        places = [(unknown, mask) for unknown in unknowns for mask in self._masks(unknown)]
        nudged = together([self._changed(setting, unknown, mask, NUDGE) for unknown, mask in places])
        moved = self._residual(nudged, weights[:, None]).reshape(len(weights), len(places), -1)
        columns = np.moveaxis(moved, 1, 2).reshape(-1, len(places))
        return (columns - residual[:, None]) / NUDGE, places

    def _masks(self, unknown: Unknown) -> list[Array]:
        shape = self.rows.gradients.shape
        everywhere = np.ones(shape[1:], bool)
        if unknown.kind == "all":
            return [everywhere]
        if unknown.kind == "tensor":
            return [self.groups == group for group in np.unique(self.groups)]
        if unknown.kind == "coordinate":
            flat = np.eye(everywhere.size, dtype=bool)
            return [row.reshape(shape[1:]) for row in flat]
        return list(np.eye(shape[0], dtype=bool))

    def _moved(self, setting: Setting, places: list[tuple[Unknown, Array]], by: Array) -> Setting:
        for (unknown, mask), amount in zip(places, by, strict=True):
            setting = self._changed(setting, unknown, mask, float(np.clip(amount, -3.0, 3.0)))
        return setting

    def _changed(self, setting: Setting, unknown: Unknown, mask: Array, by: float) -> Setting:
        """Move one value on a scale that keeps it in its range."""
        if unknown.state:
            values = setting.states[unknown.name]
            size = np.maximum(np.abs(values), float(np.mean(np.abs(values))) + 1e-300)
            return replace(setting, states={**setting.states, unknown.name: values + np.where(mask, by * size, 0.0)})
        if unknown.kind == "step":
            values = setting.over_steps[unknown.name]
            moved = np.where(mask, values * math.exp(by), values)
            return replace(setting, over_steps={**setting.over_steps, unknown.name: moved})
        value = setting.knobs.get(unknown.name, self.defaults[unknown.name])
        if unknown.kind == "all":
            return replace(setting, knobs={**setting.knobs, unknown.name: _nudged(unknown.name, float(value), by)})
        values = np.broadcast_to(np.asarray(value, np.float64), mask.shape)
        moved = np.where(mask, np.vectorize(lambda each: _nudged(unknown.name, each, by))(values), values)
        return replace(setting, knobs={**setting.knobs, unknown.name: moved})


def _nudged(name: str, value: float, by: float) -> float:
    """Move a knob: a decay rate by its distance from one, a rate by its logarithm, others by a hundredth a unit."""
    if meaning_of(name).is_share:
        return float(np.clip(1.0 - max(1.0 - value, 1e-9) * math.exp(min(by, 20.0)), 0.0, 1.0))
    if name in ("lr", "eps"):
        return max(value, 1e-30) * math.exp(by)
    return value + 0.01 * by


def _solved(jacobian: Array, residual: Array, damping: float) -> Array:
    size = np.linalg.norm(jacobian, axis=0)
    size = np.where(size > 0, size, 1.0)
    scaled = jacobian / size
    rows = np.vstack([scaled, math.sqrt(damping) * np.eye(scaled.shape[1])])
    wanted = np.concatenate([-residual, np.zeros(scaled.shape[1])])
    return np.asarray(np.linalg.lstsq(rows, wanted, rcond=None)[0] / size)


def _size(residual: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.mean(residual**2))
