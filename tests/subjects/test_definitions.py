"""What the text of a file says, without a run of it: rules, functions, and what only a run would tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from mhat.errors import BadValue, InputFileError, LanguageError, UnknownName
from mhat.names import find_rule, find_subject
from mhat.subjects.definitions import Definitions, definitions_of

NEVER = "raise SystemExit('this file must not be run')\n"
RULES = """\
import mhat
from mhat import rule as as_rule, rules
from mhat.modifiers import clipped

@mhat.rule
def first(x, g, *, lr=0.1):
    return x - lr * g

@as_rule(paper="Somebody 1999", knobs={"pace": "how fast"})
def second(x, g, *, pace=0.1):
    return x - pace * g

def third(x, g):
    return x - g

class Box:
    @mhat.rule
    def inner(x, g):
        return x - g

text = as_rule("def text(x, g): return x - g")

def not_a_rule(gradients):
    return gradients

def outside(x, g):
    for i in range(3):
        x = x - g
    return x

number = 3
made = clipped(rules.adam)
other = mhat.rules.adam
if number:
    def conditional(x, g):
        return x - g
def twice(x, g):
    return x - g
twice = clipped(twice)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(RULES + NEVER)
    return tmp_path


def definitions(text: str) -> Definitions:
    Path("some.py").write_text(text)
    written = definitions_of("some.py")
    assert written is not None
    return written


@pytest.mark.parametrize("name", ["first", "second", "third", "Box.inner", "text"])
def test_a_rule_is_read_from_the_text(name: str, here: Path) -> None:
    rule = find_rule(f"mine.py:{name}")
    assert rule.name == name.rpartition(".")[2]
    assert rule.variables == ()


def test_what_a_rule_is_told_is_read_too(here: Path) -> None:
    rule = find_rule("mine.py:second")
    assert (rule.paper, rule.knob_sentences) == ("Somebody 1999", {"pace": "how fast"})
    assert (rule.source.file, rule.source.first_line) == (str(here / "mine.py"), 9)


def test_a_refusal_points_into_the_file(here: Path) -> None:
    with pytest.raises(LanguageError) as caught:
        _ = find_rule("mine.py:outside").tree
    assert str(caught.value).startswith(f"{here}/mine.py, line 27: ")


@pytest.mark.parametrize("name", ["first", "third", "text"])
def test_a_subject_that_is_a_rule_is_read_from_the_text(name: str, here: Path) -> None:
    assert find_subject(f"mine.py:{name}").run([1.0]).shape == (1,)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["made", "other", "conditional", "twice", "number"])
def test_what_only_a_run_tells_is_left_to_a_run(name: str, here: Path) -> None:
    written = definitions_of("mine.py")
    assert written is not None
    assert written.rule(name) is None
    with pytest.raises(InputFileError, match=r"mine.py cannot be loaded: SystemExit: this file must not be run"):
        find_rule(f"mine.py:{name}")


def test_what_is_made_by_a_run_comes_back_as_a_rule(here: Path) -> None:
    Path("mine.py").write_text(RULES)
    made = find_rule("mine.py:made")
    assert made.name == "clipped_adam" or "clip" in str(made.tree)
    assert find_rule("mine.py:other").knobs == find_rule("adam").knobs
    assert find_rule("mine.py:conditional").name == "conditional"
    assert find_subject("mine.py:made").run([1.0]).shape == (1,)  # type: ignore[call-overload]
    with pytest.raises(BadValue, match=r"`number` in mine.py is of type int\nName a rule: a function under `@rule`."):
        find_rule("mine.py:number")


def test_without_a_name_a_training_is_not_run_to_find_that_it_has_no_rule(here: Path) -> None:
    Path("train.py").write_text(
        f"import mhat\nopt = mhat.Optimizer('adam', [])\nds = mhat.trace('adam', 'ramp')\n{NEVER}"
    )
    with pytest.raises(BadValue) as caught:
        find_rule("train.py")
    assert str(caught.value) == (
        "there is no rule in train.py\nWrite one under `@rule`, or name a function: FILE:NAME."
    )
    with pytest.raises(BadValue, match=r"there are 5 rules in mine.py\nName one: mine.py:first."):
        find_rule("mine.py")
    Path("one.py").write_text(
        f"from mhat.rules import adam\nfrom mhat import rule\n@rule\ndef one(x, g): return x - g\n{NEVER}"
    )
    assert find_rule("one.py").name == "one"


@pytest.mark.parametrize(
    ("text", "name", "there"),
    [
        ("a = 1\n", "b", False), ("a, *b = 1, 2\n", "b", True), ("for b in []: pass\n", "b", True),
        ("with x() as b: pass\n", "b", True), ("if x:\n    pass\nelse:\n    b = 1\n", "b", True),
        ("try:\n    import b\nexcept ImportError:\n    c = 1\n", "c", True), ("import b.c\n", "b", True),
        ("import a.b\n", "b", False), ("from a import c as b\n", "b", True), ("from a import b as c\n", "b", False),
        ("def f():\n    b = 1\n", "b", False), ("def f():\n    global b\n    b = 1\n", "b", True),
        ("x = (b := 3)\n", "b", True), ("match x:\n    case [b, 1]: pass\n", "b", True),
        ("from a import *\n", "b", None), ("globals()['b'] = 1\n", "b", None), ("exec('b = 1')\n", "b", None),
        ("def __getattr__(name): ...\n", "b", None), ("vars(x)\n", "b", False), ("class A:\n    b = 1\n", "A.b", True),
        ("class A:\n    b = 1\n", "A.c", False), ("class A(B):\n    b = 1\n", "A.c", None),
    ],
)  # fmt: skip
def test_which_names_a_file_has(text: str, name: str, there: bool | None, here: Path) -> None:
    written = definitions(text)
    if there is False:
        with pytest.raises(UnknownName, match=rf"there is no name `{name}` in some.py"):
            written.found(name)
    elif there is None:
        assert written.found(name) is None
    else:
        written.found(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"def (:\n", "SyntaxError: invalid syntax (line 1)"),
        (b"x = 1\nreturn\n", "SyntaxError: 'return' outside function (line 2)"),
        (b"x = '\xff'\n", "SyntaxError: invalid or missing encoding declaration"),
    ],
)
def test_what_is_not_python_is_said(text: bytes, message: str, here: Path) -> None:
    Path("some.py").write_bytes(text)
    with pytest.raises(InputFileError) as caught:
        definitions_of("some.py")
    assert caught.value.what == f"some.py cannot be loaded: {message}"


def test_a_module_is_found_without_importing_the_packages_it_is_in(here: Path) -> None:
    (here / "shelf").mkdir()
    (here / "shelf" / "__init__.py").write_text(NEVER)
    (here / "shelf" / "books.py").write_text("def plain(x, g):\n    return x - g\n")
    assert find_rule("shelf.books:plain").name == "plain"
    assert definitions_of("shelf.films") is None
    assert definitions_of("sys") is None
