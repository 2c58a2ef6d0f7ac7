"""Code that was not written for mhat, in many conventions and styles: it is driven as it is, and judged right.

The files in `cases/` say of each implementation which rule it claims, and whether it is right.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mhat import rules
from mhat.checks.conformance import conforming
from mhat.checks.question import Question
from mhat.errors import SubjectError, UnknownName
from mhat.subjects import modules
from mhat.subjects.kinds import subject_of
from mhat.subjects.subject import Subject

CASES = Path(__file__).parent / "cases"
LOADED = {path.stem: modules.load(str(path)) for path in sorted(CASES.glob("*.py"))}
ALL = [(file, name, *told) for file, loaded in LOADED.items() for name, told in loaded.named("CASES").items()]


def driven(file: str, name: str, rule: str, convention: str | None = None) -> Subject:
    loaded = LOADED[file]
    with loaded.neighbours.entered():
        knobs = rules.named(rule).knobs
        return subject_of(loaded.named(name), f"{file}.py:{name}", knobs, {}, convention=convention)


@pytest.mark.parametrize(("file", "name", "rule", "right"), ALL, ids=[f"{one[0]}-{one[1]}" for one in ALL])
def test_it_is_driven_and_judged_right(file: str, name: str, rule: str, right: bool) -> None:
    subject = driven(file, name, rule)
    with LOADED[file].neighbours.entered():
        followed = conforming(Question(subject, rules.named(rule)))
    assert (followed is not None) == right


def test_what_was_seen_is_said() -> None:
    def said(file: str, name: str) -> tuple[str, ...]:
        return driven(file, name, "adam").notes

    assert said("course_functions", "adam") == ("driven as a step function: `config` is handed back each step",)
    assert said("course_functions", "update_parameters_with_adam") == (
        "driven as a step function: `v` and `s` are handed back each step, as `initialize_adam` begins them, with "
        "dictionaries W1, b1 and dW1, db1",
    )
    assert said("step_functions", "adam_zero_based")[0].endswith("each step, `i` counted from 0")
    assert said("step_functions", "get_adam_update")[0].endswith("; what it returns is subtracted from x")


def test_knobs_in_a_config_are_told_there() -> None:
    subject = driven("course_functions", "adam", "adam")
    assert subject.knobs == {"lr", "beta1", "beta2", "eps"}
    assert subject.defaults == {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}


def test_a_convention_that_is_none_and_one_that_does_not_fit() -> None:
    with pytest.raises(UnknownName, match=r"no convention `step-functio`.*\n.*step-function"):
        driven("course_functions", "adam", "adam", "step-functio")
    with pytest.raises(SubjectError, match="fits no convention that mhat knows"):
        subject_of(lambda text: len(text), "length", {}, {}, convention="step-function")
