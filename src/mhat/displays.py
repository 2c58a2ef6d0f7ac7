"""How a thing shows itself though it may not know its printer, which stands on a higher floor: the door says who
writes what. It knows no thing and no printer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Writer = Callable[[Any], str]
_writers: dict[tuple[str, str], Writer] = {}


def shown_by(writers: Mapping[tuple[str, str], Writer]) -> None:
    """Say who writes a kind of thing ("rule") in a form ("text", "html", "latex")."""
    _writers.update(writers)


def shown(kind: str, form: str, thing: Any) -> str:
    """Write a thing in a form."""
    return _writers[kind, form](thing)
