"""Published results on the command line: all, one with its figure, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mhat import results
from mhat.terminal.cli import app

RUNNER = CliRunner(env={"COLUMNS": "100"})


def test_one_with_a_figure(tmp_path: Path) -> None:
    path = tmp_path / "r.png"
    answer = RUNNER.invoke(app, ["results", "adamax_bound", "--plot", str(path)])
    assert answer.exit_code == 0
    said = answer.stdout
    assert said.startswith("adamax_bound\nNo step of AdaMax is longer than lr.\n")
    assert "1.00909  1.00909  yes" in said
    assert "The claim is refuted by these numbers." in said
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_for_a_machine() -> None:
    told = json.loads(RUNNER.invoke(app, ["results", "rectifier", "--json"]).stdout)
    assert told["agrees"] is True
    assert [each["stated"] for each in told["found"]] == [0.0258, 0.2153, 0.6453]


def test_a_number_that_is_not_the_stated_one_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    known = results.named("adamax_bound")
    wrong = replace(known, numbers=(replace(known.numbers[0], stated=1.0, within=1e-6),))
    monkeypatch.setattr(results, "RESULTS", (wrong,))
    one = RUNNER.invoke(app, ["results", "adamax_bound"])
    assert one.exit_code == 1
    assert RUNNER.invoke(app, ["results"]).exit_code == 1


@pytest.mark.parametrize(
    "typed, message",
    [
        (["results", "redi"], "there is no result `redi`"),
        (["results", "--plot", "a.png"], "--plot draws one result"),
    ],
)
def test_what_is_refused(typed: list[str], message: str) -> None:
    answer = RUNNER.invoke(app, typed)
    assert answer.exit_code != 0
    assert message in f"{answer.exception}{answer.output}"
