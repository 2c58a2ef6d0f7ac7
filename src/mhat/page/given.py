"""What a page begins with: rules, knobs, gradients, a verdict, as plain data. It knows no page and no browser."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mhat import landscapes, rules, streams
from mhat.errors import BadValue, UnknownName
from mhat.language import Level, Rule
from mhat.notation import parse
from mhat.notation.bounds import whole
from mhat.printers.python import rule_text

MOST_RULES = 3
EXERCISES = ("momentum", "rmsprop", "adam", "adamw")
USUAL_STREAM = "constant:10"
USUAL_STEPS = 100
USUAL_STEPS_ON_LANDSCAPES = 300
MOST_STEPS = 100_000
TYPES = ("float64", "float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Given:
    """What a page begins with. `setting` is what it shows, None for the story; the rest stands beside it."""

    setting: Mapping[str, Any] | None
    library: tuple[Mapping[str, str], ...]
    verdict: str | None = None
    exercise: str | None = None

    def data(self) -> dict[str, Any]:
        """Give it as plain data, as the page reads it."""
        told: dict[str, Any] = {"library": list(self.library)}
        if self.setting is not None:
            told["setting"] = dict(self.setting)
        if self.verdict is not None:
            told["verdict"] = self.verdict
        if self.exercise is not None:
            told["exercise"] = self.exercise
        return told


def given_for(
    chosen: Sequence[Rule],
    *,
    stream: str | None = None,
    landscape: str | None = None,
    steps: int | None = None,
    knobs: Mapping[str, float] | None = None,
    dtype: str = "float64",
    step: int | None = None,
    verdict: str | None = None,
    exercise: str | None = None,
) -> Given:
    """Say what a page begins with: nothing told is the story.

    `chosen`: three rules at most. `stream` or `landscape` by name. `knobs` go to every rule that has them.
    `step`: which one is looked at. Raises BadValue, UnknownName.
    """
    if exercise is not None and exercise not in EXERCISES:
        raise BadValue(f"there is no exercise `{exercise}`", f"Choose one: {', '.join(EXERCISES)}.")
    if len(chosen) > MOST_RULES:
        raise BadValue(f"{len(chosen)} rules are more than a page shows", f"Name {MOST_RULES} at most.")
    if stream is not None and landscape is not None:
        raise BadValue("both a stream and a landscape are given", "Give one of them.")
    if dtype not in TYPES:
        raise BadValue(f"`{dtype}` is no type that the page knows", f"Choose one: {', '.join(TYPES)}.")
    if steps is not None:
        steps = whole("steps", steps, least=1, most=MOST_STEPS)
    shown = chosen or [rules.named("adam")]
    _check_knobs(shown, knobs or {})
    told = (*chosen, stream, landscape, steps, None if dtype == "float64" else dtype, knobs or None)
    if all(each is None for each in told):
        return Given(None, library(), verdict, exercise)
    if exercise is not None:
        raise BadValue("an exercise begins with an empty rule", f"Name nothing beside it: --exercise {exercise}.")
    for rule in shown:
        _check_level(rule)
    source, usual = _source(stream, landscape)
    asked = steps or usual
    setting = {
        "rules": [_shown(rule, knobs or {}) for rule in shown],
        "source": source,
        "steps": asked,
        "dtype": dtype,
        "step": min(step or asked, asked),
        "coordinate": 0,
        "lesson": None,
    }
    return Given(setting, library(), verdict, exercise)


def library() -> tuple[Mapping[str, str], ...]:
    """Give every rule of the library that the page computes itself: its name, text, summary and paper."""
    members = (rules.named(name) for name in rules.names())
    return tuple(
        {"name": rule.name, "text": rule_text(rule), "summary": rule.doc.split("\n")[0], "paper": rule.paper or ""}
        for rule in members
        if rule.level is not Level.MATRIX
    )


def _check_level(rule: Rule) -> None:
    if rule.level is Level.MATRIX:
        raise BadValue(
            f"{rule.name} works on whole matrices, and the page computes number by number",
            f"See it so: mhat trace {rule.name} --plot {rule.name}.png.",
        )


def _source(stream: str | None, landscape: str | None) -> tuple[dict[str, Any], int]:
    if landscape is not None:
        landscapes.named(landscape)
        return {"kind": "landscape", "spec": landscape, "angle": 0, "start": None}, USUAL_STEPS_ON_LANDSCAPES
    spec = stream or USUAL_STREAM
    made = streams.named(spec)
    rows = made.values.reshape(made.values.shape[0], -1)
    if parse(spec).name in streams.names():
        return {"kind": "stream", "spec": spec}, rows.shape[0] if "steps" in spec else USUAL_STEPS
    told = {"kind": "values", "label": spec, "rows": [[_plain(value) for value in row] for row in rows.T.tolist()]}
    return told, rows.shape[0]


def _shown(rule: Rule, knobs: Mapping[str, float]) -> dict[str, Any]:
    own = {name: _plain(value) for name, value in knobs.items() if name in rule.knobs}
    return {"text": rule_text(rule), "knobs": own}


def _check_knobs(shown: Sequence[Rule], knobs: Mapping[str, float]) -> None:
    known = {name: None for rule in shown for name in rule.knobs}
    for name, value in knobs.items():
        if name not in known:
            raise UnknownName("knob", name, tuple(known))
        if not isinstance(value, int | float):
            raise BadValue(f"{name}={value!r} is no number", "A slider begins with one number.")


def _plain(value: float) -> float | str:
    """JSON has no nan and no inf: they travel as words."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
