"""Runs of rules on streams that are named by text, and what is read from them. It knows no rule by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mhat import landscapes, streams
from mhat.engines import plan
from mhat.engines.work import Work
from mhat.errors import BadValue
from mhat.explanations.claims import Run
from mhat.language import Level, Rule
from mhat.language.fit import require_fit
from mhat.printers.python import rule_text

Array = np.ndarray[Any, Any]
# Numbers of two machines differ in the last digits: their mathematics libraries do.
AGREES = 1e-9
# A landscape has no end of its own.
ON_A_LANDSCAPE = 1000


@dataclass(frozen=True)
class Setting:
    """A rule as it is explained: what it is called, if it has a name, and its knobs where they are no defaults."""

    rule: Rule
    name: str = ""
    knobs: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What a run calls it: its name, or its pseudo code."""
        return self.name or rule_text(self.rule)

    @property
    def in_force(self) -> dict[str, float]:
        """Every knob with its value."""
        return {**self.rule.knobs, **self.knobs}

    def turned(self, knob: str, value: float) -> Setting:
        """Give the same rule with another value of a knob."""
        return replace(self, knobs={**self.knobs, knob: value})

    def changed(self, other: Rule) -> Setting:
        """Give another rule with the same knobs, as far as it has them."""
        return Setting(other, "", {name: value for name, value in self.knobs.items() if name in other.knobs})


def read(setting: Setting, run: Run) -> Run:
    """Read what a run asks for, and give it with its value; `run.rule` and `run.knobs` become those of the setting."""
    asked = replace(run, rule=setting.text, knobs=dict(setting.knobs))
    course = courses(setting, asked.stream, asked.steps, asked.start)
    return replace(asked, value=read_from(course, asked))


def courses(setting: Setting, stream: str, steps: int, start: float = 0.0) -> dict[str, Array]:
    """Run a rule, and give every variable, (steps, ...)."""
    return _courses(setting.rule, tuple(sorted(setting.knobs.items())), stream, steps, start)


@lru_cache(maxsize=512)
def _courses(
    rule: Rule, knobs: tuple[tuple[str, float], ...], stream: str, steps: int, start: float
) -> dict[str, Array]:
    gradients = named(stream, steps)
    shown = tuple(f"{name}_used" if name in ("x", "g") else name for name in rule.variables)
    keep = tuple(dict.fromkeys(("x", *shown)))
    if isinstance(gradients, landscapes.Landscape):
        place = start or np.array(gradients.start)
        return _run(Work(
            rule, gradients.gradient, steps, keep, np.broadcast_to(place, (gradients.dimensions,)), dict(knobs),
            tensor_dimensions=1, project=gradients.project,
        ))  # fmt: skip
    values = np.asarray(gradients.values)
    if rule.level == Level.MATRIX and values.ndim == 2:
        values = values[:, None, :]
    return _run(Work(rule, values, len(values), keep, start, dict(knobs), tensor_dimensions=values.ndim - 1))


class Unrunnable(Exception):
    """A rule whose shapes do not fit, which showed only when it was run."""


def _run(work: Work) -> dict[str, Array]:
    try:
        with np.errstate(all="ignore"):
            return dict(plan.run(work))
    except ValueError as error:
        raise Unrunnable(str(error)) from error


def read_from(course: Mapping[str, Array], run: Run) -> float:
    """Read what a run asks for from its course."""
    return _read(_course(course, run), run)


def _course(course: Mapping[str, Array], run: Run) -> Array:
    if run.variable != "update":
        return course[run.variable]
    found = named(run.stream, run.steps)
    first = run.start or (found.start if isinstance(found, landscapes.Landscape) else 0.0)
    with np.errstate(all="ignore"):
        return np.diff(course["x"], axis=0, prepend=np.broadcast_to(first, course["x"][:1].shape))


def _read(course: Array, run: Run) -> float:
    part = course[run.step - 1 :] if run.over else course[run.step - 1]
    with np.errstate(all="ignore"):
        if run.over == "largest":
            return float(np.max(np.abs(part)))
        if run.over == "mean":
            return float(np.mean(np.abs(part)))
        if run.over == "rms" or np.size(part) > 1:
            return float(np.sqrt(np.mean(np.square(part))))
        return float(np.reshape(part, ()))


def named(stream: str, steps: int | None) -> Any:
    """Give the stream or the landscape of a text."""
    base = stream.partition(":")[0].strip()
    if base in landscapes.names() and base not in streams.names():
        return landscapes.named(stream)
    return streams.named(stream, steps)


def alike(one: float, other: float, relative: float = AGREES) -> bool:
    """Whether two numbers are the same, NaN too, but for a share of them."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or math.isclose(one, other, rel_tol=relative, abs_tol=1e-300)


def fits(rule: Rule, shape: tuple[int, ...]) -> bool:
    """Whether every operation of a rule fits a tensor of a shape."""
    try:
        require_fit(rule, shape, "the tensor")
    except BadValue:
        return False
    return True


def steps_of(stream: str) -> int:
    """How many steps a stream or a landscape is run for."""
    found = named(stream, None)
    return ON_A_LANDSCAPE if isinstance(found, landscapes.Landscape) else len(found.values)
