"""Whether a subject takes the knobs that it is told. It sees a subject and a rule, and no user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mhat.checks import conformance
from mhat.checks.answers import Conforming
from mhat.checks.question import Question
from mhat.errors import BadValue
from mhat.language import Rule
from mhat.subjects.subject import Subject


def check_taken(
    subject: Subject, rule: Rule, held: Mapping[str, float], *, observe: str, strict: bool, maximize: bool
) -> None:
    """Refuse a knob that is told and that the subject takes under no name, where it does what the rule does without.

    What it hides may be told, but what it cannot be told is never held against it. Raises BadValue.
    """
    untaken = [name for name in held if name not in subject.knobs]
    if not untaken:
        return
    asked = conformance.climbing(subject) if maximize else subject

    def followed(knobs: Mapping[str, float]) -> Conforming | None:
        return conformance.conforming(Question(asked, rule, observe, dict(knobs)), strict=strict)

    if followed(held) is not None:
        return
    without = followed({name: value for name, value in held.items() if name in subject.knobs})
    if without is None:
        return
    names, does = ", ".join(f"`{name}`" for name in untaken), {**rule.knobs, **subject.defaults, **without.estimated}
    settings = _settings(does, untaken)
    raise BadValue(
        f"`{subject.name}` takes no {names}: whatever it is told, it does what {rule.name} does with {settings}",
        f"Leave {'it' if len(untaken) == 1 else 'them'} out: what it hides is estimated.",
    )


def _settings(knobs: Mapping[str, float], names: Iterable[str]) -> str:
    return ", ".join(f"{name}={knobs[name]:g}" for name in names)
