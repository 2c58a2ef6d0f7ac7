"""Somebody's own scheduler as a subject: steps in, rates out. It knows no schedule by name, and judges nothing.

A function of the step number, a class or generator that gives one rate a step, an LRScheduler of torch or a function
that makes one of an optimizer, a LearningRateSchedule of Keras, a schedule of optax.
"""

from __future__ import annotations

import copy
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.errors import SubjectError
from mhat.notation.decimals import exact
from mhat.subjects.sandbox import Guard
from mhat.subjects.subject import Array, Subject

# The convention by which the process of a subject is told that a scheduler is meant.
SCHEDULE = "schedule"
# What a run is asked besides: the count of the first step, and after which step it is stopped and resumed.
FIRST, RESUME = "first", "resume"
COUNTS = frozenset({
    "t", "step", "steps_done", "epoch", "n", "i", "k", "count", "it", "iter", "iteration", "iterations", "global_step",
    "current_step", "step_num", "step_number", "num_step", "s", "x", "last_epoch", "num_updates", "batch",
})  # fmt: skip
OPTIMIZERS = frozenset({"optimizer", "optim", "opt", "optimiser"})
RATE = 1.0
CURE = "Give a function of the step number: def rate(step): ... return lr."


@dataclass(frozen=True)
class Course:
    """How rates are made: `rates(steps, first, resume)`, and what the notes say."""

    rates: Callable[[int, int | None, int | None], Array]
    notes: tuple[str, ...] = ()
    resumes: bool = False


def subject_of_scheduler(thing: Any, name: str | None, options: Mapping[str, Any], guard: Guard) -> Subject:
    """Make a subject of a scheduler: driven with as many numbers as there are steps, it gives the rate of each.

    Behind the step at which it ends by itself rates are NaN. Raises SubjectError for what is none.
    """
    called = name or str(getattr(thing, "__name__", type(thing).__name__))
    with guard.running(called):
        course = _course(thing, called, dict(options))

    def drive(gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        asked = {key: int(value) for key, value in knobs.items()}
        with guard.running(called):
            return [course.rates(len(gradients[0]), asked.get(FIRST), asked.get(RESUME))]

    takes = frozenset({FIRST, RESUME} if course.resumes else {FIRST})
    return Subject(name=called, drive=drive, knobs=takes, notes=course.notes)


def is_scheduler(thing: Any) -> bool:
    """Whether a thing is without doubt a scheduler of a framework: a class or an object of one."""
    kind = thing if isinstance(thing, type) else type(thing)
    return any(each.__name__ in ("LRScheduler", "LearningRateSchedule") for each in kind.__mro__)


def _course(thing: Any, called: str, options: dict[str, Any]) -> Course:
    torch_kind = _kind_of_torch()
    if torch_kind is not None and isinstance(thing, type) and issubclass(thing, torch_kind):
        return _of_torch(thing, called, options)
    if torch_kind is not None and isinstance(thing, torch_kind):
        return Course(lambda steps, _first, _resume: _stepped_on(copy.deepcopy(thing), steps), _COUNTED_BY_TORCH)
    if isinstance(thing, type):
        return _course(thing(**options), called, {})
    if inspect.isgeneratorfunction(thing):
        return Course(lambda steps, _first, _resume: _drawn(thing(**options), steps))
    parameters = list(inspect.signature(thing).parameters.values()) if callable(thing) else []
    first = parameters[0].name if parameters else ""
    if first.lower() in OPTIMIZERS:
        return _of_torch(thing, called, options)
    if parameters and first not in options and (first.lower() in COUNTS or _is_asked(parameters[0], parameters)):
        _refuse_lacking(called, parameters[1:], options)
        return _of_function(lambda count: thing(count, **options), thing, first)
    if callable(thing):
        made = thing(**options)
        if callable(made) or is_scheduler(made):
            return _course(made, called, {})
        if hasattr(made, "__next__"):
            return Course(lambda steps, _first, _resume: _drawn(thing(**options), steps))
    if callable(getattr(thing, "step", None)):
        return Course(lambda steps, _first, _resume: _stepped(copy.deepcopy(thing), steps), (_AFTER_EACH,))
    raise SubjectError(called, f"is of type {type(thing).__name__}, and no scheduler that mhat can drive", CURE)


_AFTER_EACH = "its step() is called once for each step, and what it returns is taken as the rate"
_COUNTED_BY_TORCH = ("rates are read before each step of the optimizer, and scheduler.step() is called after it",)


def _is_asked(first: inspect.Parameter, others: list[inspect.Parameter]) -> bool:
    """Whether the first argument must be given, and is the only one that must."""
    needed = [each for each in others if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD]
    positional = first.kind in (first.POSITIONAL_OR_KEYWORD, first.POSITIONAL_ONLY, first.VAR_POSITIONAL)
    return positional and first.default is first.empty and needed[:1] in ([], [first])


def _refuse_lacking(called: str, parameters: list[inspect.Parameter], options: Mapping[str, Any]) -> None:
    """Refuse a function some of whose arguments nobody has given; raises SubjectError."""
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    lacking = [
        each.name for each in parameters
        if each.default is each.empty and each.kind in plain and each.name not in options
    ]  # fmt: skip
    if lacking:
        cure = f"Give a value for each: {' '.join(f'-k {name}=...' for name in lacking)}"
        raise SubjectError(
            called, f"needs {' and '.join(f'`{name}`' for name in lacking)} beside the step number", cure
        )


def _of_function(rate: Callable[[int], Any], thing: Any, argument: str) -> Course:
    """Drive a function of the step number; it says by its argument, or by having no value at 0, where it begins."""
    counts_from = 1 if argument == "t" else 0
    notes = [f"it is called with {argument} = {counts_from} at the first step"]
    if not counts_from and not _has_value(rate, 0) and _has_value(rate, 1):
        counts_from = 1
        notes = [f"it has no value at {argument} = 0, so the first step is taken to be 1"]

    def rates(steps: int, first: int | None, resume: int | None) -> Array:
        begin = counts_from if first is None else first
        table = _table(rate, thing, begin, steps)
        return _called(rate, begin, steps) if table is None else table

    return Course(rates, tuple(notes))


def _has_value(rate: Callable[[int], Any], count: int) -> bool:
    try:
        return math.isfinite(float(rate(count)))
    except Exception:  # whatever a user's function raises
        return False


def _called(rate: Callable[[int], Any], begin: int, steps: int) -> Array:
    rates = np.full(steps, np.nan)
    for place in range(steps):
        try:
            rates[place] = float(rate(begin + place))
        except Exception:
            # It may end by itself; what fails at the first steps is no scheduler.
            if place < 3:
                raise
            break
    return rates


def _table(rate: Callable[[int], Any], thing: Any, begin: int, steps: int) -> Array | None:
    """Ask for all steps at once where the function is made of arrays, as those of optax and Keras are: far quicker."""
    module = str(getattr(thing, "__module__", "")).partition(".")[0]
    if module not in ("optax", "keras", "jax"):
        return None
    counts = np.arange(begin, begin + steps)
    try:
        table = np.asarray(rate(counts), dtype=np.float64)  # type: ignore[arg-type]
        telling = {0, 1, 2, steps // 3, steps // 2, steps - 1}
        alike = table.shape == (steps,) and all(
            abs(float(rate(begin + place)) - table[place]) <= 1e-5 * np.abs(table).max()
            for place in telling
            if place < steps
        )
    except Exception:  # whatever the framework raises for an array in place of a number
        return None
    return table if alike else None


def _drawn(generator: Any, steps: int) -> Array:
    rates = np.full(steps, np.nan)
    for place, rate in zip(range(steps), generator, strict=False):
        rates[place] = float(rate)
    return rates


def _stepped(thing: Any, steps: int) -> Array:
    rates = np.full(steps, np.nan)
    for place in range(steps):
        rates[place] = float(thing.step())
    return rates


def _kind_of_torch() -> Any:
    module = sys.modules.get("torch.optim.lr_scheduler")
    return getattr(module, "LRScheduler", None)


def _of_torch(make: Any, called: str, options: dict[str, Any]) -> Course:
    """Drive an LRScheduler, or what makes one of an optimizer, on an SGD of one parameter."""
    if _kind_of_torch() is None:
        raise SubjectError(called, "takes an optimizer, and torch is not imported in its file", CURE)
    own = inspect.signature(make).parameters
    rate = RATE if "lr" in own else float(options.pop("lr", RATE))

    def begun() -> Any:
        torch = sys.modules["torch"]
        weight = torch.nn.Parameter(torch.zeros(1))
        # Schedules that cycle the momentum want one.
        return make(torch.optim.SGD([weight], lr=rate, momentum=0.9), **options)

    scheduler = begun()
    if not callable(getattr(scheduler, "state_dict", None)) or not hasattr(scheduler, "optimizer"):
        raise SubjectError(called, f"made {type(scheduler).__name__}, which is no LRScheduler of torch", CURE)
    if "metrics" in inspect.signature(scheduler.step).parameters:
        cure = "It follows the loss, and not the steps: there is no schedule to compare it with."
        raise SubjectError(called, "asks for a metric at each step", cure)

    def rates(steps: int, first: int | None, resume: int | None) -> Array:
        one = begun()
        if resume is None:
            return _stepped_on(one, steps)
        before = _stepped_on(one, resume)
        states = copy.deepcopy((one.optimizer.state_dict(), one.state_dict()))
        other = begun()
        other.optimizer.load_state_dict(states[0])
        other.load_state_dict(states[1])
        return np.concatenate([before, _stepped_on(other, steps - resume)])

    notes = (*_COUNTED_BY_TORCH, f"its optimizer is given lr={exact(rate)}; another one with -k lr=...")
    return Course(rates, notes, resumes=True)


def _stepped_on(scheduler: Any, steps: int) -> Array:
    rates = np.full(steps, np.nan)
    optimizer = scheduler.optimizer
    for place in range(steps):
        rates[place] = float(optimizer.param_groups[0]["lr"])
        optimizer.step()
        try:
            scheduler.step()
        except Exception:
            # OneCycleLR refuses to go beyond its end.
            if place < 3:
                raise
            break
    return rates
