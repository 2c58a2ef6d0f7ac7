"""Which file of the user's a subject stands in, and under which name; or why no change of it is looked for."""

from __future__ import annotations

import inspect
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhat.errors import BadValue
from mhat.inquiry import Party
from mhat.subjects.definitions import definitions_of

CELLS = "it is not named in a file: put it into one, and name it, FILE.py:NAME"
TEXT = "it is a text and stands in no file: put it into one, and name it, FILE.py:NAME"


@dataclass(frozen=True)
class Source:
    """A file, what is named in it, and the file as the user typed it."""

    path: Path
    name: str
    shown: str


def source_of(party: Party) -> Source:
    """Find the file of what is in question; raises BadValue, whose first words say why there is none to change."""
    if party.command is not None:
        raise BadValue("a command is run from outside, and its file is not known", "Mend it by hand.")
    if party.recorded is not None:
        raise BadValue("a record is of a run, and holds no code", "Check the code itself.")
    source = _of_name(party.named) if isinstance(party.named, str) else _of_thing(party.named)
    if is_library(source.path):
        raise BadValue(f"{source.shown} is not yours: it is installed", "Copy it into a file of yours.")
    return source


def _of_name(named: str) -> Source:
    if named.endswith(".py"):
        return Source(Path(named), "", named)
    where, _, name = named.rpartition(":")
    if not where:
        raise BadValue(f"{named} is a rule of the library", "Name a file of yours.")
    found = definitions_of(where)
    if found is None:
        raise BadValue(f"{where} has no file with a text", "Name a file: FILE.py:NAME.")
    return Source(found.path, name, where if where.endswith(".py") else str(found.path))


def _of_thing(thing: Any) -> Source:
    code = inspect.unwrap(thing) if callable(thing) else thing
    name = getattr(code, "__qualname__", "")
    module = sys.modules.get(getattr(code, "__module__", "") or "")
    try:
        file = inspect.getsourcefile(code) if isinstance(module, object) else None
    except TypeError:
        file = None
    if not name or "<" in name or file is None or not Path(file).is_file():
        raise BadValue("the thing itself was given, and no name finds it in a file", "Name it: FILE.py:NAME.")
    path = Path(file)
    return Source(path, name, _nearest(path))


def _nearest(path: Path) -> str:
    """Name a file from where the user is, if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def is_library(path: Path) -> bool:
    """Whether a file was installed, and is nobody's own."""
    where = path.resolve()
    own: Mapping[str, str] = sysconfig.get_paths()
    places = {Path(own[key]).resolve() for key in ("purelib", "platlib", "stdlib", "platstdlib")}
    return any(part in ("site-packages", "dist-packages") for part in where.parts) or any(
        place in where.parents for place in places
    )
