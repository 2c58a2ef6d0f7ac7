"""Errors of mhat as data, so that another process can say exactly what would have been said here. It raises none."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

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

# What each carries besides what is wrong and the cure, and what that must be.
CARRIED: dict[type[MhatError], dict[str, type]] = {
    BadValue: {},
    InputFileError: {},
    OutputFileError: {},
    LanguageError: {"place": Place},
    MissingExtra: {"extra": str},
    SubjectError: {"subject": str, "said": str, "wrapper": str},
    SubjectHangs: {"subject": str, "said": str, "wrapper": str},
    UnknownName: {"kind": str, "typed": str, "known": list, "meant": tuple},
    MhatError: {},
}
LONGEST = 20_000  # characters


def as_data(error: MhatError) -> dict[str, Any]:
    """Write an error, cut where it is too long to be read."""
    kind = next(kind for kind in CARRIED if type(error) is kind or kind is MhatError)
    carried: dict[str, Any] = {}
    for name, wanted in CARRIED[kind].items():
        value = getattr(error, name)
        carried[name] = asdict(value) if wanted is Place and value is not None else value
    return {"is": kind.__name__, "what": error.what[:LONGEST], "cure": error.cure[:LONGEST], "carried": carried}


def error_of(data: Any) -> MhatError:
    """Make the error that `as_data` has written; raises ValueError for anything else."""
    kinds = {kind.__name__: kind for kind in CARRIED}
    try:
        kind = kinds[data["is"]]
        what, cure = str(data["what"])[:LONGEST], str(data["cure"])[:LONGEST]
        carried = {name: _read(data["carried"][name], wanted) for name, wanted in CARRIED[kind].items()}
    except (KeyError, TypeError) as error:
        raise ValueError(f"no error: {error}") from None
    # Not by its own arguments: of those the text was made.
    made: MhatError = kind.__new__(kind)
    MhatError.__init__(made, what, cure)
    vars(made).update(carried)
    return made


def _read(value: Any, wanted: type) -> Any:
    if wanted is Place:
        return None if value is None else Place(**value)
    if wanted is tuple and isinstance(value, list):
        return tuple(value)
    if not isinstance(value, wanted):
        raise TypeError(f"{value!r} is no {wanted.__name__}")
    return value
