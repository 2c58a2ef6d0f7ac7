"""What a page begins with, and what is said where it cannot begin: by both doors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mhat
from mhat import page
from mhat.errors import BadValue, MhatError, OutputFileError, UnknownName
from mhat.names import find_rule
from mhat.page.given import EXERCISES, given_for
from mhat.terminal.cli import app

ADAM = mhat.rules.adam


def told(*arguments: str) -> tuple[int, str]:
    """Run a command; what it said, in one line."""
    made = CliRunner().invoke(app, ["lab", *arguments], catch_exceptions=False)
    return made.exit_code, " ".join(made.output.split())


def data_of(file: Path) -> dict[str, object]:
    """Read what an exported page begins with."""
    text = file.read_text("utf-8")
    begin = text.index('id="mhat-data">') + len('id="mhat-data">')
    return json.loads(text[begin : text.index("</script>", begin)])  # type: ignore[no-any-return]


def test_nothing_told_is_the_story() -> None:
    given = given_for([])
    assert given.setting is None
    assert set(given.data()) == {"library"}
    names = [rule["name"] for rule in given.library]
    assert "adam" in names and "muon" not in names
    assert all(find_rule(rule["text"]).name == rule["name"] for rule in given.library[:5])


def test_anything_told_is_a_setting_of_its_own() -> None:
    setting = given_for([ADAM, mhat.rules.sgd], stream="spike:5,at=3", knobs={"beta1": 0.5}, step=3).setting
    assert setting is not None
    assert [rule["knobs"] for rule in setting["rules"]] == [{"beta1": 0.5}, {}]
    assert (setting["source"], setting["steps"], setting["step"]) == (
        {"kind": "stream", "spec": "spike:5,at=3"},
        100,
        3,
    )
    for alone in (
        {"steps": 7},
        {"dtype": "bfloat16"},
        {"knobs": {"lr": 0.5}},
        {"stream": "spike"},
        {"landscape": "ravine"},
    ):
        told = given_for([], **alone).setting
        assert told is not None and "def adam(" in told["rules"][0]["text"]
    hill = given_for([], landscape="ravine:10").setting
    assert hill is not None
    assert hill["source"]["spec"] == "ravine:10" and hill["steps"] == 300


def test_gradients_of_a_file_travel_with_the_page(tmp_path: Path) -> None:
    file = tmp_path / "gradients.csv"
    file.write_text("g\n1.5\n-2\n0.1\n")
    setting = given_for([], stream=str(file)).setting
    assert setting is not None
    assert setting["source"]["rows"] == [[1.5, -2.0, 0.1]]
    assert setting["steps"] == 3


def test_numbers_that_json_lacks_are_words() -> None:
    setting = given_for([ADAM], knobs={"lr": float("inf"), "eps": float("nan")}).setting
    assert setting is not None
    assert setting["rules"][0]["knobs"] == {"lr": "inf", "eps": "nan"}


@pytest.mark.parametrize(
    ("asked", "kind", "said", "cure"),
    [
        ({"exercise": "adm"}, BadValue, "there is no exercise `adm`", ", ".join(EXERCISES)),
        ({"exercise": "adam", "stream": "spike"}, BadValue, "an exercise begins with an empty rule", "--exercise adam"),
        ({"chosen": [ADAM] * 4}, BadValue, "4 rules are more than a page shows", "Name 3 at most."),
        ({"chosen": [mhat.rules.muon]}, BadValue, "muon works on whole matrices", "mhat trace muon --plot muon.png"),
        ({"stream": "spike", "landscape": "ravine"}, BadValue, "both a stream and a landscape", "Give one of them."),
        ({"stream": "spikes"}, UnknownName, "spikes", "spike"),
        ({"landscape": "ravin"}, UnknownName, "ravin", "ravine"),
        ({"dtype": "float8"}, BadValue, "`float8` is no type that the page knows", "bfloat16"),
        ({"knobs": {"bta1": 0.5}}, UnknownName, "bta1", "beta1"),
        ({"knobs": {"lr": "half"}}, BadValue, "lr='half' is no number", "A slider begins with one number."),
        ({"steps": 0}, BadValue, "`steps` is 0", "whole number of at least 1"),
        ({"steps": 10**6}, BadValue, "`steps` is 1000000", "from 1 to 100000"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_its_cure(asked: dict[str, object], kind: type, said: str, cure: str) -> None:
    with pytest.raises(kind) as caught:
        given_for(**{"chosen": [], **asked})  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert cure in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("adam sgd momentum lion", "4 rules are more than a page shows Name 3 at most."),
        ("muon", "muon works on whole matrices, and the page computes number by number See it so: mhat trace muon --plot muon.png."),
        ("--exercise adm", "there is no exercise `adm` Choose one: momentum, rmsprop, adam, adamw."),
        ("adam --exercise adam", "an exercise begins with an empty rule Name nothing beside it: --exercise adam."),
        ("--stream spike --landscape ravine", "both a stream and a landscape are given Give one of them."),
        ("adam -k foo=1", "there is no knob `foo` Known: beta1, beta2, eps, lr."),
        ("adam --steps 0", "`steps` is 0 Give a whole number of at least 1: steps=2."),
        ("--check", "--check judges one implementation, and 0 are named Name one: mhat lab mine.py:my_adam --check."),
        ("adam sgd --check", "--check judges one implementation, and 2 are named Name one: mhat lab mine.py:my_adam --check."),
        ("adm", "there is no rule `adm`"),
    ],
)  # fmt: skip
def test_the_command_says_the_same(line: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    code, output = told(*line.split(), "--export", str(file))
    assert (code, file.exists()) == (2, False)
    assert said in output


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("mine")
    code, output = told("adam", "--export", str(file))
    assert code == 2
    assert "exists already" in output and "--force" in output
    with pytest.raises(OutputFileError, match="exists already"):
        mhat.lab("adam", to=file)
    assert file.read_text() == "mine"
    assert told("adam", "--export", str(file), "--force")[0] == 0
    assert data_of(file)["setting"]
    with pytest.raises(OutputFileError, match="html"):
        mhat.lab("adam", to=tmp_path / "page.png")


def test_text_of_a_rule_is_data_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        'from mhat import rule\n\n\n@rule\ndef mine(x, g, *, lr=0.1):\n    """</script><script>alert(1)"""\n    return x - lr * g\n'
    )
    made = mhat.lab(f"{file}:mine", to=tmp_path / "page.html")
    text = made.read_text("utf-8")
    assert text.count("</script>") == 2
    assert "alert(1)" not in text.replace("\\u003c/script>\\u003cscript>alert(1)", "")


def test_the_python_door_refuses_too() -> None:
    with pytest.raises(MhatError, match="`y` is not known here"):
        mhat.lab("def a(x, g):\n    return y", "spike")
    with pytest.raises(UnknownName, match="leraning"):
        mhat.lab("adam", leraning=1)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_page_of_one_exercise(exercise: str, tmp_path: Path) -> None:
    file = tmp_path / "exercise.html"
    assert told("--exercise", exercise, "--export", str(file))[0] == 0
    assert data_of(file)["exercise"] == exercise
    assert "setting" not in data_of(file)


def test_both_doors_write_the_same_page(tmp_path: Path) -> None:
    one, other = tmp_path / "one.html", tmp_path / "other.html"
    mhat.lab("adam", "cautious(adam)", "spike:5", to=one, lr=0.5, steps=20)
    told("adam", "cautious(adam)", "--stream", "spike:5", "-k", "lr=0.5", "--steps", "20", "--export", str(other))
    assert data_of(one) == data_of(other)


def test_gradients_as_an_array_are_refused_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(MhatError) as caught:
        mhat.lab("adam", np.ones(3), to=tmp_path / "page.html")
    assert str(caught.value)


def test_the_page_is_small_enough() -> None:
    assert len(page.page_text(given_for([])).encode()) <= 600_000
