"""What of a script is fed and read where nobody says: found in every style in which people write them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mhat.errors import SubjectError
from mhat.subjects.sandbox import Guard
from mhat.subjects.scripts.finding import found_in
from mhat.subjects.scripts.stepping import steppings
from mhat.subjects.scripts.ways import Possible
from tests.subjects.script_styles import STYLES


def found(path: Path, text: str) -> list[Possible]:
    path.write_text(text)
    return found_in(str(path), path.name, Guard(30.0))


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_what_is_fed_and_read_is_found(style: tuple[str, tuple[str, ...]], tmp_path: Path) -> None:
    text, words = style
    ways = found(tmp_path / "script.py", text)
    assert (ways[0].words, *(way.words for way in ways[1:] if way.is_beside)) == words
    # Nothing is fed that is read, and no word chooses two things.
    assert len({way.words for way in ways}) == len(ways)
    assert all(way.feed != way.read for way in ways)


NOTHING: dict[str, str] = {
    "a sum": "total = 0\nfor i in range(10):\n    total += 2 * i\nprint(total)\n",
    "Newton's method": "def f(x):\n    return x**3 - 5\n\ndef fp(x):\n    return 3 * x**2\n\nx = 2.0\n"
                       "for i in range(10):\n    x = x - f(x) / fp(x)\n",
    "no loop": "import numpy as np\nprint(np.cumsum(np.ones(5)))\n",
    "a loop that prints": "for word in ('a', 'b'):\n    print(word)\n",
}  # fmt: skip


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_what_steps_by_no_gradient_is_no_optimizer(text: str, tmp_path: Path) -> None:
    assert found(tmp_path / "script.py", text) == []


def test_where_it_was_found_is_said(tmp_path: Path) -> None:
    text, _ = STYLES["three optimizers"]
    ways = found(tmp_path / "script.py", text)
    assert ways[0].where == "the loop in line 19 computes `g`, and `x` is appended"
    # Where two loops have the same names, the line tells them apart.
    assert [way.words for way in ways if "@" in way.feed and way.is_parameter] == [
        "--feed grad@12 --read x", "--feed grad@6 --read x",
    ]  # fmt: skip


KINDS = {
    "g_list = [1.0] * 9\nm = 0.0\nfor g in g_list:\n    m = 0.9 * m + 0.1 * g\nprint(m)\n": (
        "goes through `g_list`, and `m` is printed"
    ),
    "g = 10\nm = 0.0\nfor t in range(9):\n    m = 0.9 * m + 0.1 * g\n": "uses `g`, and `m` is carried on",
    "def grad(x):\n    return 2 * x\nx = 1.0\nwhile True:\n    x -= 0.1 * grad(x)\n": (
        "asks for `grad`, and `x` is carried on"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", KINDS)
def test_how_it_is_fed_is_said(text: str, tmp_path: Path) -> None:
    (first, *_) = found(tmp_path / "script.py", text)
    assert first.where.endswith(KINDS[text])


def test_a_script_that_fails_says_why(tmp_path: Path) -> None:
    text = "import nowhere_to_be_found\nx = 1.0\nfor i in range(5):\n    g = 2 * x\n    x -= 0.1 * g\n"
    with pytest.raises(SubjectError) as caught:
        found(tmp_path / "script.py", text)
    assert "raised ModuleNotFoundError: No module named 'nowhere_to_be_found'" in caught.value.what
    assert caught.value.said == "script.py, line 1: import nowhere_to_be_found"


def test_nothing_that_a_script_writes_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kept.txt").write_text("before")
    writes = (
        "with open('kept.txt', 'a') as f:\n    f.write('after')\nprint(open('kept.txt').read())\nopen('new.txt', 'w')\n"
    )
    ways = found(tmp_path / "script.py", STYLES["an ascent"][0] + writes)
    assert [way.words for way in ways] == ["--feed grad --read theta"]
    found(tmp_path / "script.py", writes + STYLES["an ascent"][0])
    assert Path("kept.txt").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.txt", "script.py"]


def test_what_a_loop_carries_is_read_from_its_text() -> None:
    text, _ = STYLES["gradients summed over samples"]
    (stepping,) = steppings(ast.parse(text))
    assert (stepping.line, stepping.states, stepping.parameters) == (6, {"w", "b"}, {"w", "b"})
    assert [each.text for each in stepping.candidates if each.enters] == ["dw", "db"]
    (adagrad,) = steppings(ast.parse(STYLES["AdaGrad over two names"][0]))
    assert adagrad.parameters == {"x"}  # the sum of squares is carried on as well, and is none
