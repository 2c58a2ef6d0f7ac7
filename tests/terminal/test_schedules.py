"""Schedules on the command line: listed, shown, drawn, as values of knobs; and schedulers checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mhat import schedules
from mhat.terminal.cli import app

RUNNER = CliRunner(env={"COLUMNS": "100"})
WARM = "warmup_cosine:1e-3,warmup=10,steps=100"
MINE = """\
import math


def my_schedule(step, peak=1e-3):
    return peak * step / 10 if step < 10 else peak * 0.5 * (1 + math.cos(math.pi * min((step - 10) / 90, 1)))


def counted(t):
    return 0.1 / t


def of_n(n, total):
    return 1 - n / total


class Rates:
    def __init__(self, start=0.1):
        self.rate = start

    def step(self):
        self.rate *= 0.9
        return self.rate


def generated():
    rate = 0.1
    while True:
        yield rate
        rate *= 0.5


def make(peak=0.1):
    return lambda step: peak * max(0.0, 1 - step / 40)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    return tmp_path


def said(*typed: str, code: int = 0) -> str:
    answer = RUNNER.invoke(app, list(typed))
    assert answer.exit_code == code, answer.output
    return answer.stdout if code < 2 else answer.stderr


def test_they_are_listed_with_a_sentence_each() -> None:
    text = said("schedules")
    for name, sentence in schedules.summaries().items():
        assert f"{name} " in text and sentence[:40] in text
    assert text.split("\n\n")[-1].startswith(
        f"{len(schedules.names())} schedules. `mhat schedules cosine:1e-3` shows one;"
    )
    assert json.loads(said("schedules", "--json"))[0] == {"name": "constant", "summary": "The same value at every step"}


def test_one_is_shown_with_its_formula_and_values() -> None:
    text = said("schedules", WARM)
    assert "grows from 0 to 1e-3 over 10 steps; then follows a cosine from 1e-3 to 0 over 90 steps" in " ".join(
        text.split()
    )
    assert "0.0001 at 1" in text and "0.001 at 10" in text and "0 at 100" in text
    told = json.loads(said("schedules", WARM, "--steps", "12", "--json"))
    assert (told["recipe"], told["steps"], told["values"]) == (WARM, 12, schedules.named(WARM).values(12).tolist())
    assert told["formula"] == schedules.named(WARM).formula


def test_several_are_drawn_beside_each_other(here: Path) -> None:
    assert said("schedules", WARM, "step:0.1", "--plot", "a.png").endswith("Drew them to a.png.\n")
    assert Path("a.png").read_bytes()[:4] == b"\x89PNG"
    assert said("schedules", WARM, "--plot", "a.png", code=2).startswith("mhat: `a.png` exists already")


@pytest.mark.parametrize("typed, message", [
    (["schedules", "cosin:1"], "there is no schedule `cosin`\nDid you mean `cosine`? `mhat schedules` lists them."),
    (["schedules", "--plot", "a.png"],
     "no schedule is named\nName one or more: mhat schedules cosine:1e-3 --plot cosine.png."),
    (["check", "mine.py:my_schedule", "--steps", "10"],
     "--steps is of a scheduler\nSay that it is one: --schedule."),
    (["check", "mine.py:of_n", "--schedule"],
     "`mine.py:of_n` needs `total` beside the step number\nGive a value for each: -k total=..."),
    (["trace", "adam", "--stream", "constant:1", "-k", "lr=cosine:1e-3,stepz=5"],
     "there is no argument of cosine `stepz`\nDid you mean `steps`?"),
])  # fmt: skip
def test_what_cannot_be_is_refused(here: Path, typed: list[str], message: str) -> None:
    assert said(*typed, code=2) == f"mhat: {message}\n"


def test_a_scheduler_that_is_not_said_to_be_one_is_told_how_to_say_it(here: Path) -> None:
    assert said("check", "mine.py:my_schedule", code=2).endswith(
        "\nIf it is a scheduler, steps in and rates out, say so: --schedule.\n"
    )


def test_a_knob_follows_a_schedule_in_a_trace() -> None:
    text = said("trace", "adam", "--stream", "constant:10", "--steps", "100", "-k", f"lr={WARM}", "-k", "beta1=0.8,0.9")
    assert text.startswith(f"adam on constant:10, 100 steps, lr by {WARM}, beta1=0.8,0.9")
    told = json.loads(said("trace", "sgd", "--stream", "constant:1", "--steps", "3", "-k",
                           "lr=constant:0.5,linear:1,steps=4,0.25", "--json"))  # fmt: skip
    assert told["coordinates"]["lr_schedule"]["values"] == ["constant:0.5", "linear:1,steps=4", "constant:0.25"]


def test_a_scheduler_is_recognised(here: Path) -> None:
    text = said("check", "mine.py:my_schedule", "--schedule")
    assert text.startswith(f"mine.py:my_schedule conforms to {WARM},first=0\nIt grows from 0 to 1e-3 over 10 steps;")
    assert "note: it is called with step = 0 at the first step" in text


def test_a_scheduler_that_is_late_is_told_so_and_drawn(here: Path) -> None:
    text = said("check", "mine.py:my_schedule", "--against", WARM, "--plot", "late.svg", code=1)
    assert text.splitlines()[:3] == [
        f"mine.py:my_schedule deviates from {WARM} from step 1 on:",
        "  every rate comes 1 step late: the first step is counted as 0, and should be as 1",
        "at step 1 the rate is 0, and should be 0.0001",
    ]
    assert "every rate comes 1 step late" in Path("late.svg").read_text("utf-8")
    assert said("check", "mine.py:my_schedule", "--against", WARM, "--first", "1").startswith(
        "mine.py:my_schedule conforms"
    )


FOUND = {
    "mine.py:counted": ("inverse_time:0.1,decay=1", "it is called with t = 1 at the first step"),
    "mine.py:Rates": ("exponential:0.09,factor=0.9", "its step() is called once for each step"),
    "mine.py:generated": ("exponential:0.1,factor=0.5", ""),
    "mine.py:make": ("linear:0.1,steps=40", "it is called with step = 0 at the first step"),
}


@pytest.mark.parametrize("subject", FOUND)
def test_schedulers_of_all_kinds_are_driven(here: Path, subject: str) -> None:
    told: dict[str, Any] = json.loads(said("check", subject, "--schedule", "--json"))
    recipe, note = FOUND[subject]
    assert told["schedule"] == recipe
    assert note in " ".join(told["notes"])
