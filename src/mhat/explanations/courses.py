"""A rule on one stream: what every line gives at telling steps, and by which formula. It knows no rule by name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from mhat import notation, streams
from mhat.engines.symbols import ClosedForm, closed_forms, course_of
from mhat.errors import MissingExtra
from mhat.explanations.claims import Claim, Comparison, Formula, Number, Run, four_digits
from mhat.explanations.runs import Setting, alike, named, read, steps_of
from mhat.notation.decimals import exact

TELLING = (1, 2, 10, 100, 1000, 10000)
UP_TO = 4
# How near a formula must come to what was measured: sums of many steps round.
NEARLY = 1e-7
# So many steps of a formula are computed for a figure.
MOST_STEPS = 400


def claims(setting: Setting, stream: str) -> Iterator[Claim]:
    """Yield what every line gives on a stream at telling steps, and the closed forms that give the same."""
    steps = steps_of(stream)
    at = [step for step in TELLING if step <= steps][:UP_TO]
    at = at if at[-1] == steps or len(at) == UP_TO else [*at, steps]
    names = [name for name in dict.fromkeys(setting.rule.variables) if name not in ("g", "x")]
    rows, runs = [], {}
    for name in [*names, "x"]:
        runs[name] = tuple(read(setting, Run("", stream, steps, name, step)) for step in at)
        rows.append((name, *(run.value for run in runs[name])))
    head = ("", *(f"step {step}" for step in at))
    every = tuple(run for each in runs.values() for run in each)
    yield Claim("stream", "What every line gives:", "computed", Comparison(head, tuple(rows), every), stream)
    forms, told = forms_of(setting, stream)
    for name, measured in runs.items():
        form = forms.get(name)
        if form is not None and all(_agrees(form, run, told) for run in measured):
            yield _claim(form, measured[-1], told)


def _agrees(form: ClosedForm, run: Run, told: dict[str, float]) -> bool:
    return run.value is not None and alike(form.at(run.step, **_taken(form, told)), run.value, NEARLY)


def _claim(form: ClosedForm, run: Run, told: dict[str, float]) -> Claim:
    value = form.at(run.step, **_taken(form, told))
    given = [f"{name} = {exact(float(told[name]))}" for name in told if name in form.names]
    with_these = f", with {' and '.join(given)}" if given else ""
    sentence = (
        f"`{form.variable}` at step t is `{form.text}`{with_these}: {four_digits(value)} at step "
        f"{run.step}, as measured."
    )
    formula = Formula(form.text, form.latex)
    evidence = Number(value, formula, "its recurrence, solved by symbols", run, NEARLY)
    return Claim("stream", sentence, "proved" if form.proved else "tested", evidence, form.variable)


def _taken(form: ClosedForm, told: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in told.items() if name in form.values}


def forms_of(setting: Setting, stream: str) -> tuple[dict[str, ClosedForm], dict[str, float]]:
    """Give the closed forms of a rule on a stream by variable, and what they are made of; none without SymPy."""
    course = _course(stream)
    if course is None:
        return {}, {}
    name, told = course
    try:
        found = _closed_forms(setting.rule, name, tuple(sorted(setting.knobs.items())))
    except MissingExtra:
        return {}, {}
    forms = {variable: form for variable, form in found.items() if isinstance(form, ClosedForm)}
    return forms, {**setting.knobs, **told, "start": 0.0}


def lack_symbols(setting: Setting, stream: str) -> bool:
    """Whether closed forms would be looked for on a stream, and are not at hand because SymPy is not installed."""
    return find_spec("sympy") is None and _course(stream) is not None and not forms_of(setting, stream)[0]


@lru_cache(maxsize=16)
def _closed_forms(rule: Any, course: str, knobs: tuple[tuple[str, float], ...]) -> dict[str, Any]:
    return dict(closed_forms(rule, course, dict(knobs)))


def _course(stream: str) -> tuple[str, dict[str, float]] | None:
    """Find the course of gradients that a stream takes."""
    recipe = getattr(named(stream, None), "recipe", "")
    typed = notation.parse(recipe) if recipe else None
    if typed is None or typed.name not in streams.names():
        return None
    parameters = list(inspect.signature(getattr(streams, typed.name)).parameters)
    texts = {**dict(zip(parameters, typed.values, strict=False)), **typed.named}
    try:
        return course_of(typed.name, {name: float(text) for name, text in texts.items()})
    except ValueError:
        return None


def predicted(setting: Setting, stream: str, steps: int) -> dict[str, list[float]]:
    """Compute the closed forms at every step of a short run, by variable."""
    if steps > MOST_STEPS:
        return {}
    forms, told = forms_of(setting, stream)
    made = {}
    for name, form in forms.items():
        values = [form.at(step, **_taken(form, told)) for step in range(1, steps + 1)]
        if all(map(math.isfinite, values)):
            made[name] = values
    return made
