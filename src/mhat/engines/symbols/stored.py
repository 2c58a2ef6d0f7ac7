"""Closed forms as plain data, and kept for the next process by what they depend on. It solves nothing."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from mhat.engines.private_files import folder, read, throw_away, write
from mhat.engines.symbols.forms import ClosedForm, Found, NoClosedForm, RunningState
from mhat.language.definition import Rule
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.printers.python import rule_text
from mhat.version import VERSION

SUFFIX = ".forms.json"


def as_data(found: Found) -> dict[str, Any]:
    """Give a closed form, or why there is none, as plain data."""
    if isinstance(found, NoClosedForm):
        return {"variable": found.variable, "reason": found.reason}
    return {
        "variable": found.variable,
        "course": found.course,
        "expression": _plain(found.expression),
        "values": {name: repr(value) for name, value in found.values.items()},
        "running": [
            [run.name, *map(_plain, (run.gain, run.fed, run.start, run.factor, run.kept))] for run in found.running
        ],
        "proved": found.proved,
        "trials": found.trials,
    }


def of_data(data: dict[str, Any]) -> Found:
    """Make what was given as plain data."""
    if "reason" in data:
        return NoClosedForm(data["variable"], data["reason"])
    running = tuple(RunningState(name, *map(_expression, parts)) for name, *parts in data["running"])
    values = {name: float(value) for name, value in data["values"].items()}
    return ClosedForm(
        data["variable"], data["course"], _expression(data["expression"]), values, running, data["proved"],
        data["trials"],
    )  # fmt: skip


def _plain(node: Expression) -> Any:
    if isinstance(node, Number):
        return [repr(node.value)]
    return node.id if isinstance(node, Name) else [node.op, *map(_plain, node.arguments)]


def _expression(data: Any) -> Expression:
    if isinstance(data, str):
        return Name(data)
    first, *rest = data
    return Operation(first, tuple(map(_expression, rest))) if rest else Number(float(first))


def kept(rule: Rule, course: str) -> dict[str, Found] | None:
    """Read the closed forms of a rule that an earlier process has found; None where there are none."""
    path = _path(rule, course)
    if path is None:
        return None
    try:
        content = read(path)
        return None if content is None else {name: of_data(form) for name, form in json.loads(content).items()}
    except OSError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        throw_away(path)
        return None


def keep(rule: Rule, course: str, found: dict[str, Found]) -> None:
    """Keep closed forms for the next process, where there is a folder for that."""
    path = _path(rule, course)
    if path is not None:
        write(path, json.dumps({name: as_data(form) for name, form in found.items()}).encode())


def _path(rule: Rule, course: str) -> Path | None:
    where = folder()
    if where is None:
        return None
    parts = [VERSION, _code(), course, rule_text(rule.tree)]
    return where / f"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}{SUFFIX}"


@cache
def _code() -> str:
    """Give the hash of what finds closed forms: a change of it may find others."""
    here = Path(__file__).parent
    language = here.parents[1] / "language"
    files = [*sorted(here.glob("*.py")), language / "recurrences.py", language / "algebra.py"]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
