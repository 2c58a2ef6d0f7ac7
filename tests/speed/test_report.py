"""What `mhat bench` says of measurements; and the command itself, run small, with the peers that are there."""

from __future__ import annotations

import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

import mhat
from mhat.errors import MhatError
from mhat.speed import report
from mhat.speed.report import Row, Standing
from mhat.terminal import bench_pages
from mhat.terminal.cli import app

ROWS = (
    Row("mhat", 0.010, 1.0, 1.0, 1.0),
    Row("limit", 0.009, 0.9, 0.85, 0.95),
    Row("torch.optim", 0.0105, 1.05, 1.0, 1.1),
    Row("optax, jitted", 0.02, 2.0, 1.9, 2.1),
    Row("Keras", 0.005, 0.5, 0.4, 0.6),
)
MEASURED = Standing("adam", 10_000_000, "float32", 280_000_000, ROWS, {"other": "not installed"})


def said(measured: Standing, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    target = Console(width=columns)
    with target.capture() as captured:
        target.print(*bench_pages.page(measured), sep="\n")
    return captured.get()


def test_the_page_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    page = " ".join(said(MEASURED, 80, monkeypatch).split())
    assert page.startswith("One step of adam, 10,000,000 parameters, float32")
    assert "optax, jitted 20 ms 2.00 1.90 - 2.10" in page
    assert "it moves the 28 bytes a parameter that a step must read and write, at 31.1 GB/s here" in page
    assert "mhat runs at 90% of it. torch.optim is as fast. optax, jitted takes 2.00 times as long." in page
    assert "Keras is 2.00 times as fast." in page
    assert page.endswith("Not compared: other: not installed.")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_page_fits_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(len(line.rstrip()) <= columns for line in said(MEASURED, columns, monkeypatch).splitlines())


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(MhatError) as refused:
        report.check_request(mhat.rules.adam, 10**12, "float32")
    assert refused.value.what.startswith(
        "1,000,000,000,000 parameters, with all peers, ask for 140,000 GB, and there are "
    )
    assert refused.value.cure == "Give a smaller --size."
    whole = mhat.rule("def whole(x, g, *, lr=0.1):\n    return x - lr * orthogonal(g)\n")
    with pytest.raises(MhatError) as refused:
        report.check_request(whole, 100, "float32")
    assert refused.value.what == "whole works on whole matrices: memory is not its limit"


def test_a_peer_that_fails_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("out of order\nand more")

    monkeypatch.setattr(report, "PEERS", {
        "numpy": ("fails", {"adam": ("", {})}, failing),
        "numba": ("knows nothing", {}, failing),
        "no_such_package": ("is not there", {}, failing),
    })  # fmt: skip
    chosen = tuple(report.PEERS)
    measured = report.measure(
        mhat.rules.adam, lambda x, g: lambda: None, 100, "float32", chosen=chosen, repeats=2, lasting=0.0
    )
    assert [row.name for row in measured.rows] == ["mhat", "limit"]
    assert measured.absent == {
        "fails": "failed: out of order", "knows nothing": "has no adam", "is not there": "not installed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "dtype"),
    [
        ("sgd", "float64"),
        pytest.param("adam", "float32", marks=pytest.mark.long),
        pytest.param("lion", "bfloat16", marks=pytest.mark.long),
    ],
)
def test_the_command_measures(rule: str, dtype: str) -> None:
    result = CliRunner().invoke(app, ["bench", rule, "--size", "1e3", "--dtype", dtype, "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["rule"], found["size"], found["dtype"]) == (rule, 1000, dtype)
    assert [row["name"] for row in found["rows"]][:2] == ["mhat", "limit"]
    assert all(row["seconds"] > 0 and row["low"] <= row["ratio"] <= row["high"] for row in found["rows"])
    assert not any(why.startswith("failed") for why in found["absent"].values())
