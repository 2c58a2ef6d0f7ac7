"""What users name as a subject: rules, functions, classes, scripts, commands; and what is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.errors import BadValue, InputFileError, MhatError, MissingExtra, SubjectError, UnknownName
from mhat.names import find_subject
from tests.subjects import subjects_written as written

MINE = """\
import numpy as np
from mhat import rule
def my_sgd(gradients, lr=0.1):
    return -lr * np.cumsum(gradients, axis=0)
class Descent:
    def step(self, params, grads):
        return params - grads
def by_coordinates(x, g, *, lr=0.1):
    return x - lr * g
@rule
def as_rule(x, g, *, lr=0.1):
    return x - lr * g
number = 5
made = Descent()
"""
ANSWER = """\
import json, sys
for line in sys.stdin:
    print(json.dumps({"parameters": json.loads(line)["gradients"]}), flush=True)
"""
ONES = np.ones((3, 2))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    Path("one.py").write_text("def run(gradients):\n    return -gradients.cumsum(0)\n")
    Path("script.py").write_text("gs = [1.0] * 5\nout = []\nfor g in gs:\n    out.append(-g)\n")
    Path("broken.py").write_text("def run(gradients:\n")
    Path("adamw2").write_text("#!/bin/sh\n")
    Path("folder.py").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["adam", "mine.py:my_sgd", "mine.py:Descent", "mine.py:by_coordinates", "mine.py:as_rule", "mine.py:made", "one.py",
     "tests.subjects.subjects_written:my_adam"],
)  # fmt: skip
def test_names(name: str, here: Path) -> None:
    subject = find_subject(name)
    assert subject.name == name
    assert subject.run(ONES).shape == (3, 2)


@pytest.mark.parametrize("thing", [rules.adam, written.my_adam, written.Returns, written.Returns(), written.OfLists])
def test_things(thing: Any) -> None:
    subject = find_subject(thing, against=rules.adam)
    ours = find_subject("adam").run(ONES)
    assert np.max(np.abs(subject.run(ONES) - ours)) < 1e-15
    assert find_subject(subject) is subject


def test_a_script_and_a_command(here: Path) -> None:
    assert find_subject("script.py", feed="gs", read="out").run(ONES).tolist() == (-ONES).tolist()
    Path("answer.py").write_text(ANSWER)
    subject = find_subject(command=f"{sys.executable} answer.py")
    assert np.array_equal(subject.run(ONES), ONES)


def test_the_rule_it_claims_to_be_says_what_names_mean() -> None:
    def run(gradients, lr=0.1, decay=0.9):  # type: ignore[no-untyped-def]
        return -lr * gradients

    assert find_subject(run, against=rules.rmsprop).knobs == {"lr", "rho"}
    assert find_subject(run, against=rules.adamw).knobs == {"lr", "weight_decay"}


def test_options_are_held() -> None:
    def run(gradients, lr=0.1, sign=1.0, up=False):  # type: ignore[no-untyped-def]
        return lr * sign * gradients * (1 if up else -1)

    subject = find_subject(run, options={"lr": 0.5, "up": True})
    assert subject.defaults == {"lr": 0.5}
    assert subject.run(ONES)[0, 0] == 0.5
    assert subject.run(ONES, knobs={"lr": 2.0})[0, 0] == 2.0


FAILURES: dict[str, tuple[Any, dict[str, Any], type[MhatError], str]] = {
    "nothing": (None, {}, BadValue,
                "no subject is named\nName one: mine.py:my_adam, torch.optim:Adam, or --command."),
    "two": ("adam", {"command": "./adam"}, BadValue, "a command and a name are two subjects\nGive one of them."),
    "no rule": ("adm", {}, UnknownName, "there is no rule `adm`\nDid you mean `adam`? `mhat rules` lists them."),
    "no file": ("none.py:f", {}, InputFileError,
                "there is no file `none.py`\nCheck the name and the directory you are in."),
    "no name": ("mine.py:my_sdg", {}, UnknownName, "there is no name `my_sdg` in mine.py\nDid you mean `my_sgd`?"),
    "no name given": ("mine.py", {}, BadValue,
                      "there are 4 functions and classes in mine.py\nName one: mine.py:my_sgd; or of a script what is "
                      "fed and what is read: mine.py --feed g_list --read x_list."),
    "a script": ("script.py", {}, BadValue,
                 "there is no function or class in script.py\nWrite run(gradients); or of a script what is fed and "
                 "what is read: script.py --feed g_list --read x_list."),
    "broken": ("broken.py", {}, InputFileError,
               "broken.py cannot be loaded: SyntaxError: '(' was never closed (line 1)\nMend it first."),
    "a program": ("./adamw2", {}, BadValue,
                  "`./adamw2` is a file, and it does not end in .py\n"
                  "If it is a program that speaks JSON lines, say so: --command ./adamw2."),
    "no program": ("./adamw3", {}, InputFileError,
                   "there is no file `./adamw3`\nCheck the name and the directory you are in."),
    "a folder": ("folder.py:f", {}, InputFileError, "`folder.py` is no file\nName a file that ends in .py."),
    "a number": ("mine.py:number", {}, BadValue,
                 "`mine.py:number` is of type int\nName a function run(gradients), a class with step(params, grads), "
                 "a rule or an optimizer of a framework."),
    "a module": (rules, {}, BadValue, "mhat.rules is a module\nName the subject in it: mhat.rules:NAME."),
    "fed only": ("script.py", {"feed": "gs"}, BadValue,
                 "of --feed and --read one is missing\nGive both: --feed g_list --read x_list."),
    "fed no script": ("adam", {"feed": "gs", "read": "x"}, BadValue,
                      "a name is fed and read in a script\nName a file that ends in .py."),
    "option of a rule": ("adam", {"options": {"fused": True}}, UnknownName,
                         "there is no option of adam `fused`\nKnown: beta1, beta2, eps, lr. A rule takes knobs alone."),
    "option of a function": ("mine.py:my_sgd", {"options": {"fused": True}}, UnknownName,
                             "there is no option of mine.py:my_sgd `fused`\nKnown: lr."),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_what_cannot_be_found_is_said(case: tuple[Any, dict[str, Any], type[MhatError], str], here: Path) -> None:
    named, rest, kind, text = case
    with pytest.raises(kind) as caught:
        find_subject(named, **rest)
    assert str(caught.value) == text


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_it_is_said_the_same_in_this_process(
    case: tuple[Any, dict[str, Any], type[MhatError], str], here: Path
) -> None:
    named, rest, kind, text = case
    with pytest.raises(kind) as caught:
        find_subject(named, in_process=True, **rest)
    assert str(caught.value) == text


def test_in_this_process_it_is_the_thing_itself_that_runs(here: Path) -> None:
    Path("mine.py").write_text(
        "import os\nprint('loaded')\ndef run(gradients):\n    return gradients * 0 + os.getpid()\n"
    )
    assert find_subject("mine.py:run", in_process=True).run(ONES)[0, 0] == os.getpid()
    assert find_subject("mine.py:run").run(ONES)[0, 0] != os.getpid()


def test_a_framework_that_is_named_is_imported_in_the_other_process_alone(here: Path) -> None:
    Path("heavy.py").write_text("def run(gradients):\n    return -gradients\n")
    assert find_subject("heavy:run").run(ONES).tolist() == (-ONES).tolist()
    assert "heavy" not in sys.modules


def test_a_limit_is_handed_on(here: Path) -> None:
    Path("slow.py").write_text("def run(gradients):\n    while True: pass\n")
    with pytest.raises(SubjectError, match=r"`slow.py:run` did not end within 0.2 seconds"):
        find_subject("slow.py:run", limit=0.2)


@pytest.mark.parametrize(("named", "module", "what"), [
    ("torch.optim:Adam", "torch", "torch"),
    ("optax:adam", "optax", "optax"),
    ("keras.optimizers:Adam", "keras", "keras with a backend (jax, torch or tensorflow)"),
])  # fmt: skip
@pytest.mark.parametrize("in_process", [False, True])
def test_a_missing_framework_is_named(
    named: str, module: str, what: str, in_process: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if module == "optax":
        pytest.importorskip("jax")
    # Imports in this process and in others find this in place of the framework.
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('gone', name={module!r})")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(MissingExtra) as caught:
        find_subject(named, in_process=in_process)
    assert str(caught.value) == f"{what} is not installed\nInstall it with: pip install 'mhat[{module}]'"
