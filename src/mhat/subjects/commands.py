"""Commands as subjects: a JSON line in, a JSON line out, in any language. It knows no framework and no rule.

    {"gradients": [..], "start": .., "knobs": {..}}  ->  {"parameters": [..]}  or  {"error": ".."}

Numbers that are not finite are the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.notation import strict_json
from mhat.notation.decimals import exact
from mhat.subjects.processes.pipes import OutOfTimeError, TooMuchError
from mhat.subjects.processes.process import Allowance, Process
from mhat.subjects.sandbox import words_of
from mhat.subjects.subject import Subject
from mhat.subjects.trials import Single, Together, differs, heeded, subject_of_driver

LIMIT = 10.0  # seconds a run
SPARE, A_NUMBER = 1_000_000, 100  # characters that an answer may have, and more for each number
EXAMPLE = 'Answer each line with one line: {"parameters": [...]}, or {"error": "..."}.'


def subject_of_command(
    command: str,
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    limit: float = LIMIT,
    tensors: int | None = None,
    dtype: str = "float64",
    allowance: Allowance | None = None,
) -> Subject:
    """Make a subject of a command line. What it takes (vectors, a start, which knobs) is found by trying.

    It is kept alive between runs if it answers line by line, and started again for each run if it ends after
    an answer. With `tensors` the gradients are a list of so many arrays, and so are the parameters. Raises
    SubjectError.
    """
    name = name or command
    conversation = _Conversation(name, _arguments(command), limit, tensors is not None, allowance or Allowance())
    driver: Single | Together = Single(name, conversation.run, "float64")
    if tensors is not None:
        driver = Together(name, conversation.run, tensors, "float64")
    try:
        driver.settle()
        starts, knobs = _takes(driver, rule_knobs or {})
    except BaseException:
        conversation.end()
        raise
    return replace(subject_of_driver(driver, knobs=knobs, starts=starts, tensors=tensors), dtype=dtype)


def _arguments(command: str) -> list[str] | str:
    if not command.strip():
        raise BadValue("the command is empty", 'Give a command, such as --command "./my_adam".')
    if os.name == "nt":
        return command
    try:
        return shlex.split(command)
    except ValueError as error:
        raise BadValue(f"the command `{command}` cannot be read: {error}", "Close its quotes.") from None


def _takes(driver: Single | Together, knobs: Mapping[str, float]) -> tuple[bool, set[str]]:
    """Find out whether a command takes a start, and which knobs: telling it so changes the answer.

    A knob may show only where the parameter is not near 0 (weight_decay), so it is tried there too.
    """
    starts = differs(driver, driver.attempt({}), {}, 3.0)
    heard = heeded(driver, knobs)
    left = {name: value for name, value in knobs.items() if name not in heard}
    return starts, heard | (heeded(driver, left, 3.0) if starts and left else set())


class _Conversation:
    """A command, and the process that runs it as long as it likes to."""

    def __init__(
        self, name: str, arguments: list[str] | str, limit: float, several: bool, allowance: Allowance
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.limit = limit
        self.several = several
        self.allowance = allowance
        self.process: Process | None = None
        self.one_run_each = False

    def end(self) -> None:
        if self.process is not None:
            self.process.end()
        self.process = None

    def run(self, gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        """Ask for one run; raises SubjectError."""
        question = strict_json.text_of({"gradients": gradients, "start": start, "knobs": dict(knobs)})
        most = SPARE + A_NUMBER * sum(np.size(each) for each in (gradients if self.several else [gradients]))
        try:
            return self.read(self.ask(question.encode() + b"\n", most))
        except SubjectError:
            self.end()
            raise

    def ask(self, question: bytes, most: int) -> str:
        """Give the answering line of a process that is running, or of a new one."""
        while True:
            process = self.process
            if process is None or not process.running:
                self.end()
                process = self.process = Process(self.name, self.arguments, allowance=self.allowance)
            fresh = process.asked == 0
            if process.says_more and process.running:
                raise SubjectError(self.name, "answered with more than one line", EXAMPLE)
            process.send(question)
            line = self.answer(process, most)
            if line is not None:
                if self.one_run_each:
                    self.end()
                return line.decode(errors="replace").strip()
            ending, said = process.ending(), process.said()
            self.end()
            if fresh:
                how = ending.what if ending.cure else f"{ending.what} without an answer"
                raise SubjectError(self.name, how, ending.cure or EXAMPLE, said)

    def answer(self, process: Process, most: int) -> bytes | None:
        """Wait for an answer; a process that reads to the end of its input is told that this is it."""
        now, known = time.monotonic(), process.asked > 1
        try:
            if self.one_run_each:
                process.close_input()
                return process.receive_line(now + self.limit, most)
            try:
                return process.receive_line(now + (self.limit if known else self.limit / 2), most)
            except OutOfTimeError:
                if known:
                    raise
            process.close_input()
            line = process.receive_line(now + self.limit, most)
            self.one_run_each = line is not None
            return line
        except OutOfTimeError:
            raise SubjectHangs(
                self.name,
                f"did not answer within {exact(float(self.limit))} seconds",
                "Write each answer as one line and flush the output, or give it longer.",
                process.said(),
            ) from None
        except TooMuchError:
            raise SubjectError(
                self.name, f"wrote more than {most} characters where an answer was expected", EXAMPLE, process.said()
            ) from None

    def said(self) -> str:
        """Give its last words, which are waited for a while: only what is wrong is worth that."""
        return "" if self.process is None else self.process.said()

    def read(self, line: str) -> Any:
        """Read an answer; raises SubjectError for anything but parameters."""
        shown = words_of(line)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise SubjectError(
                self.name,
                "answered with a line that is not JSON",
                EXAMPLE,
                "\n".join(filter(None, [shown, self.said()])),
            ) from None
        if isinstance(answer, dict) and "error" in answer:
            raise SubjectError(
                self.name, f"answered with the error: {words_of(answer['error'])}", "Mend it.", self.said()
            )
        if not isinstance(answer, dict) or "parameters" not in answer:
            raise SubjectError(self.name, 'answered without "parameters"', EXAMPLE, shown)
        parameters = answer["parameters"]
        try:
            if self.several and isinstance(parameters, list):
                return [strict_json.numbers_in(each) for each in parameters]
            return strict_json.numbers_in(parameters)
        except (TypeError, ValueError, OverflowError, RecursionError):
            raise SubjectError(self.name, "answered with parameters that are not numbers", EXAMPLE, shown) from None
