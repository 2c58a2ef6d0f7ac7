"""Functions as subjects: `run(gradients) -> parameters`. It knows no framework and no rule.

What a function takes is read from its signature; whether it takes vectors is found by trying.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.errors import SubjectError, SubjectHangs
from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import PARAMS
from mhat.subjects.sandbox import USUAL_GUARD, Guard, source_of, words_of
from mhat.subjects.spelling import STARTS, Keywords, SpelledKnobs, keywords_of
from mhat.subjects.subject import Subject
from mhat.subjects.trials import LAST, TRIAL, Call, Single, Together, accepted, subject_of_driver

# What gradients are called where a run is given all of them.
SEVERAL = frozenset({
    "grads", "gradients", "gs", "glist", "gradlist", "gradientlist", "gradseq", "gradsequence", "gradientsequence",
    "gradhistory", "gradstream", "gradientstream", "allgrads", "allgradients", "gseq", "gstream", "listofgrads",
})  # fmt: skip
EXPECTED = (
    "Write run(gradients), which takes an array of shape (T,) or (T, n) and returns the parameters after each "
    "step in the same shape; or a class with step(params, grads)."
)


def subject_of_function(
    function: Callable[..., Any],
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    dtype: str | None = None,
    options: Mapping[str, Any] | None = None,
    guard: Guard = USUAL_GUARD,
) -> Subject:
    """Make a subject of `run(gradients) -> parameters`.

    It may take a start and knobs by name (see `spelling`), and an attribute `tensors` says that it takes and
    returns lists. `options` are further keywords that it is called with. It is tried before it is believed.
    Raises SubjectError.
    """
    name = name or str(getattr(function, "__name__", "subject"))
    keywords, fed = _keywords(function, name, rule_knobs, options)
    spelled = keywords.spelling

    def call(gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        arguments = keywords.arguments(knobs)
        arguments.update({knob: value for knob, value in knobs.items() if knob not in spelled.names})
        if spelled.start is not None:
            arguments[spelled.start] = start
        answered = function(gradients, **arguments) if fed is None else function(**{fed: gradients}, **arguments)
        return without_start(answered, gradients.shape) if isinstance(gradients, np.ndarray) else answered

    tensors = _tensors_of(function, name)
    driver: Single | Together = Single(name, call, dtype, guard)
    if tensors is not None:
        started = call if spelled.start is None else _started(name, call, tensors, guard)
        driver = Together(name, started, tensors, dtype, guard)
    driver.settle()
    if tensors is None and isinstance(driver, Single):
        _check_start_in_front(driver)
        if fed is not None:
            _check_adds_up(driver)
    others = accepted(driver, rule_knobs or {}, (rule_knobs or {}).keys() - spelled.names) if spelled.free else ()
    return subject_of_driver(
        driver,
        knobs=spelled.names.union(others),
        starts=spelled.start is not None,
        tensors=tensors,
        defaults=keywords.defaults,
        source=source_of(getattr(function, "written", function)),
    )


def without_start(answered: Any, shape: tuple[int, ...]) -> Any:
    """Leave the start out where a function gives it before the parameters after each step."""
    if isinstance(answered, dict | str | None):
        return answered
    try:
        there = np.shape(answered)
    except Exception:
        return answered
    return answered[1:] if shape and there == (shape[0] + 1, *shape[1:]) else answered


def _check_start_in_front(driver: Single) -> None:
    """Refuse a function that gives one value too many, and not the start: its last steps are moved too early."""
    first, other = driver.attempt({}), driver.attempt({}, trial=LAST)
    if not all(np.array_equal(a[:-1], b[:-1], equal_nan=True) for a, b in zip(first, other, strict=True)):
        raise SubjectError(driver.name, "moved by gradients that were still to come", EXPECTED)


def _check_adds_up(driver: Single) -> None:
    """Refuse a function that is one step on all gradients at once: of a run the last x knows the first gradient."""
    other_first = TRIAL.copy()
    other_first[0] *= -3.0
    first, other = driver.attempt({}), driver.attempt({}, trial=other_first)
    if all(np.array_equal(a[-1], b[-1], equal_nan=True) for a, b in zip(first, other, strict=True)):
        raise SubjectError(driver.name, "forgets the first of the gradients", EXPECTED)


def _started(name: str, call: Call, tensors: int, guard: Guard) -> Call:
    """Find out whether a function of several tensors takes a list as its start, or one number for all."""

    def with_number(gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        numbers = {float(value) for each in start for value in np.ravel(each)}
        if len(numbers) > 1:
            raise SubjectError(name, "takes one number as its start", "Start all tensors there.")
        return call(gradients, numbers.pop() if numbers else 0.0, knobs)

    driver = Together(name, call, tensors, guard=guard)
    try:
        driver.attempt({}, 1.0)
    except SubjectHangs:
        raise
    except SubjectError:
        return with_number
    return call


def _keywords(
    function: Callable[..., Any],
    name: str,
    rule_knobs: Mapping[str, float] | None,
    options: Mapping[str, Any] | None,
) -> tuple[Keywords, str | None]:
    """Read the signature; and give the name of the gradients, where they stand beside x: run(x, gradients)."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return Keywords(SpelledKnobs(), options or {}), None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
    if not positional:
        raise SubjectError(name, "takes no gradients", EXPECTED)
    start, fed = _beside_x(positional)
    skip = [positional[0].name] if fed is None or start is None else [start, fed]
    keywords = keywords_of(name, parameters, rule_knobs, options, skip=skip)
    if start is not None:
        keywords = replace(keywords, spelling=replace(keywords.spelling, start=start))
    keywords.check_known(name, EXPECTED)
    return keywords, fed


def _beside_x(positional: list[inspect.Parameter]) -> tuple[str | None, str | None]:
    """Find x and the gradients of a run that asks for both: the one by its usual names, the others as several."""
    required = [p.name for p in positional if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    points = [name for name in required if plain_spelling(name) in PARAMS or plain_spelling(name) in STARTS]
    several = [name for name in required if plain_spelling(name) in SEVERAL]
    return (points[0], several[0]) if len(points) == len(several) == 1 else (None, None)


def _tensors_of(function: Callable[..., Any], name: str) -> int | None:
    """Give the number of tensors that a function says it takes, if it does."""
    tensors = getattr(function, "tensors", None)
    if tensors is not None and (type(tensors) is not int or tensors < 1):
        raise SubjectError(name, f"has `tensors = {words_of(tensors, repr)}`, which is no count", "Write how many.")
    return tensors
