"""What the library of rules shows on the command line: a family, a rule in other forms, a rule of one's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mhat
from mhat import rules
from mhat.terminal.cli import app

MINE = """
from mhat import rule
from mhat.ops import norm, sqrt


@rule
def mine(x, g, t, m=0, *, lr=1e-3, beta1=0.9):
    m = beta1 * m + (1 - beta1) * g
    return x - lr * m / (1 + norm(m))
"""


def good(line: str, columns: int = 80) -> str:
    """Run a command line that must succeed, and give what it prints."""
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(app, line.split())
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def bad(line: str) -> str:
    """Run a command line that is bad input, and give what is said of it."""
    result = subprocess.run([sys.executable, "-m", "mhat", *line.split()], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    return result.stderr


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return str(path)


def test_a_family() -> None:
    said = good("rules --family sign", 120)
    assert [line.split()[0] for line in said.splitlines()[1:7]] == rules.families()["sign"]
    assert "of the family sign" in said


def test_families_hold_every_rule_once() -> None:
    assert sorted(name for names in rules.families().values() for name in names) == rules.names()


def test_a_rule_as_a_file_is_that_rule(tmp_path: Path) -> None:
    path = tmp_path / "copy.py"
    path.write_text(good("rules adamw --as python", 120))
    assert mhat.trace(f"{path}:adamw", [1.0], steps=1).attrs["rule"] == "adamw"
    assert '"""Take Adam\'s step' in path.read_text()
    assert rules.adamw.paper in path.read_text()


def test_a_rule_as_latex() -> None:
    assert r"x_{t} &= x_{t-1} - \eta \, g_{t}" in good("rules sgd --as latex")


def test_a_rule_of_ones_own_is_examined(mine: str) -> None:
    said = good(f"rules --check {mine}:mine", 200)
    assert "It is a rule per tensor" in said
    assert "On a shard it needs `norm` of the whole tensor: one number from every shard." in said
    assert "keeps 1 number a parameter, `m`: 4 bytes in float32" in said
    assert "A step with a gradient and a learning rate of zero changes no parameter" in said
    assert "It is written most like" in said
    told = json.loads(good(f"rules --check {mine}:mine --json"))
    assert {claim["topic"] for claim in told["claims"]} == {"cost", "memory", "laws", "near"}


def test_a_rule_of_the_library_is_near_others_and_not_itself() -> None:
    near = good("rules --check adamw", 200).partition("It is written most like ")[2]
    assert "adamw" not in near
    assert "adam" in near


def test_the_map_of_kinship(tmp_path: Path) -> None:
    path = tmp_path / "kin.png"
    said = good(f"rules --graph {path}", 200)
    assert " identities, " in said and f" Drew them to {path}." in said
    assert path.read_bytes()[:4] == b"\x89PNG"
    told = json.loads(good(f"rules --graph {path} --force --json"))
    assert {"adamw with weight_decay=0 is adam"} <= {each["sentence"] for each in told["identities"]}
    assert {each["status"] for each in told["identities"]} == {"proved", "tested"}


def test_a_rule_is_shown_with_its_kin() -> None:
    assert "kin     lion with beta2=beta1 is tiger" in good("rules lion", 100)


@pytest.mark.parametrize(
    "typed, message",
    [
        (
            "rules --family adma",
            "mhat: there is no family `adma`\nDid you mean `adam`? `mhat rules` lists them.\n",
        ),
        ("rules adam --as ruby", "mhat: there is no form `ruby`\nKnown: json, latex, python, text.\n"),
        (
            "rules adam --as latex --json",
            '{"error": "--json and --as latex are two forms", "cure": "Keep one of them."}\n',
        ),
        (
            "rules adam --family adam",
            "mhat: a name, --family, --check and --graph are four questions\nAsk one at a time.\n",
        ),
        (
            "rules --check adam --as latex",
            "mhat: --check is answered as text or json, not latex\n`mhat rules adam --as latex` writes it.\n",
        ),
        (
            "rules --check torch.optim:Adam",
            "mhat: torch.optim:Adam is no rule\n"
            "`mhat identify` and `mhat read` tell which rule an implementation follows.\n",
        ),
    ],
)
def test_what_cannot_be_shown_is_said(typed: str, message: str) -> None:
    assert bad(typed) == message
