"""In a process of its own: find what is named, say what it is, and run it when asked to. It knows no rule and no check.

What the subject prints, shows or reads stays apart from what is said to mhat.
"""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import IO, Any

from mhat.errors import BadValue, MhatError
from mhat.language import Rule
from mhat.language import rule as rule_of
from mhat.subjects import kinds, modules
from mhat.subjects.beginnings import found_out
from mhat.subjects.modules import RULE_CURE, not_one_rule
from mhat.subjects.processes.failures import as_data
from mhat.subjects.processes.frames import header_of, packed, size_of, unpacked
from mhat.subjects.recording import watching
from mhat.subjects.recording.recorder import record
from mhat.subjects.sandbox import Guard, Unheard, raised
from mhat.subjects.scripts import finding
from mhat.subjects.scripts.script import subject_of_script
from mhat.subjects.subject import Array, Subject

# Where the pipes are kept: what writes to, or closes, every descriptor that it knows of does not come so far.
APART = 200


class _Before:
    """Where what was found before lives, until something else is asked for."""

    neighbours: modules.Neighbourhood | None = None


class Channel:
    """What is said between this process and mhat."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.mark = ""
        self.number = 0
        self.asked: IO[bytes] = os.fdopen(_moved(0), "rb")
        self.answers: IO[bytes] = os.fdopen(_moved(1), "wb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def receive(self) -> tuple[dict[str, Any], list[Array]] | None:
        """Wait for the next message; None if there are no more."""
        line = b"\n"
        while line == b"\n":
            line = self.asked.readline()
        header = header_of(None, line)
        if header is None:
            return None
        self.mark, self.number = header["mark"], header["number"]
        return header, unpacked(header["shapes"], self.asked.read(size_of(header["shapes"])))

    def send(self, header: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
        """Say something; a copy of this process that a subject has made says nothing, and ends."""
        if os.getpid() != self.owner:
            os._exit(0)
        self.answers.write(packed(self.mark, {**header, "number": self.number}, arrays))
        self.answers.flush()

    def begins(self) -> None:
        """Say that a run begins, so that its time is counted from here."""
        self.send({"begins": True})


def _moved(descriptor: int) -> int:
    """Give a copy of a descriptor, far away if the system can."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        fcntl = importlib.import_module("fcntl")
        return int(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, APART))
    return os.dup(descriptor)


def main() -> None:
    """Answer until nothing more is asked."""
    channel = Channel()
    faulthandler.enable(all_threads=False)
    warnings.simplefilter("ignore")
    subject: Subject | None = None
    while (message := channel.receive()) is not None:
        header, arrays = message
        if "named" not in header:
            if subject is not None:
                _run(subject, channel, header, arrays)
            continue
        try:
            answer, subject = _found(header, channel)
        except BaseException as error:
            answer, subject = _failed(str(header["named"]), error), None
        channel.send(answer)
        if subject is None and not header["one_of_several"]:
            return


def _run(subject: Subject, channel: Channel, header: dict[str, Any], arrays: list[Array]) -> None:
    """Drive the subject once; gradients come first, then as many starts."""
    half = len(arrays) // 2
    try:
        if header.get("record"):
            recorded = record(subject.drive, arrays[:half], arrays[half:], header["knobs"])
            answer: dict[str, Any] = {"recording": recorded.as_data()}
            parameters: list[Array] = []
        else:
            with watching.seeing() as seen:
                parameters = subject.drive(arrays[:half], arrays[half:], header["knobs"])
            answer = {"parameters": True, **({} if seen is None else {"watched": seen.as_data()})}
    except BaseException as error:
        channel.send(_failed(subject.name, error))
    else:
        channel.send(answer, parameters)


def _failed(name: str, error: BaseException) -> dict[str, Any]:
    return {"error": as_data(error if isinstance(error, MhatError) else raised(name, error))}


def _heard() -> Any:
    """Give a stream to what is kept as the last words of this process, unless the subject has closed it."""
    try:
        return os.fdopen(2, "w", buffering=1, closefd=False, errors="replace")
    except OSError:
        return Unheard()


def _found(request: dict[str, Any], channel: Channel) -> tuple[dict[str, Any], Subject | None]:
    """Find what is named; say what it is."""
    where, name, named = request["where"], request["name"], request["named"]
    guard = Guard(request["limit"], channel.begins, _heard)
    sys.argv = [where]
    if _Before.neighbours is not None:
        _Before.neighbours.leave()
        _Before.neighbours = None
    watching.end()
    if request["watched"]:
        watching.watch(where)
    if request["look"]:
        return {"ways": finding.as_data(finding.found_in(where, named, guard))}, None
    if request["feed"] is not None:
        subject = subject_of_script(where, request["feed"], request["read"], named, request["rule_knobs"], guard)
        subject = found_out(subject, request["observe"])
        return _described(subject), subject
    if not where.endswith(".py"):
        kinds.import_framework(where)
    with watching.loading():
        loaded = modules.load(where) if request["rule"] else modules.load_around(where, name)
    loaded.neighbours.enter()
    _Before.neighbours = loaded.neighbours
    if request["rule"]:
        thing = loaded.named(name or _only_rule(loaded.module, where))
        if not isinstance(thing, Rule) and not hasattr(thing, "__code__"):
            raise BadValue(f"`{name}` in {where} is of type {type(thing).__name__}", RULE_CURE)
        return {"rule": _written(rule_of(thing))}, None
    thing = loaded.named(name)
    rule = kinds.rule_in(thing)
    if rule is not None:
        return {"rule": _written(rule)}, None
    options = ast.literal_eval(request["options"])
    subject = kinds.subject_of(
        thing, named, request["rule_knobs"], options, request["dtype"], request["observe"], guard,
        request["convention"],
    )  # fmt: skip
    subject = replace(subject, notes=(*subject.notes, *loaded.notes))
    return _described(subject), subject


def _only_rule(module: ModuleType, where: str) -> str:
    """Choose the rule of a file whose name was not given, if there is just one."""
    own = [name for name, value in vars(module).items() if isinstance(value, Rule) and _is_own(value, module)]
    if len(own) == 1:
        return own[0]
    raise not_one_rule(own, where)


def _is_own(value: Rule, module: ModuleType) -> bool:
    # A rule made of text has no module of its own; the class's would be found in its place.
    return bool(vars(value).get("__module__", module.__name__) == module.__name__)


def _written(rule: Rule) -> dict[str, Any]:
    """Write a rule as text: as it stands in its file, or printed if code has made it."""
    source = rule.source
    printed = {} if source.text else {"text": str(rule), "doc": rule.doc}
    told = {"paper": rule.paper, "knobs": rule.knob_sentences, "flatten": rule.tree.flatten}
    return {"text": source.whole, "file": source.file, "line": source.first_line, **told, **printed}


def _described(subject: Subject) -> dict[str, Any]:
    """Say what a check needs to know of a subject before it is run."""
    source = subject.source
    return {
        "subject": {
            "knobs": sorted(subject.knobs),
            "several": subject.several,
            "vectors": subject.vectors,
            "matrices": subject.matrices,
            "starts": subject.starts,
            "begins": subject.begins,
            "start": subject.start,
            "missing": subject.missing,
            "dtype": subject.dtype,
            "tensors": subject.tensors,
            "defaults": dict(subject.defaults),
            "source": None if source is None else [source.whole, source.file, source.first_line],
            "called": list(subject.called),
            "notes": list(subject.notes),
        }
    }
