"""What a check of a scheduler answers: frozen data with a stable JSON form, which shows itself. It drives nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.notation import strict_json
from mhat.schedules import Schedule
from mhat.writing.html import html_of
from mhat.writing.passages import Entries, Headline, Paragraph, Passage, Table
from mhat.writing.plain import page_of

Array = np.ndarray[Any, Any]
SCHEMA = 1
# How many steps are shown around the first that differs.
BEFORE, SHOWN = 2, 6


@dataclass(frozen=True, repr=False)
class ScheduleVerdict:
    """The answer of a check of a scheduler.

    `schedule`: what it was found to be, None where no schedule that mhat knows gives its rates. `against`: what it was
    meant to be, None where nobody said. `step`: the first step whose rate is not that of `against`. `slips`: what the
    matter is, each as a sentence. `dialect`: a form that somebody has on purpose, which conforms. `warnings`: what a
    training may not want though it conforms. `notes`: how it was driven. `rates`: of each step that was seen.
    """

    subject: str
    conforms: bool
    schedule: Schedule | None
    rates: Array = field(compare=False)
    against: Schedule | None = None
    step: int | None = None
    slips: tuple[str, ...] = ()
    dialect: str | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def story(self) -> tuple[Passage, ...]:
        """What is to be said about it, in order: the answer first, then what shows it."""
        notes = (Paragraph(f"note: {note}", "quiet") for note in self.notes)
        return (*(self._conforming() if self.conforms else self._deviating()), *self._warned(), *notes)

    def _conforming(self) -> Iterator[Passage]:
        yield Headline(f"{self.subject} conforms to {self._called(self.against or self.schedule)}", good=True)
        if self.dialect is not None:
            yield Paragraph(f"in a dialect: {self.dialect}", "good")
        if self.schedule is not None:
            yield Paragraph(f"It {self.schedule.sentence}.")

    def _deviating(self) -> Iterator[Passage]:
        known = "" if self.slips else ", and no slip that mhat knows explains it"
        if self.against is not None:
            at = "" if self.step is None else f" from step {self.step} on"
            yield Headline(f"{self.subject} deviates from {self._called(self.against)}{at}{known or ':'}", good=False)
        elif self.schedule is not None:
            yield Headline(f"{self.subject} follows {self._called(self.schedule)}, but:", good=False)
        else:
            yield Headline(f"{self.subject} follows no schedule that mhat knows{':' if self.slips else ''}", good=False)
        if self.slips:
            yield Entries(tuple((slip,) for slip in self.slips), tone="strong")
        if self.against is not None and self.step is not None:
            yield self._beside(self.against, self.step)

    def _beside(self, against: Schedule, step: int) -> Table:
        """Set the rates beside those that were meant, around the first step that differs."""
        first = max(1, step - BEFORE)
        steps = range(first, min(first + SHOWN, len(self.rates) + 1))
        expected = against.values(max(steps))
        rows = tuple((float(t), float(self.rates[t - 1]), float(expected[t - 1])) for t in steps)
        got, wanted = self.rates[step - 1], expected[step - 1]
        text = f"at step {step} the rate is {got:.6g}, and should be {wanted:.6g}"
        return Table(text, ("step", "rate", "meant"), rows)

    def _warned(self) -> Iterator[Passage]:
        yield from (Paragraph(f"mind: {each}", "bad") for each in self.warnings)

    def _called(self, schedule: Schedule | None) -> str:
        return "" if schedule is None else schedule.recipe

    def to_json(self) -> str:
        """Write the verdict as JSON: schedules by what they are called; non-finite numbers as nan, inf, -inf."""
        return strict_json.text_of(self.to_dict(), indent=2)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain dictionaries and lists."""
        found = self.schedule
        return {
            "schema": SCHEMA,
            "subject": self.subject,
            "conforms": self.conforms,
            "schedule": None if found is None else found.recipe,
            "sentence": None if found is None else found.sentence,
            "formula": None if found is None else found.formula,
            "knobs": {} if found is None else {name: _plain(value) for name, value in found.arguments.items()},
            "against": None if self.against is None else self.against.recipe,
            "step": self.step,
            "slips": list(self.slips),
            "dialect": self.dialect,
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "rates": self.rates.tolist(),
        }

    def __str__(self) -> str:
        return page_of(self.story)

    def __repr__(self) -> str:
        answer = "conforms" if self.conforms else "deviates"
        found = "no schedule that is known" if self.schedule is None else self.schedule.recipe
        return f"<ScheduleVerdict: {self.subject} {answer}: {found}>"

    def _repr_html_(self) -> str:
        return html_of(self.story)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
