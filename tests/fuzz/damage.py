"""Bytes that are damaged: what a disk, a transfer or somebody does to a file. It knows no format."""

from __future__ import annotations

import random
from collections.abc import Callable

NUMBERS = (b"nan", b"-inf", b"1e999", b"-0", b"9" * 40, b"1e-400", b"0x1p3", b"1_0", b"", b"#", b'"', b"\0", b"\xff")


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Damage bytes in one to three ways."""
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(WAYS)(data, chance)
    return data


def _place(data: bytes, chance: random.Random) -> int:
    # Headers are at the beginning, and tell the most.
    return chance.randrange(min(len(data), chance.choice((64, 512, 1 << 30))) or 1)


def _flipped(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + bytes(each ^ 1 << chance.randrange(8) for each in data[at : at + 1]) + data[at + 1 :]


def _overwritten(data: bytes, chance: random.Random) -> bytes:
    at, count = _place(data, chance), chance.choice((1, 2, 4, 8))
    value = chance.choice((0, 255, 127, 128, chance.randrange(256)))
    return data[:at] + bytes([value]) * count + data[at + count :]


def _cut_off(data: bytes, chance: random.Random) -> bytes:
    return data[: _place(data, chance)]


def _cut_out(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + data[at + chance.choice((1, 2, 8, 100)) :]


def _put_in(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + chance.choice((*NUMBERS, chance.randbytes(8))) + data[at:]


def _repeated(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + data[at : at + chance.choice((1, 10, 200))] * chance.choice((2, 5)) + data[at:]


def _grown(data: bytes, chance: random.Random) -> bytes:
    """Make a number that is written in digits a large one."""
    digits = [at for at, each in enumerate(data) if 48 <= each <= 57]
    if not digits:
        return data
    at = chance.choice(digits)
    return data[:at] + chance.choice((b"9" * 12, b"-9", b"1e300", b"99999999999999999999999")) + data[at + 1 :]


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flipped, _overwritten, _cut_off, _cut_out, _put_in, _repeated, _grown,
)  # fmt: skip
