"""The figures of the check: quick cases are named or pass, and a wrong answer is seen to be wrong."""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

import mhat
from benchmarks import check as benchmark
from benchmarks.cases import CASES
from mhat.checks.conformance import check
from mhat.subjects.functions import subject_of_function

BY_ID = {case.id: case for case in CASES}


@cache
def verdict_on(name):
    case = BY_ID[name]
    rule = benchmark.rule_of(case)
    held = {knob: value for knob, value in case.knobs.items() if knob in rule.knobs}
    subject = subject_of_function(case.subject, case.id, rule.knobs, case.dtype)
    return case, subject, rule, held, check(subject, rule, seconds=10.0, knobs=held)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("ok-torch-lerp", "conforms"),
        ("ok-running-powers-one", "conforms"),
        ("ok-pacmap-rs", "dialect"),
        ("const-copies-python", "named"),
    ],
)
def test_a_case_is_answered_as_it_should(name, word):
    outcome = benchmark.judged(BY_ID[name], 20.0)
    assert (outcome.verdict, outcome.good) == (word, True)
    assert outcome.edits <= outcome.deviations or word == "dialect"
    assert outcome.line.startswith("good")


def test_a_name_that_does_not_reproduce_the_subject_is_a_wrong_one():
    case, subject, rule, held, verdict = verdict_on("const-copies-python")
    assert benchmark.reproduced(subject, rule, held, verdict)
    wrong = replace(verdict, diagnosis=replace(verdict.diagnosis, rule=mhat.rules.adamw))
    assert not benchmark.reproduced(subject, rule, held, wrong)
    assert benchmark.word_of(wrong, right=False) == "wrong"
    assert not benchmark.is_good(case, wrong, right=False)


def test_an_estimate_that_does_not_reproduce_the_subject_is_wrong_too():
    _, subject, rule, held, verdict = verdict_on("ok-torch-lerp")
    assert benchmark.reproduced(subject, rule, held, verdict)
    other = replace(verdict, knobs={**verdict.knobs, "beta2": 0.9999})
    assert not benchmark.reproduced(subject, rule, held, other)


def test_more_edits_than_the_truth_are_not_named_right():
    case, _, _, _, verdict = verdict_on("const-copies-python")
    assert benchmark.is_good(case, verdict, right=True)
    edits = verdict.diagnosis.edits * (case.deviations + 1)
    longer = replace(verdict, diagnosis=replace(verdict.diagnosis, edits=edits))
    assert not benchmark.is_good(case, longer, right=True)


def test_a_mistake_that_passes_and_a_right_form_that_does_not_are_bad():
    mistake, _, _, _, named = verdict_on("const-copies-python")
    right, _, _, _, passing = verdict_on("ok-torch-lerp")
    assert not benchmark.is_good(mistake, passing, right=True)
    assert not benchmark.is_good(right, named, right=True)


def outcome(kind, deviations, verdict, good, seconds=1.0):
    return benchmark.Outcome(f"{kind}-{deviations}-{verdict}", kind, deviations, verdict, good, 1, seconds, ())


def test_the_figures_count_each_kind_apart():
    found = [
        outcome("correct", 0, "conforms", True),
        outcome("correct", 0, "named", False),
        outcome("bug", 1, "named", True, 2.0),
        outcome("bug", 1, "wrong", False, 3.0),
        outcome("bug", 2, "unnamed", False),
        outcome("bug", 4, "named", False, 9.0),
        outcome("variant", 1, "dialect", True),
        outcome("bug", 1, "unnamed", None),
    ]
    counted = benchmark.figures(found)
    assert counted["correct forms that pass"] == "1 of 2"
    assert counted["mistakes named right, one deviation"] == "1 of 2"
    assert counted["mistakes named right, two"] == "0 of 1"
    assert counted["mistakes named right, three or more"] == "0 of 1"
    assert counted["documented variants named right"] == "1 of 1"
    assert counted["false alarms"] == "1 correct-0-named"
    assert counted["wrong names"] == "1 bug-1-wrong"
    assert counted["not expressible, not counted"] == "1 bug-1-unnamed"
    assert counted["median and worst time"] == "1.0 s, 9.0 s"


def test_the_command_runs_the_cases_asked_for(capsys):
    assert benchmark.main(["--only", "ok-torch-lerp", "--seconds", "5"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("good ok-torch-lerp")
    assert "1 of 1" in printed
    with pytest.raises(SystemExit):
        benchmark.main(["--only", "no-such-case"])
    assert "there is no case no-such-case" in capsys.readouterr().err
