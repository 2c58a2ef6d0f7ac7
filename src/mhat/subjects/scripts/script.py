"""Plain scripts as subjects: one name fed, one read. It knows no rule and no framework.

The script is not changed on disk. Numbers that it assigns to names like `beta1` or `alpha` are its knobs.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import BadValue, InputFileError, SubjectError
from mhat.language.source import SourceText
from mhat.subjects.modules import Neighbourhood
from mhat.subjects.sandbox import USUAL_GUARD, Guard
from mhat.subjects.scripts.rewriting import constants
from mhat.subjects.scripts.runner import Script
from mhat.subjects.spelling import SpelledKnobs, spelling_of
from mhat.subjects.subject import Subject
from mhat.subjects.trials import TRIAL, Single, heeded, same, subject_of_driver


def subject_of_script(
    path: str,
    feed: str,
    read: str,
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    guard: Guard = USUAL_GUARD,
) -> Subject:
    """Make a subject of a script: gradients take the place of what `feed` holds, and `read` is what is observed.

    `feed`: a list or array of gradients, or a number that is one gradient, assigned outside of functions.
    `read`: a list or array with a value a step (the start before the first may stand in front), or a number
    that every step assigns. Raises BadValue, InputFileError, SubjectError.
    """
    name = name or path
    text = _text(path)
    for option, value in (("feed", feed), ("read", read)):
        if not value.isidentifier():
            raise BadValue(f"--{option} {value} is no name", f"Give a variable of the script: --{option} NAME.")
    spelled = _spelled(_tree(path, text), rule_knobs, {feed, read})
    script = Script(name, path, text, feed, read, frozenset(spelled.knobs.values()))

    def call(gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        return script.run(gradients.tolist(), spelled.arguments(knobs))

    driver = Single(name, Neighbourhood((str(Path(path).resolve().parent),)).around(call), "float64", guard)
    driver.dimensions.add(0)
    knobs = _settle(driver, feed, read, spelled)
    return subject_of_driver(
        driver,
        knobs=knobs,
        starts=False,
        defaults={knob: value for knob, value in spelled.defaults.items() if knob in knobs},
        source=SourceText(text, path),
    )


def _text(path: str) -> str:
    try:
        return importlib.util.decode_source(Path(path).read_bytes())
    except OSError as error:
        raise InputFileError(f"the script `{path}` cannot be read: {error.strerror}", "Check its name.") from None
    except (UnicodeDecodeError, SyntaxError) as error:
        raise InputFileError(f"the script `{path}` cannot be read: {error}", "Save it as text in UTF-8.") from None


def _tree(path: str, text: str) -> ast.Module:
    try:
        return ast.parse(text, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputFileError(f"`{path}` is not Python: {said}{line}", "Mend it first.") from None


def _spelled(tree: ast.Module, rule_knobs: Mapping[str, float] | None, apart: set[str]) -> SpelledKnobs:
    """Match the numbers of a script with knobs."""
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value)
        for name, value in constants(tree).items()
    ]
    return spelling_of(parameters, rule_knobs, skip=apart)


def _settle(driver: Single, feed: str, read: str, spelled: SpelledKnobs) -> set[str]:
    """Try the script; give the knobs that it heeds. Raises SubjectError."""
    zero = np.zeros(())
    first = driver.one(TRIAL[:, 0], zero, {})
    if not same([first], [driver.one(TRIAL[:, 0], zero, {})]):
        raise SubjectError(driver.name, "gave other numbers when it was run again", "Give its random numbers a seed.")
    if same([first], [driver.one(TRIAL[:, 1], zero, {})]):
        raise SubjectError(
            driver.name,
            f"does not use what `{feed}` is fed: `{read}` is always the same",
            f"Name the variable that `{read}` is computed from.",
        )
    return heeded(driver, spelled.defaults)
