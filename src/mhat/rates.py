"""What a check of a scheduler is asked about: the one way from what a user gives to an answer.

Python's verb and the command ask here alike. It leaves finding to `names` and judging to `checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mhat import schedules, streams
from mhat.checks.schedules import judging
from mhat.checks.schedules.verdict import ScheduleVerdict
from mhat.errors import BadValue, MhatError
from mhat.names import find_subject
from mhat.notation import cut
from mhat.progress import line
from mhat.schedules import Schedule
from mhat.streams.files import endings, is_path
from mhat.subjects.schedulers import SCHEDULE


def check_schedule(
    named: Any,
    against: Any = None,
    *,
    steps: int | None = None,
    first: int | None = None,
    options: Mapping[str, Any],
    timeout: float | None = None,
    memory: float | None = None,
    in_process: bool = False,
) -> ScheduleVerdict:
    """Check a scheduler: a thing or its name, or rates (a list, a file); raises BadValue, SubjectError, UnknownName."""
    meant = None if against is None else _meant(against)
    own = schedules.meant(named) if isinstance(named, Schedule) or schedules.is_named(named) else None
    name = own.recipe if own is not None and own.recipe else _name_of(named)
    written = None if own is not None else _rates_in(named)
    if written is not None:
        for option in (*options, *(["first"] if first is not None else [])):
            raise BadValue(f"rates that were written down take no `{option}`", "Leave it out.")
        return judging.check_rates(name, written, meant, steps=steps)
    if named is None:
        raise BadValue("no scheduler is named", "Name one: mine.py:my_schedule, torch.optim.lr_scheduler:StepLR.")
    subject = find_subject(
        named if own is None else own.__call__, options=options, limit=timeout, memory=memory,
        in_process=in_process or own is not None, convention=SCHEDULE,
    )  # fmt: skip
    if own is not None:
        subject, first = replace(subject, name=name, notes=()), 1
    with line(f"running {name}"):
        return judging.check_scheduler(subject, meant, steps=steps, first=first)


def _meant(against: Any) -> Schedule:
    """Give the schedule that is meant; raises BadValue for what is none with a name."""
    found = schedules.named(against) if isinstance(against, str) else schedules.meant(against)
    if found is None or not found.recipe:
        raise BadValue(f"{cut(repr(against))} is no schedule of the library", "`mhat schedules` lists them.")
    return found


def _name_of(named: Any) -> str:
    if isinstance(named, str | Path):
        return str(named)
    name = getattr(named, "__name__", None)
    return name if isinstance(name, str) else "the rates" if _is_listed(named) else type(named).__name__


def _is_listed(named: Any) -> bool:
    return isinstance(named, list | tuple) or hasattr(named, "__array__")


def _rates_in(named: Any) -> Any:
    """Give rates that are numbers already: a list, an array, the column of a file; None for a scheduler."""
    if isinstance(named, Path) or (isinstance(named, str) and is_path(named) and not _is_python(named)):
        return _read(str(named))
    return named if _is_listed(named) and not callable(named) else None


def _read(path: str) -> Any:
    try:
        return streams.named(path).values
    except MhatError as error:
        # The reader speaks of gradients.
        error.what, error.cure = (text.replace("gradients.csv", "rates.csv") for text in (error.what, error.cure))
        raise


def _is_python(named: str) -> bool:
    """Whether a name is of Python: a file of it, or a module and what is in it."""
    where, _, name = named.rpartition(":")
    if named.endswith(".py") or where.endswith(".py"):
        return True
    return name.isidentifier() and all(map(str.isidentifier, where.split("."))) and Path(where).suffix not in endings()
