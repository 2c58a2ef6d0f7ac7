"""What a style is: a right file, what is named in it, and slips, each a piece of the right text and the wrong one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A right implementation as text, and the slips that are made in it, one piece exchanged for another."""

    name: str
    subject: str
    against: str
    text: str
    slips: tuple[tuple[str, str], ...]
    feed: str | None = None
    read: str | None = None

    def slipped(self, chosen: tuple[int, ...]) -> str | None:
        """Give the file with some slips; None if two of them are in one place."""
        text = self.text
        for i in chosen:
            right, wrong = self.slips[i]
            if text.count(right) != 1:
                return None
            text = text.replace(right, wrong)
        return text
