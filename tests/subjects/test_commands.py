"""Commands as subjects: a real process, in Python and in sh, that answers, and that does not."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mhat import rules
from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.subjects.commands import EXAMPLE, subject_of_command
from mhat.subjects.processes.pipes import OutOfTimeError
from mhat.subjects.processes.process import Process
from mhat.subjects.rules import subject_of_rule
from tests.subjects.processes.survivors import none_left

SCRIPT = Path(__file__).parent / "commands" / "my_adam.py"
GRADIENTS = np.random.default_rng(3).normal(size=(12, 2))
ADAM = subject_of_rule(rules.adam)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the commands are Unix's")


def command(mode: str = "") -> str:
    return f"{shlex.quote(sys.executable)} -S {shlex.quote(str(SCRIPT))} {mode}"


def test_what_it_takes_is_found_by_trying() -> None:
    subject = subject_of_command(command(), "./my_adam", rules.adamw.knobs)
    assert subject.name == "./my_adam"
    assert subject.knobs == {"lr", "beta1", "beta2", "eps", "weight_decay"}
    assert (subject.vectors, subject.starts, subject.several) == (False, True, False)
    knobs = {"lr": 0.1, "eps": 0.5}
    ours = ADAM.run(GRADIENTS, start=1.0, knobs=knobs)
    assert np.max(np.abs(subject.run(GRADIENTS, start=1.0, knobs=knobs) - ours)) < 1e-14


def test_answers_do_not_wait_for_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second went by after every answer of a process that lived: a check of a command took a minute."""
    subject = subject_of_command(command())
    monkeypatch.setattr(Process, "said", lambda process: pytest.fail("waited for"))
    assert subject.run(np.ones(2)).shape == (2,)


def test_numbers_that_are_not_finite_go_both_ways() -> None:
    subject = subject_of_command(command())
    parameters = subject.run(np.array([1.0, np.inf, 2.0, np.nan]))
    assert np.isfinite(parameters[0])
    assert np.isnan(parameters[1:]).all()


@pytest.mark.parametrize("mode", ["once", "whole input"])
def test_a_command_that_ends_after_an_answer_is_started_again(mode: str) -> None:
    subject = subject_of_command(command(mode), limit=4.0)
    assert np.max(np.abs(subject.run(GRADIENTS) - ADAM.run(GRADIENTS))) < 1e-14


def test_a_command_in_sh_that_takes_vectors() -> None:
    # Stands still: the gradients with every number made a zero.
    script = r"""sed -u 's/.*"gradients": \(.*\), "start".*/{"parameters": \1}/; s/[-0-9.e]*[0-9][-0-9.e]*/0/g'"""
    subject = subject_of_command(f"sh -c {shlex.quote(script)}")
    assert subject.vectors
    assert not subject.run(GRADIENTS).any()
    assert not subject.starts


def test_a_command_that_is_given_several_tensors() -> None:
    subject = subject_of_command(command("lists"), tensors=2)
    assert (subject.several, subject.tensors) == (True, 2)
    both = subject.run([GRADIENTS, GRADIENTS[:, :1]])
    assert np.array_equal(both[1], -GRADIENTS[:, :1])


FAILURES = {
    "garbage": ("answered with a line that is not JSON", "the 1st step", EXAMPLE),
    "no object": ('answered without "parameters"', "[1, 2]", EXAMPLE),
    "words": ("answered with parameters that are not numbers", '{"parameters": ["one", "two"]}', EXAMPLE),
    "nothing": ("answered with parameters that are not numbers", '{"parameters": null}', EXAMPLE),
    "short": ("returned the shape (1,) for gradients of shape (8,)", "", "Return the parameters after each step: "
              "numbers of the shape (8,), like the gradients."),
    "error": ("answered with the error: no gradients today", "", "Mend it."),
    "die": ("ended with exit code 3 without an answer", "out of ideas", EXAMPLE),
    "killed": ("was ended by SIGKILL without an answer", "", EXAMPLE),
    "coloured": ("answered with the error: red", "", "Mend it."),
    "twice": ("answered with more than one line", "", EXAMPLE),
    "deeper": ("answered with a line that is not JSON", "[" * 200 + "...", EXAMPLE),
    "big integer": ("answered with parameters that are not numbers", '{"parameters": [' + "9" * 184 + "...", EXAMPLE),
    "deep": ("answered with parameters that are not numbers", '{"parameters": ' + "[" * 185 + "...", EXAMPLE),
    "flood": ("wrote more than 1000800 characters where an answer was expected", "", EXAMPLE),
    "blank": ("wrote more than 1000800 characters where an answer was expected", "", EXAMPLE),
}  # fmt: skip


@pytest.mark.parametrize("mode", FAILURES)
def test_what_goes_wrong_is_said(mode: str) -> None:
    what, said, cure = FAILURES[mode]
    with pytest.raises(SubjectError) as caught:
        subject_of_command(command(mode), "mine")
    assert caught.value.what == f"`mine` {what}"
    assert caught.value.said == said
    assert caught.value.cure == cure


def test_a_death_in_the_middle_shows_the_last_words() -> None:
    subject = subject_of_command(command("late"), "mine")
    with pytest.raises(SubjectError) as caught:
        subject.run(np.ones(30))
    assert caught.value.what == "`mine` ended with exit code 1 without an answer"
    assert caught.value.said.endswith("ValueError: too many steps")
    assert np.isfinite(subject.run(np.ones(10))).all()


def test_a_command_that_hangs_is_ended_with_its_children() -> None:
    before = time.monotonic()
    with pytest.raises(SubjectHangs) as caught:
        subject_of_command(command("hang"), "mine", limit=1.0)
    assert time.monotonic() - before < 5.0
    assert caught.value.what == "`mine` did not answer within 1 seconds"
    assert caught.value.cure == "Write each answer as one line and flush the output, or give it longer."
    assert not alive(int(caught.value.said))


@pytest.mark.parametrize("mode", ["leave", "interrupt"])
def test_what_a_command_does_to_others_spoils_nothing_and_is_ended_with_it(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = f"MHAT_TESTS_OF_COMMANDS_{os.getpid()}"
    monkeypatch.setenv(word, "1")
    subject = subject_of_command(command(mode), "mine")
    assert np.max(np.abs(subject.run(GRADIENTS) - ADAM.run(GRADIENTS))) < 1e-14
    del subject
    assert none_left(word)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended may not have been buried yet."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True


def test_a_process_ends_with_the_object() -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    process = Process("mine", [sys.executable, "-c", code])
    line = process.receive_line(time.monotonic() + 10.0, 100)
    assert line is not None
    with pytest.raises(OutOfTimeError):
        process.receive_line(time.monotonic() + 0.01, 100)
    assert alive(int(line))
    del process
    assert not alive(int(line))


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("./no_such_command", SubjectError, "`./no_such_command` could not be started: No such file or directory"),
        ("  ", BadValue, "the command is empty"),
        ("my 'adam", BadValue, "the command `my 'adam` cannot be read: No closing quotation"),
    ],
)
def test_commands_that_are_none(text: str, kind: type[Exception], what: str) -> None:
    with pytest.raises(kind) as caught:
        subject_of_command(text)
    assert caught.value.what == what  # type: ignore[attr-defined]
