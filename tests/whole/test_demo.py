"""The story mhat began with: its numbers to the last bit, its figure, and that it can be told again and again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mhat.errors import InputFileError
from mhat.terminal import demo
from mhat.terminal.cli import app

LAST = {"Adam": 0.9999000099990011, "stored back": 3.404888183404303e-70, "first step only": 0.9999000099990002}


@pytest.fixture(scope="module")
def story() -> demo.Story:
    return demo.tell()


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(line: str) -> str:
        result = CliRunner().invoke(app, ["demo", *line.split()])
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    return run


def by_formula(wrong: str, gradients: list[float], beta1: float = 0.9, beta2: float = 0.999) -> list[float]:
    """Run the three rules in the plainest Python, without the library."""
    m = v = 0.0
    ratios = []
    for t, g in enumerate(gradients, start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        first, second = m / (1 - beta1**t), v / (1 - beta2**t)
        if wrong == "stored back" or (wrong == "first step only" and t == 1):
            m, v = first, second
        if wrong == "first step only":
            first, second = m, v
        ratios.append(first / (second**0.5 + 1e-3))
    return ratios


@pytest.mark.parametrize(("rule", "value"), LAST.items())
def test_the_constant_gradient_to_the_last_bit(story: demo.Story, rule: str, value: float) -> None:
    assert story.ratios(0, demo.RULES.index(rule))[-1] == value


@pytest.mark.parametrize("scene", range(3))
@pytest.mark.parametrize("rule", range(3))
def test_every_number_of_the_story(story: demo.Story, scene: int, rule: int) -> None:
    gradients = story.traces[scene][rule].g.values.tolist()
    expected = by_formula(demo.RULES[rule], gradients)
    assert story.traces[scene][rule].ratio.values.tolist() == pytest.approx(expected, rel=1e-12)


def test_the_sentences_say_what_is_so(story: demo.Story) -> None:
    adam, stored, first = (
        {scene: abs(story.traces[scene][rule].ratio.values[1:]) for scene in range(3)} for rule in range(3)
    )

    def rms(values: Any) -> float:
        return float((values**2).mean() ** 0.5)

    # Always 10: at 1; dead; equal to 15 digits.
    assert abs(adam[0] - 0.9999).max() < 1e-6
    assert all(values[-1] < 1e-60 for values in stored.values())
    assert abs(first[0] - adam[0]).max() < 1e-14
    # The ramp: above 1; right at step 2; 3 to 7 times too long.
    assert (adam[1][9:] > 1).all()
    assert stored[1][0] == adam[1][0]
    assert 3 < (first[1] / adam[1]).min() < (first[1] / adam[1]).max() < 7
    # Noise: about 0.24 lr; twice too long, as the first gradient is a small one.
    assert rms(story.traces[2][0].ratio.values) == pytest.approx(0.24, abs=0.005)
    assert rms(first[2]) / rms(adam[2]) == pytest.approx(2, abs=0.5)
    assert abs(story.traces[2][0].g.values[0]) < 0.5


def test_the_table_is_printed_and_fits(told: Callable[[str], str]) -> None:
    said = told("")
    assert all(len(line) <= 80 for line in said.splitlines())
    lines = [line.split() for line in said.splitlines()]
    for rule, value in LAST.items():
        assert [*rule.split(), "0.9999"] == next(line for line in lines if line[-1:] == [repr(value)])[
            : len(rule.split()) + 1
        ]
    for scene in demo.SCENES:
        assert all(f"\n    {sentence}\n" in said for sentence in scene.sentences)
    assert "\n  demo.png: the nine curves, a row a gradient, a column a rule.\n" in said
    assert Path("demo.png").read_bytes().startswith(b"\x89PNG")


def test_a_narrow_terminal_shows_the_last_numbers(told: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    said = told("")
    assert all(len(line) <= 50 for line in said.splitlines() if not line.startswith("  mhat "))
    assert "\n  stored back          3.404888183404303e-70\n" in said


def test_told_twice_the_figure_is_kept(told: Callable[[str], str]) -> None:
    Path("demo.png").write_text("of yesterday")
    assert "\n  demo.png: kept as it was; --force draws it anew.\n" in told("")
    assert Path("demo.png").read_text() == "of yesterday"
    told("--force")
    assert Path("demo.png").read_bytes().startswith(b"\x89PNG")


def test_the_story_for_a_machine(told: Callable[[str], str]) -> None:
    fact = json.loads(told("--json -o story.svg"))
    assert fact["steps"] == [1, 2, 10, 100]
    assert fact["knobs"] == {"beta1": 0.9, "beta2": 0.999, "eps": 1e-3}
    assert {row["rule"]: row["ratio"][-1] for row in fact["rows"][:3]} == LAST
    assert fact["figure"] == "story.svg"
    assert Path("story.svg").exists()
    assert not Path("demo.png").exists()


def test_the_commands_it_ends_with_can_be_run(told: Callable[[str], str]) -> None:
    commands = [line.strip() for line in told("").splitlines() if line.startswith("  mhat ")]
    assert len(commands) == 3
    for command in commands:
        result = CliRunner().invoke(app, command.split()[1:])
        assert (result.exit_code, result.stderr) == (0, "")


def test_the_wrong_rules_are_written_by_a_user_of_the_library() -> None:
    for name in ("stored_back.py", "first_step_only.py"):
        text = (demo.examples() / name).read_text()
        assert text.count("import") == 2
        assert "\nfrom mhat import rule\nfrom mhat.ops import sqrt\n" in text


def test_the_examples_are_found_inside_an_installed_package_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "mhat"
    (package / "examples").mkdir(parents=True)
    monkeypatch.setattr(demo, "__file__", str(package / "terminal" / "demo.py"))
    with pytest.raises(InputFileError) as error:
        demo.examples()
    assert str(error.value).splitlines()[0] == "the examples were not installed with mhat"
    (package / "examples" / "stored_back.py").write_text("")
    assert demo.examples() == package / "examples"


def test_the_real_command(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from mhat.terminal.cli import main; main()", "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3.404888183404303e-70" in done.stdout
    assert (tmp_path / "demo.png").exists()
