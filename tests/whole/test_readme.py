"""The README is tested: its Python runs, its commands run, its links lead somewhere. It knows no implementation."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", README, re.S) for line in block.splitlines()]


def test_the_python_runs() -> None:
    parsed = doctest.DocTestParser().get_doctest(README, {}, "README", "README.md", 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(parsed)
    assert results.attempted > 5
    assert results.failed == 0


def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mhat.terminal.cli import app

    monkeypatch.chdir(tmp_path)
    mine = [shlex.split(line)[1:] for line in COMMANDS if line.startswith("mhat ")]
    assert len(mine) >= 6
    for arguments in mine:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (arguments, result.output)


def test_make_knows_the_targets() -> None:
    targets = [line.split()[1] for line in COMMANDS if line.startswith("make ")]
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(f"\n{target}:" in makefile for target in targets)


def test_the_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
