"""What the optimizers of all frameworks have in common as subjects. It imports none of them."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from mhat.dtypes import DTYPES
from mhat.errors import BadValue
from mhat.subjects.sandbox import source_of
from mhat.subjects.spelling import Keywords
from mhat.subjects.subject import Drive, Subject


def dtype_to_run_in(name: str, dtype: str | None) -> str:
    """Give the dtype that is asked for, float64 if none is; raises BadValue."""
    if dtype is not None and dtype not in DTYPES:
        raise BadValue(f"`{name}` does not run in {dtype}", f"Choose one of {', '.join(DTYPES)}.")
    return dtype or "float64"


def name_of(thing: Any, shown_in: str) -> str:
    """Name a class or a function as a user would: by the module that shows it, its own, or none at the prompt."""
    name, own = str(getattr(thing, "__qualname__", type(thing).__name__)), getattr(thing, "__module__", None)
    if getattr(sys.modules.get(shown_in), name, None) is thing:
        return f"{shown_in}:{name}"
    return name if own in (None, "__main__") else f"{own}:{name}"


def subject_of_optimizer(
    thing: Any, name: str, drive: Drive, keywords: Keywords, dtype: str, missing: str = "",
    notes: tuple[str, ...] = (), *, matrices: bool = False,
) -> Subject:  # fmt: skip
    """Make a subject of what a framework drives: any number of tensors, from any start."""
    return Subject(
        name=name,
        drive=drive,
        knobs=keywords.spelling.names,
        several=True,
        matrices=matrices,
        starts=True,
        dtype=dtype,
        missing=missing,
        notes=notes,
        defaults=keywords.defaults,
        source=source_of(thing) if inspect.isclass(thing) or inspect.isfunction(thing) else None,
    )
