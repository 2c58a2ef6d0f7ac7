"""What docs/subjects.md shows is what happens: its files are subjects, its C compiles, its lines of JSON are spoken."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import mhat
from mhat.names import find_subject
from mhat.subjects.commands import LIMIT as COMMAND
from mhat.subjects.processes.guest import LOADING
from mhat.subjects.processes.process import PROCESSES, SHARE
from mhat.subjects.sandbox import LIMIT
from mhat.subjects.spelling import STARTS

PAGE = (Path(__file__).parents[2] / "docs" / "subjects.md").read_text("utf-8")
FILES = dict(re.findall(r"```\w+ (\S+)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("named", "against", "more"),
    [
        ("mine.py:my_adam", "adam", {}), ("classes.py:MyAdam", "adam", {}), ("course.py:adam", "adam", {}),
        ("functional.py:Momentum", "momentum", {}), ("micro.py:SGD", "sgd", {}),
        ("scratch.py:Momentum", "momentum", {}), ("descent.py:rmsprop", "rmsprop", {}),
        ("makers.py:make_sgd", "sgd", {}), ("makers.py:momentum", "momentum", {}), ("makers.py:sgd", "sgd", {}),
        ("model.py:LinearRegression", "sgd", {}),
        ("script.py", "adam", {"feed": "g_list", "read": "mv", "observe": "ratio"}), ("rules.py:my_rule", "sgd", {}),
    ],
)  # fmt: skip
def test_each_kind_conforms(named: str, against: str, more: dict[str, str], here: Path) -> None:
    assert mhat.check(named, against, **more).conforms


def test_every_file_is_tried(here: Path) -> None:
    assert set(FILES) == {
        "mine.py", "classes.py", "course.py", "functional.py", "micro.py", "scratch.py", "descent.py", "makers.py",
        "script.py", "rules.py", "my_sgd.c", "model.py",
    }  # fmt: skip


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_the_program_in_c_compiles_speaks_and_conforms(here: Path) -> None:
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", "my_sgd", "my_sgd.c"], check=True)
    rows = re.findall(r"^\| `(\{\"gradients.*?\})` \| (.*) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 2
    asked = "".join(f"{question}\n" for question, _ in rows)
    answers = subprocess.run(["./my_sgd"], input=asked, capture_output=True, text=True, check=True).stdout.splitlines()
    for (_, shown), answer in zip(rows, answers, strict=True):
        assert json.loads(answer) in [json.loads(each) for each in re.findall(r"`(\{.*?\})`", shown)]
    assert mhat.check(command="./my_sgd", against="sgd").conforms
    subject = find_subject(command="./my_sgd", against=mhat.rules.sgd)
    assert (subject.vectors, subject.starts, subject.knobs) == (False, True, {"lr"})


def test_the_limits_are_those_of_the_code() -> None:
    assert (LIMIT, COMMAND, LOADING, SHARE, PROCESSES) == (60.0, 10.0, 60.0, 0.5, 200)
    for number in ("60 seconds (`--timeout`), a command 10, the loading of a file 60", "half of the machine's memory",
                   "200 processes"):  # fmt: skip
        assert number in PAGE
    assert {"start", "x0", "theta0", "w0", "init"} <= set(STARTS)
