"""The conventions in which code that was not written for mhat wants to be called, one a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mhat.subjects.conventions import steps
from mhat.subjects.conventions.proposals import Asked, Proposal

CONVENTIONS: dict[str, Callable[[Asked], Iterator[Proposal]]] = {
    steps.NAME: steps.proposed,
}
