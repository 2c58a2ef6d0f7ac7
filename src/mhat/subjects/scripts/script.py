"""Plain scripts as subjects, in a process of their own: one name fed, one read. It knows no rule and no framework.

The script is not changed on disk. Numbers that it assigns to names like `beta1` or `alpha` are its knobs.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import BadValue, InputFileError, SubjectError, SubjectHangs
from mhat.subjects.processes import OutOfTimeError, Process
from mhat.subjects.scripts.rewriting import constants
from mhat.subjects.spelling import Spelling, spelling_of
from mhat.subjects.subject import Source, Subject
from mhat.subjects.trials import TRIAL, Single, same

LIMIT = 30.0  # seconds a run
START = "import json, sys; from mhat.subjects.scripts.runner import main; main(*json.loads(sys.argv[1]))"


def subject_of_script(
    path: str,
    feed: str,
    read: str,
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    limit: float = LIMIT,
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
    tree = _tree(path, text)
    spelled = _spelled(tree, rule_knobs, {feed, read})
    session = _Session(name, path, feed, read, spelled, limit)
    driver = Single(name, session.run, "float64")
    driver.dimensions.add(0)
    try:
        knobs = _settle(name, driver, feed, read, spelled)
    except BaseException:
        session.end()
        raise
    return Subject(
        name=name,
        drive=driver.drive,
        knobs=frozenset(knobs),
        vectors=False,
        defaults={knob: value for knob, value in spelled.defaults.items() if knob in knobs},
        source=Source(path, 1, text),
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputFileError(f"the script `{path}` cannot be read: {reason}", "Check its name.") from None


def _tree(path: str, text: str) -> ast.Module:
    try:
        return ast.parse(text, path)
    except SyntaxError as error:
        raise InputFileError(f"`{path}` is not Python: {error.msg} (line {error.lineno})", "Mend it first.") from None


def _spelled(tree: ast.Module, rule_knobs: Mapping[str, float] | None, apart: set[str]) -> Spelling:
    """Match the numbers of a script with knobs."""
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value)
        for name, value in constants(tree).items()
    ]
    return spelling_of(parameters, rule_knobs, skip=apart)


def _settle(name: str, driver: Single, feed: str, read: str, spelled: Spelling) -> set[str]:
    """Try the script; give the knobs that it heeds. Raises SubjectError."""
    zero = np.zeros(())
    first = driver.one(TRIAL[:, 0], zero, {})
    if not same([first], [driver.one(TRIAL[:, 0], zero, {})]):
        raise SubjectError(name, "gave other numbers when it was run again", "Give its random numbers a seed.")
    if same([first], [driver.one(TRIAL[:, 1], zero, {})]):
        raise SubjectError(
            name,
            f"does not use what `{feed}` is fed: `{read}` is always the same",
            f"Name the variable that `{read}` is computed from.",
        )
    heeded = set()
    for knob, value in spelled.defaults.items():
        try:
            changed = driver.one(TRIAL[:, 0], zero, {knob: value / 2 + 0.25 if value < 1 else value * 1.5})
        except SubjectHangs:
            raise
        except SubjectError:
            continue
        if not same([first], [changed]):
            heeded.add(knob)
    return heeded


class _Session:
    """A script and the process that runs it."""

    def __init__(self, name: str, path: str, feed: str, read: str, spelled: Spelling, limit: float) -> None:
        self.name = name
        self.told = [str(Path(path)), feed, read, sorted(spelled.knobs.values())]
        self.spelled = spelled
        self.limit = limit
        self.process: Process | None = None

    def end(self) -> None:
        if self.process is not None:
            self.process.end()
        self.process = None

    def run(self, gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        """Run it once; raises SubjectError."""
        if self.process is None or not self.process.running:
            self.end()
            arguments = [sys.executable, "-c", START, json.dumps(self.told)]
            self.process = Process(self.name, arguments, {"MPLBACKEND": "Agg"})
        request = {"gradients": gradients.tolist(), "numbers": self.spelled.arguments(knobs)}
        self.process.send(json.dumps(request))
        try:
            line = self.process.receive(self.limit)
        except OutOfTimeError:
            said = self.process.said()
            self.end()
            raise SubjectHangs(
                self.name, f"did not end within {self.limit:g} seconds", "Look for a loop without an end.", said
            ) from None
        if line is None:
            how, said = self.process.how_it_ended(), self.process.said()
            self.end()
            raise SubjectError(self.name, f"{how} in the middle of a run", "Run it by itself first.", said)
        answer = json.loads(line)
        if "values" not in answer:
            raise SubjectError(self.name, answer["what"], answer["cure"], answer["said"].strip())
        return np.array(answer["values"])
