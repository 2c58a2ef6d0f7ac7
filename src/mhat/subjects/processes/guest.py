"""A subject that lives in a process of its own, as mhat sees it: asked what it is, then run. It imports nothing of it.

Whatever comes back is numbers and texts. How the process ends, or that it does not, is said from outside.
"""

from __future__ import annotations

import ast
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from mhat.dtypes import DTYPES
from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.language import Rule, of_tree
from mhat.language import rule as rule_of
from mhat.language.definition import of_source
from mhat.language.source import SourceText
from mhat.notation.decimals import exact
from mhat.subjects.processes.failures import error_of
from mhat.subjects.processes.frames import header_of, packed, size_of, unpacked
from mhat.subjects.processes.pipes import KEPT, OutOfTimeError, TooMuchError
from mhat.subjects.processes.process import SHOWN, Allowance, Process
from mhat.subjects.recording.recorder import Recording
from mhat.subjects.sandbox import LIMIT, is_users
from mhat.subjects.scripts.ways import Possible
from mhat.subjects.subject import Array, Subject

HOST = "mhat.subjects.processes.host"
LOADING = 60.0  # seconds that a file may take to be loaded
LATE = 2.0  # seconds that a process is given to say itself that a run takes too long
LONGEST = 12_000_000  # bytes of a line
FATAL, _FRAME = "Fatal Python error", re.compile(r'File "(.+)", line (\d+) in ')
NONSENSE = "answered what mhat does not understand"
GUARD_MAIN = 'Let it only define things: what takes long stands under `if __name__ == "__main__":`.'
OF_ITS_OWN = "Let it write nowhere but to its own files."


@dataclass(frozen=True)
class Wanted:
    """What is to be found in the process: a name in a file or module, or what is fed and read in a script."""

    named: str  # as the user typed it
    where: str
    name: str = ""
    feed: str | None = None
    read: str | None = None
    rule: bool = False  # whether it must be a rule
    rule_knobs: Mapping[str, float] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    dtype: str | None = None
    observe: str = "x"
    limit: float = LIMIT
    convention: str | None = None
    look: bool = False  # whether the ways to drive a script are to be found, and no subject
    watched: bool = False  # whether each expression of the file is looked at while it runs
    one_of_several: bool = False  # whether its process is to find others after it

    def message(self) -> dict[str, Any]:
        """Write it for the other process; raises BadValue for an option that cannot be written."""
        for name, value in self.options.items():
            if not _is_plain(value):
                raise BadValue(
                    f"the option `{name}` is of type {type(value).__name__}, which another process cannot be told",
                    "Give the implementation itself instead of its name, or say in_process=True.",
                )
        knobs = None if self.rule_knobs is None else dict(self.rule_knobs)
        return {**asdict(self), "rule_knobs": knobs, "options": repr(dict(self.options))}


def _is_plain(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def found_in_process(wanted: Wanted, allowance: Allowance | None = None) -> Subject | Rule:
    """Find a subject, or a rule, in a process of its own, in which the subject then runs.

    Raises whatever finding it here would, and SubjectError, SubjectHangs for how the process ends.
    """
    guest = Guest(wanted, allowance or Allowance())
    try:
        answer = guest.found()
        if "rule" in answer:
            guest.end()
            return _rule(answer["rule"])
        return subject_of(guest, answer["subject"])
    except (KeyError, TypeError, ValueError) as error:
        guest.end()
        raise SubjectError(wanted.named, NONSENSE, OF_ITS_OWN, f"{type(error).__name__}: {error}") from None
    except BaseException:
        guest.end()
        raise


def ways_in_process(wanted: Wanted, allowance: Allowance | None = None) -> list[Possible]:
    """Find the ways to drive a script, in a process of its own; raises as `found_in_process`."""
    guest = Guest(replace(wanted, look=True), allowance or Allowance())
    try:
        return [Possible(**way) for way in guest.found()["ways"]]
    except (KeyError, TypeError, ValueError) as error:
        raise SubjectError(wanted.named, NONSENSE, OF_ITS_OWN, f"{type(error).__name__}: {error}") from None
    finally:
        guest.end()


def _last_words(said: str) -> str:
    """Keep of a crash of Python what it was, and the user's own line in which it was."""
    if FATAL not in said:
        return said[-SHOWN:]
    crash = said[said.index(FATAL) :].splitlines()
    places = [place for line in crash if (place := _FRAME.search(line)) and is_users(place[1])]
    where = [f"{Path(place[1]).name}, line {place[2]}" for place in places[:1]]
    return "\n".join([crash[0], *where])


def _rule(data: Mapping[str, Any]) -> Rule:
    text, paper, knobs = str(data["text"]), str(data["paper"]), dict(data["knobs"])
    if "doc" in data:
        return of_tree(rule_of(text).tree, paper=paper, doc=str(data["doc"]), knobs=knobs)
    source = SourceText(text, str(data["file"]), int(data["line"]))
    return of_source(source, paper=paper, knobs=knobs, flatten=data["flatten"])


def subject_of(guest: Guest, data: Mapping[str, Any]) -> Subject:
    """Make a subject of what a process says of it; raises KeyError, TypeError or ValueError."""
    if data["dtype"] not in DTYPES:
        raise ValueError(data["dtype"])
    source = data["source"]
    return Subject(
        name=guest.wanted.named,
        drive=guest.drive,
        record=guest.record,
        knobs=frozenset(map(str, data["knobs"])),
        several=bool(data["several"]),
        vectors=bool(data["vectors"]),
        matrices=bool(data["matrices"]),
        starts=bool(data["starts"]),
        begins=bool(data["begins"]),
        start=None if data["start"] is None else float(data["start"]),
        missing=str(data["missing"]),
        dtype=data["dtype"],
        tensors=None if data["tensors"] is None else int(data["tensors"]),
        defaults={str(name): float(value) for name, value in data["defaults"].items()},
        source=None if source is None else SourceText(str(source[0]), str(source[1]), int(source[2])),
        called=tuple(map(str, data["called"])),
        notes=tuple(map(str, data["notes"])),
    )


class Guest:
    """A subject and its process, which is begun again if it has ended."""

    def __init__(self, wanted: Wanted, allowance: Allowance) -> None:
        self.wanted = wanted
        self.name = wanted.named
        self.message = wanted.message()
        self.allowance = allowance
        self.process: Process | None = None
        self.mark = secrets.token_hex(8)
        self.number = 0
        self.loading = True
        self.seen: dict[str, Any] = {}

    def end(self) -> None:
        if self.process is not None:
            self.process.end()
        self.process = None

    def found(self) -> dict[str, Any]:
        """Begin the process; give what it says of what is named."""
        self.end()
        self.loading = True
        self.process = Process(self.name, module=HOST, allowance=self.allowance, grace=0.0)
        answer = self.ask(self.process, self.message, [], LOADING)
        if "error" in answer:
            raise error_of(answer["error"])
        return answer

    def drive(self, gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        """Run the subject once; raises SubjectError."""
        if self.process is None or not self.process.running:
            self.found()
        process = self.process
        assert process is not None
        answer = self.ask(process, {"knobs": knobs}, [*gradients, *starts], self.wanted.limit + LATE)
        try:
            if "error" in answer:
                raise error_of(answer["error"])
            self.seen = answer.get("watched", {})
            if answer["shapes"] != [list(each.shape) for each in gradients]:
                raise ValueError(f"the shapes {answer['shapes']}")
        except (KeyError, TypeError, ValueError) as error:
            raise self.over(SubjectError(self.name, NONSENSE, OF_ITS_OWN, str(error)[:200])) from None
        deadline = time.monotonic() + self.wanted.limit + LATE
        data = self.waited(process, partial(process.receive_bytes, size_of(answer["shapes"]), deadline))
        return unpacked(answer["shapes"], data)

    def record(self, gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> Recording:
        """Run the subject once, and give what it did; raises SubjectError."""
        if self.process is None or not self.process.running:
            self.found()
        assert self.process is not None
        asked = {"knobs": knobs, "record": True}
        answer = self.ask(self.process, asked, [*gradients, *starts], self.wanted.limit + LATE)
        try:
            if "error" in answer:
                raise error_of(answer["error"])
            return Recording.of_data(answer["recording"])
        except (KeyError, TypeError, ValueError) as error:
            raise self.over(SubjectError(self.name, NONSENSE, OF_ITS_OWN, str(error)[:200])) from None

    def ask(self, process: Process, header: dict[str, Any], arrays: Sequence[Array], limit: float) -> dict[str, Any]:
        """Send a message and wait for the answer; the time counts anew from the beginning of each run."""
        self.number += 1
        process.send(packed(self.mark, {**header, "number": self.number}, arrays))
        deadline = time.monotonic() + limit
        while True:
            line = self.waited(process, partial(process.receive_line, deadline, LONGEST))
            answer = header_of(self.mark, line)
            if answer is None or answer.get("number") != self.number:
                continue
            if "begins" not in answer:
                return answer
            self.loading = False
            deadline = time.monotonic() + self.wanted.limit + LATE

    def waited(self, process: Process, receive: Callable[[], bytes | None]) -> bytes:
        """Give what is received; raises SubjectError, and SubjectHangs, if nothing is, and ends the process."""
        try:
            received = receive()
        except OutOfTimeError:
            raise self.over(self.hangs(process)) from None
        except TooMuchError:
            raise self.over(SubjectError(self.name, "wrote without an end", OF_ITS_OWN)) from None
        if received is None:
            raise self.over(self.died(process))
        return received

    def over(self, error: SubjectError) -> SubjectError:
        """End the process, for an error after which it is of no use."""
        self.end()
        return error

    def hangs(self, process: Process) -> SubjectHangs:
        if self.loading:
            what, cure = f"was still being loaded after {exact(float(LOADING))} seconds", GUARD_MAIN
        else:
            what = f"did not end within {exact(float(self.wanted.limit))} seconds"
            cure = "Look for a loop without an end, or give it longer."
        return SubjectHangs(self.name, what, cure, process.said())

    def died(self, process: Process) -> SubjectError:
        ending, said = process.ending(), _last_words(process.said(KEPT))
        when = "while it was being loaded" if self.loading else "in the middle of a run"
        cure = ending.cure or (
            "Let it return instead." if ending.by_itself else "Run it by itself: mhat did not end it."
        )
        return SubjectError(self.name, f"{ending.what} {when}", cure, said)
