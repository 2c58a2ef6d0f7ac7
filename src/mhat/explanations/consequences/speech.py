"""Factors and streams as they are read aloud. It knows no rule and measures nothing."""

from __future__ import annotations

from collections.abc import Sequence

from mhat.explanations.claims import four_digits


def times(factor: float) -> str:
    """Say a factor: `twice`, `10 times`, `0.1 times`.

    >>> times(2.0), times(0.1), times(1.00001)
    ('twice', '0.1 times', '1 + 1e-5 times')
    """
    off = abs(factor - 1.0)
    if 1e-12 < off < 5e-4:
        return f"1 {'+' if factor > 1.0 else '-'} {four_digits(off)} times"
    return "twice" if four_digits(factor) == "2" else f"{four_digits(factor)} times"


def as_long(factor: float) -> str:
    """Say how long a step is beside the right one.

    >>> as_long(2.0), as_long(-0.5)
    ('twice as long as it should be', '0.5 times as long as it should be, and goes the wrong way')
    """
    many = "" if abs(abs(factor) - 1.0) < 1e-6 else f"{times(abs(factor))} "
    return f"{many}as long as it should be{', and goes the wrong way' if factor < 0 else ''}"


def counted(number: int, word: str) -> str:
    """Say how many: `1 step`, `2 steps`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def listed(parts: Sequence[str]) -> str:
    """Join parts as people do: a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


STREAMS = {
    "normal": "noise",
    "alternating": "gradients that change their sign every step",
    "sparse": "a gradient at one step in ten",
    "spike:100,at=500": "one gradient of 100 among ones",
    "shift:1,-1,at=500": "a gradient that turns around",
    "ramp": "a gradient that grows",
    "exponential:0.99,100": "a gradient that shrinks",
    "zeros": "no gradient at all",
    "drift:0.1,1": "a small gradient in much noise",
}


def stream_of(text: str) -> str:
    """Say what a stream is.

    >>> stream_of("constant:10"), stream_of("normal")
    ('a constant gradient of 10', 'noise')
    """
    if text.startswith("constant:"):
        return f"a constant gradient of {text.partition(':')[2]}"
    return STREAMS.get(text, f"the stream {text}")
