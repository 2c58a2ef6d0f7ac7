"""Finding a rule, the ways less trodden: dotted names, modules that fail, things that are no rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mhat
from mhat import landscapes, rule, rules
from mhat.errors import BadValue, InputFileError, LanguageError, MhatError, UnknownName
from mhat.names import find_gradients, find_rule

NESTED = """
from mhat import rule

class Box:
    @rule
    def inner(x, g):
        return x - g
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_the_text_of_a_rule_is_that_rule() -> None:
    """It was a module that is not installed."""
    text = "def plain(x, g, *, lr=0.5):\n    return x - lr * g"
    assert find_rule(text) == find_rule("@rule\n" + text) == rule(text)
    assert mhat.trace(text, [1.0]).x.values.tolist() == [-0.5]
    assert mhat.check(text, "sgd").conforms and mhat.compare(text, "sgd", lr=0.5).same
    with pytest.raises(LanguageError, match="line 1"):
        find_rule("def plain(x, g): return x - h(g)")


def test_a_rule_inside_of_a_class(here: Path) -> None:
    (here / "mine.py").write_text(NESTED)
    assert find_rule("mine.py:Box.inner").name == "inner"
    with pytest.raises(UnknownName) as error:
        find_rule("mine.py:Box.iner")
    assert str(error.value) == "there is no name `Box.iner` in mine.py\nDid you mean `inner`?"


def test_a_rule_of_a_package_and_of_a_module_in_it(here: Path) -> None:
    (here / "shelf").mkdir()
    (here / "shelf" / "__init__.py").write_text("")
    (here / "shelf" / "books.py").write_text("def plain(x, g):\n    return x - g\n")
    assert find_rule("shelf.books:plain").name == "plain"
    assert find_rule("mhat.rules:adam") is rules.adam


def test_a_file_imports_what_stands_beside_it(here: Path) -> None:
    (here / "parts").mkdir()
    (here / "parts" / "beside_it.py").write_text("RATE = 0.25\n")
    (here / "parts" / "mine.py").write_text("import beside_it\ndef mine(x, g, *, lr=0.25):\n    return x - lr * g\n")
    path = list(sys.path)
    assert find_rule("parts/mine.py:mine").knobs == {"lr": 0.25}
    assert sys.path == path


def test_a_file_that_failed_is_read_afresh(here: Path) -> None:
    (here / "mine.py").write_text("mine = 1 / 0\n")
    with pytest.raises(InputFileError):
        find_rule("mine.py:mine")
    (here / "mine.py").write_text("def mine(x, g):\n    return x - g  # mended\n")
    assert find_rule("mine.py:mine").name == "mine"


@pytest.mark.parametrize(
    ("text", "named", "kind", "message"),
    [
        ("import nowhere_at_all\na = 1\n", "mine.py:a", InputFileError,
         "mine.py cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all' (line 1)\nMend it first."),
        ("import nowhere_at_all\n", "mine:a", InputFileError,
         "mine cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all'\nMend it first."),
        ("class A: pass\n", "mine.py:A", BadValue,
         "`A` in mine.py is of type type\nName a rule: a function under `@rule`."),
        ("a = len\n", "mine.py:a", BadValue,
         "`a` in mine.py is of type builtin_function_or_method\nName a rule: a function under `@rule`."),
        ("from mhat.rules import adam\n", "mine.py", BadValue,
         "there is no rule in mine.py\nWrite one under `@rule`, or name a function: FILE:NAME."),
    ],
)  # fmt: skip
def test_what_is_no_rule(here: Path, text: str, named: str, kind: type[MhatError], message: str) -> None:
    (here / "mine.py").write_text(text)
    with pytest.raises(kind) as error:
        find_rule(named)
    assert str(error.value) == message


def test_a_function_outside_of_the_language_points_into_its_file(here: Path) -> None:
    (here / "mine.py").write_text("def mine(x, g):\n    for i in range(3):\n        x = x - g\n    return x\n")
    with pytest.raises(LanguageError) as error:
        _ = find_rule("mine.py:mine").tree
    assert "mine.py, line 2: " in str(error.value)


@pytest.mark.parametrize("named", [3, 1.5, ["adam"]])
def test_what_cannot_be_a_rule_at_all(named: object) -> None:
    with pytest.raises(LanguageError) as error:
        find_rule(named)
    assert str(error.value) == f"{named!r} is neither a function nor text\nGive a function, or its text."


def test_nothing_is_no_rule() -> None:
    with pytest.raises(BadValue) as error:
        find_rule(None)
    assert str(error.value) == "None is no rule\nGive a rule, a function written as one, or a name."


def test_a_module_is_no_rule_and_no_stream() -> None:
    with pytest.raises(BadValue) as error:
        find_rule(rules)
    assert str(error.value) == "mhat.rules is a module\nName the rule in it: mhat.rules.NAME."
    assert find_gradients(landscapes) is landscapes
