"""Several deviations found step by step and tensor by tensor; the truth is known. It knows no report."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import mhat
from mhat.checks.question import Question
from mhat.printers import python
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Probes
from mhat.search.variants import Forms
from mhat.subjects.subject import Array, Subject


def asked(claimed: str, *pieces: tuple[str, str], tensors: int | None = None) -> Question:
    """Ask whether a rule with pieces of its text exchanged is the rule."""
    text = python.rule_text(mhat.rules.named(claimed).tree)
    for old, new in pieces:
        assert text.count(old) == 1
        text = text.replace(old, new)
    rule = mhat.rule(text.replace("(x, g, t,", "(x, g, t, k,") if tensors else text)

    def drive(gradients: list[Array], start: list[Array], knobs: dict[str, float]) -> list[Array]:
        made = Evaluator(Probes(np.stack(gradients, axis=1)[None], np.stack(start)[None], {})).run(rule.tree)
        return [made[:, 0, k] for k in range(len(gradients))]

    subject = Subject("edited", drive, several=tensors is not None, tensors=tensors, starts=True)
    return Question(subject, mhat.rules.named(claimed), "x", dict(rule.knobs))


def found(question: Question, seconds: float = 40.0) -> tuple[list[Candidate], Effort]:
    effort = Effort(seconds)
    forms = Forms(
        question.rule, question.matcher, lambda c: question.confirms(c.tree, c.knobs), effort, (), question.held
    )
    return forms.candidates(), effort


def test_three_deviations_are_found_by_steps() -> None:
    """Guards: of three that all show from the first steps on, none was found."""
    answers, _ = found(
        asked(
            "rmsprop", ("sqrt(v)", "v"), ("(1 - rho) * g**2", "(1 - rho) * x**2"),
            ("x - lr * ratio", "x - 0.5 * lr * ratio"),
        )
    )  # fmt: skip
    assert len(answers[0].edits) == 3
    lines = {line.strip() for line in python.rule_text(answers[0].tree).splitlines()}
    assert {"v = rho * v + (1 - rho) * x**2", "ratio = g / (v + eps)"} <= lines


def test_a_slip_in_the_lines_of_one_tensor_is_named_with_the_tensor() -> None:
    answers, _ = found(asked("rmsprop", ("sqrt(v)", "(sqrt(v) if k == 2 else v)"), ("(x, g,", "(x, g, k,"), tensors=3))
    assert [edit.sentence for edit in answers[0].edits] == [
        "in all tensors but number 2: in `ratio` the root of `v` is missing"
    ]
    assert "where(k != 2, v, sqrt(v))" in python.rule_text(answers[0].tree)


def test_what_all_tensors_do_and_one_does_besides_are_told_apart() -> None:
    answers, _ = found(
        asked(
            "adam", ("m / (1 - beta1**t)", "m / (1 - beta1)"), ("sqrt(v_hat)", "(v_hat if k == 3 else sqrt(v_hat))"),
            tensors=3,
        )
    )  # fmt: skip
    assert {edit.sentence for edit in answers[0].edits} == {
        "in `m_hat` the power in `beta1**t` is missing",
        "in tensor 3 alone: in `ratio` the root of `v_hat` is missing",
    }


def test_of_one_tensor_its_number_is_not_spoken_of() -> None:
    """Guards: `k` was offered where there is one tensor, and `1` is meant."""
    answers, _ = found(asked("adam", ("beta1**t", "beta1**1")))
    assert answers
    for answer in answers:
        assert not any("`k`" in edit.sentence for edit in answer.edits)


def test_a_knob_that_changes_with_the_steps_is_named() -> None:
    answers, _ = found(asked("adagrad", ("x - lr", "x - (lr if t <= 5 else 0.1 * lr)"), ("(x, g,", "(x, g, t,")))
    assert answers[0].edits[0].sentence == "`lr` is 0.1 times as large after step 5"


@pytest.mark.parametrize("seconds", [0.4])
def test_a_search_that_is_cut_short_says_how_far_it_got_and_how_to_go_on(seconds: float) -> None:
    """Guards: it said that it had been cut short, and nothing of what to do."""
    answers, effort = found(asked("adam", ("beta1 * m +", "0.123 * m + 0.3 * abs(g) +"), ("sqrt(v_hat)", "v")), seconds)
    assert not answers
    (said,) = effort.shortcomings
    # A machine that compiles first is over its seconds before it has begun.
    assert re.match(r"the search was cut short after [\d.]+ s of computing: ", said)
    assert said.endswith("With `--seconds 0.8` (`seconds=0.8` in Python) it goes on")


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processes computing."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_a_busy_machine_finds_what_a_quiet_one_does() -> None:
    """Guards: the time that others took was counted as time of the search."""
    pieces = ("sqrt(v)", "v"), ("x - lr * ratio", "x - lr * clip(ratio, -2, 2)")
    quiet, effort = found(asked("rmsprop", *pieces), 20.0)
    with busy(4):
        loaded, beside = found(asked("rmsprop", *pieces), 20.0)
    assert [edit.sentence for edit in quiet[0].edits] == [edit.sentence for edit in loaded[0].edits]
    assert len(quiet[0].edits) == 2
    assert not effort.cut
    assert not beside.cut
