"""Estimate the knobs that a subject hides: usual values first, then least squares. It knows no subject."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import numpy as np

from mhat.language.inference import names_read
from mhat.language.tree import Tree
from mhat.language.vocabulary import USUAL, meaning_of
from mhat.search.matching import Matcher, update_scale

Array = np.ndarray[Any, Any]
Fit = dict[str, float]
Late = Callable[[], bool]
ROUNDS = 20
PATIENT = 4
STARTS = 3
# First moves of a right candidate have one ratio to the observed ones, up to what a small eps does.
SPREAD = 1.1


class Fitter:
    """Fits the hidden knobs of candidates to one observation, unless it is `late`: then nothing more is found."""

    def __init__(self, matcher: Matcher, tree: Tree, hidden: tuple[str, ...], late: Late = lambda: False) -> None:
        self.matcher = matcher
        self.late = late
        self.hidden = hidden
        self.defaults = {knob.name: knob.default for knob in tree.knobs}
        self.start = matcher.observed.probes.base
        self.wanted = matcher.observed.values - self.start
        scale = update_scale(matcher.observed.values, self.start)
        known = np.isfinite(np.broadcast_to(matcher.observed.slack, scale.shape))
        # The first step of which something is known.
        self.first = int(np.argmax(known.any(axis=(1, 2, 3))))
        usable = (scale > 0) & np.isfinite(self.wanted) & known
        self.weight = np.where(usable, 1.0 / np.maximum(scale, 1e-300), 0.0)

    def quick(self, tree: Tree, known: Mapping[str, float] | None = None) -> Fit | None:
        """Find a learning rate and a usual eps with which a candidate agrees; None if there are none.

        `known`: hidden knobs whose values have been found. The learning rate is a factor of the first move; with
        the right eps every coordinate tells the same one.
        """
        for eps in USUAL["eps"] if "eps" in self.hidden and "eps" in names_read(tree) else (None,):
            knobs = {**(known or {}), **({} if eps is None else {"eps": eps})}
            if "lr" in self.hidden:
                rate = self._rate(tree, knobs, spread=1 + 1e-6)
                if rate is None:
                    continue
                knobs["lr"] = self.defaults["lr"] * rate
            if self.matcher.agreed(tree, knobs) == self.matcher.steps:
                return self._told(self._rounded(tree, knobs))
        return None

    def fit(self, tree: Tree, known: Mapping[str, float] | None = None) -> Fit | None:
        """Estimate all hidden knobs by least squares; None if the candidate does not agree with any.

        `known`: values to begin with. Only knobs that differ from their defaults are given.
        """
        hidden = [name for name in self.hidden if name in names_read(tree)]
        if not hidden:
            return None
        knobs = {name: self.defaults[name] for name in hidden} | dict(known or {})
        if "lr" in knobs:
            rate = self._rate(tree, knobs, SPREAD)
            if rate is None:
                return None
            knobs["lr"] *= rate
        starts = [knobs, *self._usual(knobs)]
        errors = [self._error(tree, start) for start in starts]
        for i in sorted(range(len(starts)), key=lambda i: errors[i])[:STARTS]:
            if math.isfinite(errors[i]):
                fitted = self._least_squares(tree, starts[i])
                if self.matcher.agreed(tree, fitted) == self.matcher.steps:
                    return self._told(self._rounded(tree, fitted))
        return None

    def _told(self, knobs: Fit) -> Fit:
        return {name: value for name, value in knobs.items() if value != self.defaults[name]}

    def _rate(self, tree: Tree, knobs: Fit, spread: float) -> float | None:
        """Give the factor from the candidate's first moves to the observed ones; None if it is not one factor."""
        try:
            with np.errstate(all="ignore"):
                made = next(islice(self.matcher.evaluator.steps(tree, knobs), self.first, None)) - self.start
                ratio = (self.wanted[self.first] / made)[self.weight[self.first] > 0]
        except (KeyError, ValueError, TypeError):
            return None
        ratio = ratio[np.isfinite(ratio) & (ratio != 0)]
        if not ratio.size:
            return 1.0
        low, middle, high = np.quantile(ratio, [0.3, 0.5, 0.7])
        return None if low <= 0 or high / low > spread else float(middle)

    def _usual(self, knobs: Fit) -> list[Fit]:
        """List the knobs with one of them, or both of a pair of betas, at other usual values."""
        others = [{**knobs, name: value} for name in knobs for value in USUAL.get(name, ())]
        if {"beta1", "beta2"} <= set(knobs):
            others += [{**knobs, "beta1": a, "beta2": b} for a in USUAL["beta1"] for b in USUAL["beta2"]]
        return others

    def residual(self, tree: Tree, knobs: Mapping[str, float]) -> Array | None:
        """Give the differences on the scale of the update, in one row, none beyond 10; None if it cannot run."""
        try:
            moved = self.matcher.evaluator.run(tree, knobs) - self.start
        except (KeyError, ValueError, TypeError):
            return None
        with np.errstate(all="ignore"):
            residual = np.where(self.weight > 0, (moved - self.wanted) * self.weight, 0.0)
        finite = np.nan_to_num(residual, nan=10.0, posinf=10.0, neginf=-10.0)
        return np.asarray(np.clip(finite, -10.0, 10.0).ravel())

    def _error(self, tree: Tree, knobs: Mapping[str, float]) -> float:
        residual = None if self.late() else self.residual(tree, knobs)
        return math.inf if residual is None else float(np.mean(residual**2))

    def _least_squares(self, tree: Tree, knobs: Fit) -> Fit:
        """Improve knobs by Levenberg-Marquardt steps on a scale that keeps each in its range."""
        names = [name for name in knobs if knobs[name] > 0]
        if not names:
            return knobs
        point = np.array([_free(name, knobs[name]) for name in names])
        damping = 1e-3

        def at(values: Array) -> Fit:
            return {**knobs, **{n: _bounded(n, float(v)) for n, v in zip(names, values, strict=True)}}

        residual = self.residual(tree, at(point))
        begun = math.inf
        for turn in range(ROUNDS):
            if residual is None or self.late() or float(np.max(np.abs(residual))) < 1e-13:
                break
            if turn % PATIENT == 0:
                # A right candidate is soon fitted far better; the others are not worth the time.
                if float(residual @ residual) > 0.5 * begun:
                    break
                begun = float(residual @ residual)
            columns = []
            for i in range(len(names)):
                nudged = point.copy()
                nudged[i] += 1e-6
                other = self.residual(tree, at(nudged))
                columns.append((residual if other is None else other) - residual)
            jacobian = np.stack(columns, axis=1) / 1e-6
            square = jacobian.T @ jacobian
            step = np.linalg.lstsq(
                square + damping * np.diag(np.diag(square) + 1e-12), -jacobian.T @ residual, rcond=None
            )[0]
            tried = point + np.clip(step, -3.0, 3.0)
            new = self.residual(tree, at(tried))
            if new is not None and float(new @ new) < float(residual @ residual):
                point, residual, damping = tried, new, damping * 0.1
            else:
                damping *= 10.0
                if damping > 1e6:
                    break
        return at(point)

    def _rounded(self, tree: Tree, knobs: Fit) -> Fit:
        """Write each knob with as few digits as still agree: people choose round numbers."""
        for name in knobs:
            plain = {**knobs, name: self.defaults[name]}
            if self.matcher.agreed(tree, plain) == self.matcher.steps:
                # What makes no difference is not claimed to be another.
                knobs = plain
                continue
            for digits in range(1, 10):
                near = _written(name, knobs[name], digits)
                tried = {**knobs, name: near}
                if self.matcher.agreed(tree, tried) == self.matcher.steps:
                    knobs = tried
                    break
        return knobs


def _is_share(name: str) -> bool:
    return meaning_of(name).is_share


def _free(name: str, value: float) -> float:
    """Map a knob to the whole line: the distance of a decay rate from 1, or the size, by logarithm."""
    return math.log(max(1.0 - value, 1e-12)) if _is_share(name) else math.log(value)


def _bounded(name: str, value: float) -> float:
    value = math.exp(min(max(value, -80.0), 40.0))
    return max(1.0 - value, 0.0) if _is_share(name) else value


def _written(name: str, value: float, digits: int) -> float:
    """Write a value with so many digits: of a share so many behind the point."""
    return round(value, digits) if _is_share(name) else float(f"{value:.{digits - 1}e}")
