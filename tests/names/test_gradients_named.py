"""What users name is found: rules of the library, files, modules; streams and landscapes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mhat import landscapes, rules, streams
from mhat.errors import BadValue, InputFileError, UnknownName
from mhat.landscapes import Landscape
from mhat.names import find_gradients, find_rule
from mhat.streams import Stream

ONE = """
from mhat import rule
from mhat.rules import adam

@rule
def mine(x, g, *, lr=0.1):
    return x - lr * g
"""
TWO = ONE + "\n@rule\ndef other(x, g):\n    return x - g\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_rule_is_found_by_name_by_itself_and_as_a_function() -> None:
    assert find_rule("adam") is rules.adam
    assert find_rule(rules.adam) is rules.adam
    assert find_rule(ONE_FUNCTION).name == "plain"


def plain(x, g):  # type: ignore[no-untyped-def]
    return x - g


ONE_FUNCTION = plain


@pytest.mark.parametrize("named", ["mine.py:mine", "mine.py", "./mine.py:mine", "./mine.py", "mine.py:"])
def test_a_rule_is_found_in_a_file(here: Path, named: str) -> None:
    (here / "mine.py").write_text(ONE)
    assert find_rule(named).name == "mine"


def test_a_rule_made_of_text_is_a_rule_of_its_file(here: Path) -> None:
    (here / "mine.py").write_text('from mhat import rule\nmine = rule("def mine(x, g): return x - g")\n')
    assert find_rule("mine.py").name == "mine"


def test_a_rule_is_found_in_a_module_beside_the_user(here: Path) -> None:
    (here / "a_module_of_mine.py").write_text(ONE)
    assert find_rule("a_module_of_mine:mine").name == "mine"
    assert str(here) not in sys.path


def test_a_function_without_the_decorator_is_a_rule_too(here: Path) -> None:
    (here / "mine.py").write_text("def mine(x, g):\n    return x - g\n")
    assert find_rule("mine.py:mine").name == "mine"


@pytest.mark.parametrize(
    ("text", "named", "kind", "message"),
    [
        (TWO, "mine.py", BadValue, "there are 2 rules in mine.py\nName one: mine.py:mine."),
        ("", "mine.py", BadValue,
         "there is no rule in mine.py\nWrite one under `@rule`, or name a function: FILE:NAME."),
        (ONE, "mine.py:mime", UnknownName, "there is no name `mime` in mine.py\nDid you mean `mine`?"),
        ("a = 1", "mine.py:a", BadValue, "`a` in mine.py is of type int\nName a rule: a function under `@rule`."),
        ("1 / 0\na = 2", "./mine.py:a", InputFileError,
         "./mine.py cannot be loaded: ZeroDivisionError: division by zero (line 1)\nMend it first."),
        ("\ndef (", "mine.py", InputFileError,
         "mine.py cannot be loaded: SyntaxError: invalid syntax (line 2)\nMend it first."),
        ("import sys\na = sys.exit(3)", "mine.py:a", InputFileError,
         "mine.py cannot be loaded: SystemExit: 3 (line 2)\nMend it first."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(here: Path, text: str, named: str, kind: type, message: str) -> None:
    (here / "mine.py").write_text(text)
    with pytest.raises(kind) as error:
        find_rule(named)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("no.py:mine", "there is no file `no.py`\nCheck the name and the directory you are in."),
        ("no_such_module:mine", "there is no module `no_such_module`\nInstall it, or name a file that ends in .py."),
    ],
)
def test_what_is_missing_is_said(here: Path, named: str, message: str) -> None:
    with pytest.raises(InputFileError) as error:
        find_rule(named)
    assert str(error.value) == message


def test_a_name_is_a_stream_first_and_a_landscape_then() -> None:
    assert isinstance(find_gradients("constant:10"), Stream)
    assert isinstance(find_gradients("rosenbrock"), Landscape)
    assert set(streams.names()) & set(landscapes.names()) == {"lottery"}
    assert isinstance(find_gradients("lottery"), Stream)
    assert isinstance(find_gradients(landscapes.lottery), Landscape)


def test_a_function_of_the_library_is_called() -> None:
    assert find_gradients(streams.ramp, 7).steps == 7
    assert find_gradients(streams.ramp).steps == 100
    assert find_gradients(landscapes.beale).name == "beale"
    assert find_gradients([1.0, 2.0]) == [1.0, 2.0]


def test_finding_a_rule_loads_no_arrays() -> None:
    code = "import sys; from mhat.names import find_rule; find_rule('adam').tree; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
