"""Rules beside each other on one problem: tuned by the same budget, run over the same seeds, and what came out.

It knows no rule by name, and says of no rule that it is the better one beyond the problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mhat.errors import BadValue
from mhat.language import Rule
from mhat.notation import whole
from mhat.notation.decimals import brief
from mhat.notation.strict_json import plain, text_of
from mhat.trials.problem import Problem
from mhat.trials.training import Course, check_trainable, points_of, train
from mhat.trials.tuning import Knobs, Tuned, axes_of, tuned
from mhat.writing.html import html_of
from mhat.writing.passages import Entries, Grid, Headline, Paragraph, Passage
from mhat.writing.plain import page_of

Array = NDArray[np.float64]
SEEDS, TRIES = 5, 16
# Knobs are tuned from a seed that no result is of.
TUNING_SEED = 1000
Listener = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Tried:
    """A rule as it was tried out: what it is called, how it was tuned, and a course for each seed."""

    name: str
    rule: Rule
    tuning: Tuned
    courses: tuple[Course, ...]

    @property
    def knobs(self) -> Knobs:
        """The knobs that it ran with, where they are not the rule's own."""
        return self.tuning.best.knobs

    @property
    def scores(self) -> Array:
        """How well it went from each seed: the less the better; inf where it broke off."""
        return np.array([course.score for course in self.courses])

    @property
    def broken(self) -> int:
        """From how many seeds it broke off."""
        return int((~np.isfinite(self.scores)).sum())

    def ends(self, name: str) -> Array:
        """Give what is measured at the end alone, for each seed."""
        return np.array([course.ends[name] for course in self.courses])


@dataclass(frozen=True, eq=False, repr=False)
class Trials:
    """What came out of a trial: `tried`, in the order they were named; `to_dataset`, `to_json`, and a page to read."""

    problem: Problem
    tried: tuple[Tried, ...]
    steps: int
    seeds: int
    tries: int

    @property
    def story(self) -> tuple[Passage, ...]:
        """What came out, in words and numbers, and what it cannot say."""
        problem = self.problem
        return (
            Headline(f"{', '.join(one.name for one in self.tried)} on {problem.what}", good=True),
            Paragraph(
                f"{self.steps} steps. Each rule was tuned by {self.tries} runs at most, from a seed that is not "
                f"counted, and then run from {self.seeds} seed{'s' * (self.seeds != 1)}, which change {problem.chance}."
            ),
            Paragraph(f"Measured: {problem.measured}; of each run the median over the last tenth of its steps."),
            Grid(*self._table()),
            Entries(tuple((f"{one.name}: {_settings(one)}",) for one in self.tried), "The knobs that were found"),
            *(Paragraph(note, "quiet") for note in self._notes()),
            Entries(tuple((line,) for line in self._limits()), "What this cannot say"),
        )

    def _table(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        further = tuple(self.problem.further)
        rows = tuple(
            (one.name, *_spread(one.scores), *(_spread(one.ends(n))[0] for n in further)) for one in self.tried
        )
        return ("rule", "median", "least to most", *further), rows

    def _notes(self) -> Iterator[str]:
        yield from self.problem.notes
        for one in self.tried:
            if not math.isfinite(one.tuning.best.score):
                yield f"{one.name} broke off with all knobs that were tried."
            elif one.broken:
                yield f"{one.name} broke off from {one.broken} of {self.seeds} seeds."
            if one.tuning.at_the_end:
                names = " and ".join(one.tuning.at_the_end)
                yield f"The best {names} of {one.name} lay at the end of what was tried: more tries may find a better."

    def _limits(self) -> Iterator[str]:
        yield (
            f"Which rule is the better one in general: this is one problem, {self.steps} steps long, and another one, "
            "or a longer run, may turn the order around."
        )
        yield (
            f"What more tuning would do: {self.tries} runs found these knobs, and only of "
            f"{', '.join(dict.fromkeys(name for one in self.tried for name in one.tuning.moved)) or 'none'}."
        )
        close = self._close()
        if close:
            yield f"Which of {close} is ahead here: their seeds overlap."

    def _close(self) -> str:
        """Name the rules whose seeds overlap with those of the one with the least median."""
        known = [one for one in self.tried if not one.broken]
        if len(known) < 2:
            return ""
        first = min(known, key=lambda one: float(np.median(one.scores)))
        near = [one.name for one in known if one is first or one.scores.min() <= first.scores.max()]
        return " and ".join([", ".join(near[:-1]), near[-1]]) if len(near) > 1 else ""

    def to_dataset(self) -> xr.Dataset:
        """Give the curves: `measured` over rule, seed and step; step 0 is the start."""
        curves = np.array([[course.values for course in one.courses] for one in self.tried])
        further = {
            name.replace(" ", "_"): (("rule", "seed"), np.array([one.ends(name) for one in self.tried]))
            for name in self.problem.further
        }
        return xr.Dataset(
            {"measured": (("rule", "seed", "step"), curves), **further},
            coords={"rule": [one.name for one in self.tried], "seed": range(self.seeds), "step": points_of(self.steps)},
            attrs={"problem": self.problem.name, "measured": self.problem.measured, "tries": self.tries},
        )

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return {
            "problem": self.problem.name,
            "what": self.problem.what,
            "measured": self.problem.measured,
            "chance": self.problem.chance,
            "steps": self.steps,
            "seeds": self.seeds,
            "tries": self.tries,
            "at": points_of(self.steps),
            "rules": [
                {
                    "name": one.name,
                    "knobs": plain(one.knobs),
                    "at_the_end": list(one.tuning.at_the_end),
                    "tried": [{"knobs": plain(each.knobs), "score": plain(each.score)} for each in one.tuning.tries],
                    "median": plain(float(np.median(one.scores))),
                    "scores": plain(one.scores.tolist()),
                    "further": {name: plain(one.ends(name).tolist()) for name in self.problem.further},
                    "curves": [plain(course.values.tolist()) for course in one.courses],
                }
                for one in self.tried
            ],
            "notes": list(self._notes()),
            "cannot_say": list(self._limits()),
        }

    def to_json(self) -> str:
        """Write all of it as JSON."""
        return text_of(self.to_dict())

    def __str__(self) -> str:
        return page_of(self.story)

    def __repr__(self) -> str:
        return f"<Trials: {', '.join(one.name for one in self.tried)} on {self.problem.name}>"

    def _repr_html_(self) -> str:
        return html_of(self.story)


def try_out(
    rules: Sequence[tuple[str, Rule]],
    problem: Problem,
    *,
    seeds: int = SEEDS,
    tries: int = TRIES,
    steps: int | None = None,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Trials:
    """Try rules out on a problem: `tries` runs tune the knobs of each, and it runs from `seeds` seeds.

    `rules`: what each is called, and it. Knobs given are held, by each rule that has them. Raises BadValue for rules
    that cannot step the problem, UnknownName for a knob that none has.
    """
    seeds, tries = whole("seeds", seeds, least=1), whole("tries", tries, least=1)
    steps = problem.steps if steps is None else whole("steps", steps, least=1)
    if problem.longest is not None and steps > problem.longest:
        raise BadValue(f"{problem.name} has {problem.longest} steps, not {steps}", f"Give steps={problem.longest}.")
    given = dict(knobs or {})
    with problem.there():
        _check(rules, problem, given)
        tried = [_tried(name, rule, problem, seeds, tries, steps, given, report) for name, rule in rules]
    return Trials(problem, tuple(tried), steps, seeds, tries)


def _check(rules: Sequence[tuple[str, Rule]], problem: Problem, knobs: Knobs) -> None:
    if not rules:
        raise BadValue("no rule is named", "Name one or more: adam lion muon.")
    twice = next((name for i, (name, _) in enumerate(rules) if name in [other for other, _ in rules[:i]]), None)
    if twice is not None:
        raise BadValue(f"{twice} is named twice", "Name each rule once.")
    for name in knobs:
        if not any(name in rule.knobs for _, rule in rules):
            raise rules[0][1].unknown_knob(name)
    for _, rule in rules:
        held = {name: value for name, value in knobs.items() if name in rule.knobs}
        rule.check_knobs(held)
        check_trainable(rule, problem, held)


def _tried(
    name: str, rule: Rule, problem: Problem, seeds: int, tries: int, steps: int, knobs: Knobs, report: Listener | None
) -> Tried:
    held = {knob: value for knob, value in knobs.items() if knob in rule.knobs}
    count = iter(range(1, tries + 1))

    def score(chosen: Knobs) -> float:
        if report is not None:
            report(f"{name}: run {next(count)} of {tries} to tune it")
        return train(rule, problem, TUNING_SEED, steps, chosen).score

    found = tuned(rule, held, tries if axes_of(rule, held) else 1, score)
    courses = []
    for seed in range(seeds):
        if report is not None:
            report(f"{name}: seed {seed + 1} of {seeds}")
        courses.append(train(rule, problem, seed, steps, found.best.knobs))
    return Tried(name, rule, found, tuple(courses))


def _spread(values: Array) -> tuple[str, str]:
    """Write the median, and the least and the most; a seed that broke off is more than any other."""
    ordered = np.where(np.isfinite(values), values, np.inf)
    low, middle, high = (brief(float(each), 3) for each in (ordered.min(), np.median(ordered), ordered.max()))
    return middle.replace("inf", "broke off"), f"{low} to {high}".replace("inf", "broke off")


def _settings(one: Tried) -> str:
    return ", ".join(f"{name}={brief(value, 6)}" for name, value in one.knobs.items()) or "its own"
