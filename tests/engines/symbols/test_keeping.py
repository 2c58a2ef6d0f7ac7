"""What is found is kept, what hangs is ended, and without SymPy it is said which extra brings it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

import mhat.rules as library
from mhat.engines.symbols import ClosedForm, NoClosedForm, closed_forms
from mhat.engines.symbols import child as children
from mhat.engines.symbols import closed_forms as door
from mhat.engines.symbols.child import Child
from mhat.engines.symbols.search import search
from mhat.engines.symbols.solving import Deadline, OutOfTime
from mhat.engines.symbols.stored import SUFFIX, as_data, of_data
from mhat.errors import MissingExtra
from mhat.language import rule

assert door is closed_forms
DOOR = sys.modules["mhat.engines.symbols.closed_forms"]
RULE = rule("def it(x, g, m=0, *, lr=0.5, a=0.25):\n m = a * m + g\n return x - lr * m")
STORED = rule("def it(x, g, t, m=0, *, a=0.5):\n m = a * m + g\n m = m / (1 - a**t)\n return x - m")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder to keep forms in, and forget those of this process."""
    made = tmp_path / "kept"
    made.mkdir(mode=0o700)
    monkeypatch.setenv("MHAT_CACHE_DIR", str(made))
    DOOR._remembered.cache_clear()
    return made


def unasked(*_: object) -> None:
    raise AssertionError("nothing was to be searched for")


def test_what_was_found_is_read_by_the_next_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = closed_forms(RULE)
    assert len(list(folder.glob(f"*{SUFFIX}"))) == 1
    DOOR._remembered.cache_clear()
    monkeypatch.setattr(DOOR.CHILD, "ask", unasked)
    assert closed_forms(RULE) == first


@pytest.mark.parametrize("damage", [b"", b"{}", b"cut off"])
def test_a_damaged_file_is_thrown_away(folder: Path, damage: bytes) -> None:
    first = closed_forms(RULE)
    (file,) = folder.glob(f"*{SUFFIX}")
    file.write_bytes(damage)
    DOOR._remembered.cache_clear()
    assert closed_forms(RULE) == first


@pytest.mark.skipif(os.name == "nt", reason="modes of files are those of POSIX")
def test_a_file_that_others_can_write_to_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed_forms(RULE)
    (file,) = folder.glob(f"*{SUFFIX}")
    file.chmod(0o666)
    DOOR._remembered.cache_clear()
    monkeypatch.setattr(DOOR.CHILD, "ask", lambda *_: None)
    assert all(isinstance(form, NoClosedForm) for form in closed_forms(RULE).values())


def test_what_was_cut_short_is_not_kept(folder: Path) -> None:
    found = closed_forms(RULE, seconds=0.0)
    assert {form.reason for form in found.values() if isinstance(form, NoClosedForm)} == {"the time for it was up"}
    assert not list(folder.glob(f"*{SUFFIX}"))
    assert isinstance(closed_forms(RULE)["m"], ClosedForm)


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against a SymPy that does not come back: nobody waits for it."""
    monkeypatch.setattr(children, "START", "import time; time.sleep(600)")
    monkeypatch.setattr(children, "STARTING", 0.5)
    child = Child()
    assert child.ask("def it(x): return x", "constant", 0.1) is None
    monkeypatch.undo()
    # And another one is started for the next question.
    answer = child.ask("def it(x, g): return x - g", "constant", 5.0)
    assert answer is not None and answer["update"]["expression"] == ["neg", "g"]
    child.close()


def test_time_is_what_the_processor_spent() -> None:
    """Guards against a loaded machine on which what is proved elsewhere is only tested."""
    deadline = Deadline(0.1)
    time.sleep(0.2)
    deadline.check()
    with pytest.raises(OutOfTime):
        while True:
            deadline.check()


@pytest.mark.skipif(not hasattr(signal, "ITIMER_PROF"), reason="a limit on processor time is one of POSIX")
def test_a_step_that_computes_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against a wait for the far limit by the clock, where the processor was at work all the time."""
    hanging = "child.search = lambda *_: [0 for _ in iter(int, 1)]; child.answer()"
    path = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from mhat.engines.symbols import child; "
    monkeypatch.setattr(children, "START", path + hanging)
    monkeypatch.setattr(children, "PATIENCE", 1e4)
    child = Child()
    assert child.ask("def it(x, g): return x - g", "constant", 0.01) is None
    child.close()


def test_a_process_that_ends_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "START", "raise SystemExit(3)")
    child = Child()
    assert child.ask("def it(x): return x", "constant", 5.0) is None
    child.close()


def test_a_search_that_breaks_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DOOR.CHILD, "ask", lambda *_: {"@failed": "ValueError: nothing"})
    found = closed_forms(RULE)["m"]
    assert isinstance(found, NoClosedForm)
    assert found.reason == "the search for it failed (ValueError: nothing), which is a mistake in mhat"
    assert not list(folder.glob(f"*{SUFFIX}"))


def test_forms_are_plain_data_and_back() -> None:
    for made in (STORED, library.adadelta):
        for form in search(made, "constant", 20.0).values():
            assert of_data(as_data(form)) == form


def test_without_sympy_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    from mhat.engines.symbols import conversions

    conversions.sympy.cache_clear()
    try:
        with pytest.raises(MissingExtra, match="SymPy"):
            closed_forms(RULE)
    finally:
        conversions.sympy.cache_clear()


def test_knobs_that_are_given_are_what_they_are() -> None:
    found = closed_forms(RULE, knobs={"a": 0.75})["m"]
    assert isinstance(found, ClosedForm) and found.at(2, g=1.0) == 1.75
