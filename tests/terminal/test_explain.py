"""The command that explains: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mhat.terminal.cli import app

RUNNER = CliRunner(env={"COLUMNS": "80"})


def typed(line: str) -> Any:
    return RUNNER.invoke(app, ["explain", *line.split()])


def test_a_rule_in_a_terminal() -> None:
    answer = typed("sgd")
    assert answer.exit_code == 0
    lines = answer.stdout.splitlines()
    assert lines[:2] == ["sgd", "Step against the gradient, as far as the gradient is large."]
    assert lines[lines.index("Line by line") :][:4] == [
        "Line by line",
        "def sgd(x, g, *, lr=0.01):",
        "  1  return x - lr * g",
        "     x moves against the gradient, by `lr` = 0.01 times it.",
    ]
    assert max(map(len, lines)) <= 80


def test_all_evidence() -> None:
    answer = typed("sgd -k lr=0.5 --evidence")
    assert "mhat trace sgd --stream constant:1 --steps 100 -k lr=0.5: update at step 3 = -0.5" in " ".join(
        line.strip() for line in answer.stdout.splitlines()
    )


def test_one_question() -> None:
    words = RUNNER.invoke(app, ["explain", "sgd", "--why", "first step"])
    assert words.exit_code == 0
    assert "Why is the first step lr, whatever the gradient?" in words.stdout
    assert words.stdout == typed("sgd --why 14").stdout
    listed = typed("--questions").stdout
    assert "14  Why is the first step lr, whatever the gradient?" in listed
    assert json.loads(typed("--questions --json").stdout)[13]["number"] == 14


@pytest.mark.parametrize(
    ("name", "begin"),
    [("a.html", "<!DOCTYPE"), ("a.md", "**sgd**"), ("a.tex", "\\documentclass"), ("a.txt", "sgd"), ("a.json", "{")],
)
def test_the_ending_says_how_it_is_written(tmp_path: Path, name: str, begin: str) -> None:
    answer = typed(f"sgd --stream constant:1 -o {tmp_path / name}")
    assert (answer.exit_code, (tmp_path / name).read_text("utf-8").startswith(begin)) == (0, True)


def test_a_figure(tmp_path: Path) -> None:
    answer = typed(f"sgd --stream constant:1 --plot {tmp_path / 'e.png'}")
    assert answer.exit_code == 0
    assert (tmp_path / "e.png").exists()
    assert "Drew it to" in answer.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "mhat: no rule is named\nName one: mhat explain adam, or mine.py:my_rule.\n"),
        (
            "adam --plot e.png",
            "mhat: --plot draws a rule on a stream, and there is none\nAdd one: --stream constant:10.\n",
        ),
        (
            "adam --as html --json",
            '{"error": "--json and --as html are two forms", "cure": "Keep one of them."}\n',
        ),
        ("adam --as pdf", "mhat: there is no form `pdf`\nKnown: html, json, latex, markdown, text.\n"),
        ("adma", "mhat: there is no rule `adma`\nDid you mean `adam`? `mhat rules` lists them.\n"),
        ("adam --why pancake", "mhat: no question has the words `pancake`\n`mhat explain --questions` lists them.\n"),
        ("adam -k beta=1", "mhat: there is no knob of adam `beta`\nDid you mean `beta1`?\n"),
    ],
)
def test_what_is_refused(line: str, said: str) -> None:
    answer = typed(line)
    assert (answer.exit_code, answer.stdout, answer.stderr) == (2, "", said)
