"""A way to drive a script: what of it is fed, and what is read. It knows no script."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Possible:
    """One way to drive a script: what is fed, what is read, and where that was seen."""

    feed: str  # as it is typed
    read: str
    where: str  # how it is fed and read, in words
    is_parameter: bool = False
    is_beside: bool = False  # of the same loop, and as much of what it computes stands behind it
    depth: float = 0.0  # how much of the loop stands behind it

    @property
    def words(self) -> str:
        """The words that choose it."""
        return f"--feed {quoted(self.feed)} --read {quoted(self.read)}"


def quoted(text: str) -> str:
    """Quote what a shell would take apart."""
    return text if all(c.isalnum() or c in "_.@" for c in text) else "'" + text.replace("'", '"') + "'"
