"""Plain scripts as subjects: one name fed, one read. It knows no rule and no framework.

The script is not changed on disk. Numbers that it assigns to names like `beta1` or `alpha` are its knobs.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import BadValue, InputFileError, SubjectError
from mhat.language.source import SourceText
from mhat.subjects.modules import Neighbourhood
from mhat.subjects.sandbox import USUAL_GUARD, Guard
from mhat.subjects.scripts.instrumenting import arguments_of, speaks_of, stepping_at
from mhat.subjects.scripts.rewriting import constants
from mhat.subjects.scripts.runner import Script
from mhat.subjects.scripts.stepping import Stepping, steppings
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
    for option, value in (("feed", feed), ("read", read)):
        if not _is_expression(feed_and_line(value)[0] if option == "feed" else value):
            raise BadValue(f"--{option} {value} is no name", f"Give a variable of the script: --{option} NAME.")
    text = text_of(path)
    tree = tree_of(path, text)
    fed, stepping = _place(name, tree, feed, read)
    spelled = _spelled(tree, path, text, rule_knobs, (fed, read), stepping, guard)
    line = None if stepping is None else stepping.line
    script = Script(name, path, text, fed, read, frozenset(spelled.knobs.values()), line)

    def call(gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        return script.run(gradients.tolist(), spelled.arguments(knobs))

    driver = Single(name, Neighbourhood((str(Path(path).resolve().parent),)).around(call), "float64", guard)
    driver.dimensions.add(0)
    knobs = _settle(driver, script, spelled)
    if script.dtypes == {"float32"}:
        driver.dtype = "float32"
    subject = subject_of_driver(
        driver,
        knobs=knobs,
        starts=False,
        defaults={knob: value for knob, value in spelled.defaults.items() if knob in knobs},
        source=SourceText(text, path),
    )
    # A list holds what the turns gave, and its first number is no start.
    return replace(subject, start=script.start if script.changes is not False else None)


def feed_and_line(feed: str) -> tuple[str, int | None]:
    """Part what is fed from the line of the loop that is meant: `g` and 12 of `g@12`."""
    text, at, line = feed.rpartition("@")
    return (text, int(line)) if at and line.isdigit() and text else (feed, None)


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _place(name: str, tree: ast.Module, feed: str, read: str) -> tuple[str, Stepping | None]:
    """Give what is fed, and the loop that is meant: that of the line, or the only one that speaks of both."""
    fed, line = feed_and_line(feed)
    if line is not None:
        stepping = stepping_at(tree, line)
        if stepping is None:
            raise SubjectError(name, f"has no loop at line {line} that makes steps", "Give a line of such a loop.")
        return fed, stepping
    found = [each for each in steppings(tree) if speaks_of(each, fed, read)]
    return fed, found[0] if len(found) == 1 else None


def text_of(path: str) -> str:
    """Read a script; raises InputFileError."""
    try:
        return importlib.util.decode_source(Path(path).read_bytes())
    except OSError as error:
        raise InputFileError(f"the script `{path}` cannot be read: {error.strerror}", "Check its name.") from None
    except (UnicodeDecodeError, SyntaxError) as error:
        raise InputFileError(f"the script `{path}` cannot be read: {error}", "Save it as text in UTF-8.") from None


def tree_of(path: str, text: str) -> ast.Module:
    """Parse a script; raises InputFileError."""
    try:
        return ast.parse(text, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputFileError(f"`{path}` is not Python: {said}{line}", "Mend it first.") from None


def _spelled(
    tree: ast.Module,
    path: str,
    text: str,
    rule_knobs: Mapping[str, float] | None,
    apart: tuple[str, str],
    stepping: Stepping | None,
    guard: Guard,
) -> SpelledKnobs:
    """Match the numbers of a script with knobs, and those that its function is given."""
    function = None if stepping is None else stepping.function
    numbers = constants(tree, None if function is None else function.body)
    if function is not None and stepping is not None:
        numbers |= _given(path, text, apart, stepping, guard)
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in numbers.items()
    ]
    spelled = spelling_of(parameters, rule_knobs, skip=set(apart))
    # What a script writes down it does, whichever rule it claims to be: its decay is not switched off.
    return replace(spelled, defaults={ours: numbers[theirs] for ours, theirs in spelled.knobs.items()})


def _given(path: str, text: str, apart: tuple[str, str], stepping: Stepping, guard: Guard) -> dict[str, float]:
    """Run a script for a step, to see which numbers the function in which it steps is given."""
    assert stepping.function is not None
    names = frozenset(arguments_of(stepping.function)) - {*apart, "self"}
    script = Script(path, path, text, *apart, names, stepping.line)
    try:
        with Neighbourhood((str(Path(path).resolve().parent),)).entered(), guard.running(path):
            met = script.look([1.0, 1.0]).met
    except SubjectError:
        return {}
    return {name: float(value) for name, value in met.items() if isinstance(value, int | float) and name in names}


def _lag(driver: Single, script: Script) -> int:
    """Find out whether what is read answers a turn late, as the point ahead of x does at which a gradient is taken."""
    if script.line is None:
        return 0
    changed = np.concatenate([TRIAL[:4, 0], -30.0 * TRIAL[4:, 0]])
    one, other = (driver.one(stream, np.zeros(()), {}) for stream in (TRIAL[:, 0], changed))
    return int(bool(np.array_equal(one[:5], other[:5], equal_nan=True) and one[5] != other[5]))


def _settle(driver: Single, script: Script, spelled: SpelledKnobs) -> set[str]:
    """Try the script; give the knobs that it heeds. Raises SubjectError."""
    zero = np.zeros(())
    script.lag = _lag(driver, script)
    first = driver.one(TRIAL[:, 0], zero, {})
    script.seed = 1
    again = driver.one(TRIAL[:, 0], zero, {})
    script.seed = 0
    # Where it starts may be chance: then all its numbers are shifted alike.
    shifted = np.ptp(again - first) <= 1e-9 * max(float(np.max(np.abs(again))), 1e-300) if script.line else False
    if not (same([first], [again]) or shifted):
        raise SubjectError(driver.name, "gave other numbers when it was run again", "Give its random numbers a seed.")
    if same([first], [driver.one(TRIAL[:, 1], zero, {})]):
        raise SubjectError(
            driver.name,
            f"does not use what `{script.feed}` is fed: `{script.read}` is always the same",
            f"Name the variable that `{script.read}` is computed from.",
        )
    return heeded(driver, spelled.defaults)
