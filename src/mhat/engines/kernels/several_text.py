"""Several members of a sweep at once, printed from what one does: their chains of steps run beside each other.

A step of a chain waits for the one before, a processor that has several chains in hand does not. Loops that carry
from step to step take all members together; the others take one after the other. It runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mhat.engines.kernels.narrow_text import Part, loop_over

SEVERAL = 4
_ASSIGNED = re.compile(r"^\s*(\w+) = ")
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")


def several(parts: list[Part], prologue: str) -> list[str]:
    """Print the parts for members `b` .. `b + SEVERAL - 1`, whose rooms are rows of `rooms`.

    `prologue`: the line that finds the places in one member's room.
    """
    first = [Part(["b = first_b + member", *prologue.replace("room[", "rooms[member, ").splitlines()])]
    own = _assigned([*first, *parts])
    lines: list[str] = []
    for part in [*first, *parts]:
        if part.body is None or not part.carries:
            lines += [line for i in range(SEVERAL) for line in _of_member(part.printed(), own, i)]
        else:
            lines += [line for i in range(SEVERAL) for line in _of_member(part.lines, own, i)]
            lines += loop_over([line for i in range(SEVERAL) for line in _of_member(part.body, own, i)])
    return lines


def _assigned(parts: Iterable[Part]) -> set[str]:
    """List the names that each member has of its own."""
    lines = [line for part in parts for line in (*part.lines, *(part.body or []))]
    return {found.group(1) for found in map(_ASSIGNED.match, lines) if found}


def _of_member(lines: list[str], own: set[str], member: int) -> list[str]:
    def name(found: re.Match[str]) -> str:
        word = found.group()
        return str(member) if word == "member" else f"{word}_of_{member}" if word in own else word

    return [_WORD.sub(name, line) for line in lines]
