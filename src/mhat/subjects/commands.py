"""Commands as subjects: a JSON line in, a JSON line out, in any language. It knows no framework and no rule.

    {"gradients": [..], "start": .., "knobs": {..}}  ->  {"parameters": [..]}  or  {"error": ".."}

Numbers that are not finite are the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from typing import Any

from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.notation.strict_json import numbers_in, text_of
from mhat.subjects.processes import OutOfTimeError, Process
from mhat.subjects.subject import Array, Subject
from mhat.subjects.trials import Several, Single, same

LIMIT = 10.0  # seconds a run
EXAMPLE = 'Answer each line with one line: {"parameters": [...]}, or {"error": "..."}.'


def subject_of_command(
    command: str,
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    limit: float = LIMIT,
    tensors: int | None = None,
    dtype: str = "float64",
) -> Subject:
    """Make a subject of a command line. What it takes (vectors, a start, which knobs) is found by trying.

    It is kept alive between runs if it answers line by line, and started again for each run if it ends after
    an answer. With `tensors` the gradients are a list of so many arrays, and so are the parameters. Raises
    SubjectError.
    """
    name = name or command
    conversation = _Conversation(name, _arguments(command), limit, tensors is not None)
    driver = (
        Single(name, conversation.run, "float64")
        if tensors is None
        else Several(name, conversation.run, tensors, "float64")
    )
    try:
        driver.settle()
        starts, knobs = _takes(driver, rule_knobs or {})
    except BaseException:
        conversation.end()
        raise
    return Subject(
        name=name,
        drive=driver.drive,
        knobs=frozenset(knobs),
        several=tensors is not None,
        vectors=driver.vectors,
        starts=starts,
        dtype=dtype,
        tensors=tensors,
    )


def _arguments(command: str) -> list[str] | str:
    if not command.strip():
        raise BadValue("the command is empty", 'Give a command, such as --command "./my_adam".')
    if os.name == "nt":
        return command
    try:
        return shlex.split(command)
    except ValueError as error:
        raise BadValue(f"the command `{command}` cannot be read: {error}", "Close its quotes.") from None


def _other(value: float) -> float:
    """Give a knob a value that no rule confuses with its default."""
    return value / 2 + 0.25 if value < 1 else value * 1.5


def _takes(driver: Single | Several, knobs: Mapping[str, float]) -> tuple[bool, set[str]]:
    """Find out whether a command takes a start, and which knobs: telling it so changes the answer.

    A knob may show only where the parameter is not near 0 (weight_decay), so it is tried there too.
    """

    def differs(plain: list[Array], told: Mapping[str, float], start: float) -> bool:
        try:
            return not same(plain, driver.attempt(told, start))
        except SubjectHangs:
            raise
        except SubjectError:
            return False

    plain = driver.attempt({})
    starts = differs(plain, {}, 3.0)
    found = {knob for knob, value in knobs.items() if differs(plain, {knob: _other(value)}, 0.0)}
    left = knobs.keys() - found
    if starts and left:
        plain = driver.attempt({}, 3.0)
        found |= {knob for knob in left if differs(plain, {knob: _other(knobs[knob])}, 3.0)}
    return starts, found


class _Conversation:
    """A command, and the process that runs it as long as it likes to."""

    def __init__(self, name: str, arguments: list[str] | str, limit: float, several: bool) -> None:
        self.name = name
        self.arguments = arguments
        self.limit = limit
        self.several = several
        self.process: Process | None = None
        self.one_run_each = False

    def end(self) -> None:
        if self.process is not None:
            self.process.end()
        self.process = None

    def run(self, gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        """Ask for one run; raises SubjectError."""
        line = self.ask(text_of({"gradients": gradients, "start": start, "knobs": dict(knobs)}))
        try:
            return self.read(line)
        except SubjectError:
            self.end()
            raise

    def ask(self, question: str) -> str:
        """Give the answering line of a process that is running, or of a new one."""
        for _ in range(2):
            process = self.process
            if process is None or not process.running:
                self.end()
                process = self.process = Process(self.name, self.arguments)
            fresh = process.asked == 0
            process.send(question)
            line = self.answer(process)
            if line is not None:
                if self.one_run_each:
                    self.end()
                return line
            how, said = process.how_it_ended(), process.said()
            self.end()
            if fresh:
                raise SubjectError(self.name, f"{how} without an answer", EXAMPLE, said)
        raise SubjectError(self.name, f"{how} without an answer", EXAMPLE, said)

    def answer(self, process: Process) -> str | None:
        """Wait for an answer; a process that reads to the end of its input is told that this is it."""
        patience = self.limit if process.asked > 1 else self.limit / 2
        try:
            if self.one_run_each:
                process.close_input()
                return process.receive(self.limit)
            try:
                return process.receive(patience)
            except OutOfTimeError:
                if process.asked > 1:
                    raise
            process.close_input()
            line = process.receive(self.limit - patience)
            self.one_run_each = line is not None
            return line
        except OutOfTimeError:
            said = process.said()
            self.end()
            raise SubjectHangs(
                self.name,
                f"did not answer within {self.limit:g} seconds",
                "Write each answer as one line and flush the output, or give it longer.",
                said,
            ) from None

    def read(self, line: str) -> Any:
        """Read an answer; raises SubjectError for anything but parameters."""
        shown = line if len(line) <= 200 else f"{line[:200]}..."
        said = self.process.said() if self.process is not None else ""
        try:
            answer = json.loads(line)
        except ValueError:
            raise SubjectError(
                self.name, "answered with a line that is not JSON", EXAMPLE, "\n".join(filter(None, [shown, said]))
            ) from None
        if isinstance(answer, dict) and "error" in answer:
            raise SubjectError(self.name, f"answered with the error: {answer['error']}", "Mend it.", said)
        if not isinstance(answer, dict) or "parameters" not in answer:
            raise SubjectError(self.name, 'answered without "parameters"', EXAMPLE, shown)
        parameters = answer["parameters"]
        try:
            if self.several and isinstance(parameters, list):
                return [numbers_in(each) for each in parameters]
            return numbers_in(parameters)
        except (TypeError, ValueError):
            raise SubjectError(self.name, "answered with parameters that are not numbers", EXAMPLE, shown) from None
