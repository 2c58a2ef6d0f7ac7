"""The bar for long work: on a terminal only, after a while, and whether or not the work reports."""

from __future__ import annotations

import time

import pytest

from mhat import progress


def test_progress_is_silent_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar(10, "steps") as report:
        assert report is None
    assert capsys.readouterr().err == ""


def test_progress_waits_a_while(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with progress.bar(10, "adam, steps") as report:
        assert report is not None
        report(1)
    assert capsys.readouterr().err == ""
    with progress.bar(10, "adam, steps") as report:
        assert report is not None
        now = 2.0
        report(5)
    assert "adam, steps" in capsys.readouterr().err


def test_work_that_does_not_report_is_seen_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    seen, waited = "", time.monotonic() + 20
    with progress.bar(10, "adam, steps"):
        while "adam, steps" not in seen and time.monotonic() < waited:
            time.sleep(0.05)
            seen += capsys.readouterr().err
    assert "adam, steps" in seen


def test_nothing_is_drawn_once_the_work_is_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    with progress.bar(10, "adam, steps"):
        pass
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_a_line_says_what_is_done_now(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "REFRESH", 0.0)
    with progress.line("searching") as say:
        assert say is not None
        say("pairs of edits [1 of 3]")
        time.sleep(0.3)
    assert "pairs of edits [1 of 3]" in capsys.readouterr().err
    monkeypatch.delenv("FORCE_COLOR")
    with progress.line("searching") as say:
        assert say is None
