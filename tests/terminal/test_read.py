"""The command `read`: what it prints, writes and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mhat
from mhat.terminal.cli import app

MINE = """\
import numpy as np


class MyAdam:
    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.lr, (self.b1, self.b2), self.eps = lr, betas, eps
        self.t = 0

    def step(self, w, dw):
        if self.t == 0:
            self.m, self.v = np.zeros_like(w), np.zeros_like(w)
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * dw
        self.v = self.b2 * self.v + (1 - self.b2) * dw**2
        m_hat = self.m / (1 - self.b1**self.t)
        v_hat = self.v / (1 - self.b2**self.t)
        return w - self.lr * m_hat / np.sqrt(v_hat + self.eps)


def sorting(gradients):
    x, xs = 0.0, []
    for g in gradients:
        x = x - 0.1 * np.sort(g)
        xs.append(x)
    return np.array(xs)
"""
PAGE = """\
def myadam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g            # mine.py:13
    v = beta2 * v + (1 - beta2) * g**2         # mine.py:14
    m_hat = m / (1 - beta1**t)                 # mine.py:15
    v_hat = v / (1 - beta2**t)                 # mine.py:16
    return x - lr * m_hat / sqrt(v_hat + eps)  # mine.py:17
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["read", *words])
    return result.exit_code, result.stdout


def test_the_rule_is_shown_with_its_places_and_written(here: Path) -> None:
    code, shown = run("mine.py:MyAdam", "-o", "rule.py")
    assert code == 0 and shown.startswith(PAGE), shown
    assert "It does the same on 120 fresh steps" in shown and "Written to rule.py." in shown
    assert str(mhat.read("rule.py:myadam")) == "\n".join(line.partition("#")[0].rstrip() for line in PAGE.splitlines())
    assert (here / "rule.py").read_text().count("@rule") == 1


def test_json_says_all_of_it(here: Path) -> None:
    code, shown = run("mine.py:MyAdam", "--as", "json")
    told = json.loads(shown)
    assert code == 0 and told["complete"] and told["lines"][0]["places"] == [[str(here / "mine.py"), 13]]


def test_what_is_read_in_part_is_not_written(here: Path) -> None:
    code, shown = run("mine.py:sorting", "-o", "rule.py")
    assert code == 1 and not (here / "rule.py").exists()
    assert shown.splitlines()[:2] == ["It could not be read:", "  np.sort is not recorded"]


def test_a_file_that_exists_is_kept(here: Path) -> None:
    (here / "rule.py").write_text("kept")
    code, _ = run("mine.py:MyAdam", "-o", "rule.py")
    assert code == 2 and (here / "rule.py").read_text() == "kept"
