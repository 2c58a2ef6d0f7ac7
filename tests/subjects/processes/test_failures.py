"""Errors as data: what comes out of another process is the same error, or none at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
from mhat.subjects.processes.failures import as_data, error_of

ERRORS = [
    MhatError("what", "cure"), BadValue("what"), InputFileError("what", "cure"), OutputFileError("what", "cure"),
    LanguageError("what", "cure", Place("mine.py", 3, 5, 9, "    x = y")), LanguageError("what", "cure"),
    MissingExtra("torch", "torch"), SubjectError("mine", "raised", "Mend it.", "line 3"),
    SubjectHangs("mine", "did not end", "Mend it."), UnknownName("name", "adma", ["adam", "lion"], where=" in mine.py"),
    UnknownName("knob", "betas", ["beta1", "beta2"], meant=["beta1", "beta2"]),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_as_it_was(error: MhatError) -> None:
    again = error_of(json.loads(json.dumps(as_data(error))))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize(
    "data",
    [None, 3, [], {}, {"is": "SystemExit", "what": "", "cure": ""}, {"is": "BadValue"},
     {"is": "SubjectError", "what": "", "cure": "", "carried": {"subject": 3, "said": ""}},
     {"is": "LanguageError", "what": "", "cure": "", "carried": {"place": {"file": ""}}}],
)  # fmt: skip
def test_what_is_no_error_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="no error"):
        error_of(data)
