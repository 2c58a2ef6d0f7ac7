"""Errors as people meet them: cut where they are long, whole behind another process, without frames in a notebook."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

import pytest

import mhat
from mhat.errors import (
    BadValue,
    InputFileError,
    LanguageError,
    MhatError,
    MissingExtra,
    OutputFileError,
    Place,
    SubjectError,
    SubjectHangs,
    UnknownName,
)

PLACE = Place("mine.py", 3, 5, 9, "    u = g")
ERRORS = [
    MhatError("what", "cure"),
    LanguageError("what", "cure", PLACE),
    UnknownName("rule", "adm", ["adam", "sgd"], "More."),
    BadValue("what", "cure"),
    InputFileError("what"),
    OutputFileError("what", "cure"),
    MissingExtra("torch", "torch"),
    SubjectError("mine.py:f", "raises", "cure", "said"),
    SubjectHangs("mine.py:f", "hangs", "cure"),
]


def family(kind: type[MhatError]) -> set[type[MhatError]]:
    return {kind}.union(*map(family, kind.__subclasses__()))


def test_each_of_the_family_is_looked_at() -> None:
    assert {type(error) for error in ERRORS} == {kind for kind in family(MhatError) if kind.__module__ == "mhat.errors"}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_whole_behind_another_process(error: MhatError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def raised(error: MhatError) -> list[str]:
    try:
        raise error
    except MhatError as caught:
        return caught._render_traceback_()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_notebook_shows_the_message_and_the_line_that_asked(error: MhatError) -> None:
    line, text = raised(error)
    assert line.endswith(": raise error")
    assert text == f"{type(error).__name__}: {error}"
    assert error._render_traceback_.__self__ is error


def test_the_line_that_asked_is_the_users_own() -> None:
    with pytest.raises(UnknownName) as caught:
        mhat.trace("adm", [1.0])
    line, text = caught.value._render_traceback_()
    assert line.endswith(': mhat.trace("adm", [1.0])')
    assert text.splitlines()[0] == "UnknownName: there is no rule `adm`"
    assert len(traceback.extract_tb(caught.value.__traceback__)) > 2
    assert MhatError("what")._render_traceback_() == ["MhatError: what"]


def test_many_names_and_long_ones_are_cut() -> None:
    many = str(UnknownName("knob of f", "zzz", [f"knob{i:03}" for i in range(100)]))
    assert many.endswith("knob059, and 40 more.")
    long = str(UnknownName("knob of f", "z" * 10**5, ["a" * 10**5]))
    assert long == f"there is no knob of f `{'z' * 60}...`\nKnown: {'a' * 60}...."
    assert len(str(BadValue("w" * 10**6, "c" * 10**6))) < 10**4


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ("learning_rate", "Did you mean `lr`?"),
        ("LearningRate", "Did you mean `lr`?"),
        ("alpha", "Did you mean `lr`?"),
        ("betas", "Did you mean `beta1` and `beta2`?"),
        ("b2", "Did you mean `beta2`?"),
        ("β1", "Did you mean `beta1`?"),
        ("epsilon", "Did you mean `eps`?"),
        ("bata2", "Did you mean `beta2`?"),
        ("momentum", "Did you mean `beta1`?"),
        ("weight_decay", "Known: beta1, beta2, eps, lr."),
    ],
)
def test_a_knob_is_known_by_its_other_names(typed: str, suggestion: str) -> None:
    knobs: dict[str, Any] = {typed: 0.5}
    for ask in (
        lambda: mhat.trace("adam", [1.0], **knobs),
        lambda: mhat.step(mhat.rules.adam, 0.0, 1.0, 1, **knobs),
        lambda: mhat.rules.adam.check_knobs(knobs),
    ):
        with pytest.raises(UnknownName) as caught:
            ask()
        assert str(caught.value) == f"there is no knob of adam `{typed}`\n{suggestion}"
