"""The list of streams, and how text names one. It knows no values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mhat import notation
from mhat.errors import BadValue, UnknownName
from mhat.notation import summary
from mhat.streams.events import lottery, shift, sparse, spike
from mhat.streams.files import endings, from_file, is_path, stored
from mhat.streams.noise import correlated, drift, heavy_tailed, normal, scaled
from mhat.streams.repeating import alternating, cycle, sine
from mhat.streams.steady import constant, exponential, ramp, zeros
from mhat.streams.stream import StoredStream, Stream

_MEMBERS: dict[str, Callable[..., Stream]] = {
    member.__name__: member
    for member in (
        constant, zeros, ramp, exponential, alternating, sine, cycle, sparse, spike, shift, lottery, normal,
        heavy_tailed, drift, correlated, scaled,
    )
}  # fmt: skip


def names() -> list[str]:
    """Return the names of all streams, in the order of a lecture."""
    return list(_MEMBERS)


def summaries() -> dict[str, str]:
    """Return what each stream is, in a line.

    >>> summaries()["zeros"]
    'No gradient at all'
    """
    return {name: summary(member) for name, member in _MEMBERS.items()}


def named(spec: str, steps: int | None = None) -> Stream:
    """Return the stream that a text names, as on the command line; `steps` wins over steps in the text.

    A name and its arguments (`constant:10`, `normal:0,2,seed=3`), or a file (`gradients.csv`, `run.nc:column=g`).
    UnknownName for a name or argument that does not exist, BadValue for a value that cannot be.

    >>> named("ramp:2", steps=3)
    Stream('ramp:2,steps=3', step=3)
    """
    if not isinstance(spec, str) or not spec.strip():
        raise BadValue(f"`{spec}` names no stream", "Write a name or a file: constant:10, gradients.csv.")
    spec = spec.strip()
    if _is_file(spec):
        found = _from_spec(spec, steps, from_file)
        assert isinstance(found, Stream)
        return found
    given = {} if steps is None else {"steps": steps}
    return notation.call(spec, _MEMBERS, "stream", "A file is named with its ending: gradients.csv.", **given)


def stored_or_named(spec: str, steps: int | None = None) -> Stream | StoredStream:
    """Return the stream that a text names, as `named` does; one in a file stays there where that is possible."""
    is_file = isinstance(spec, str) and _is_file(spec.strip())
    return _from_spec(spec.strip(), steps, stored) if is_file else named(spec, steps)


def _is_file(spec: str) -> bool:
    name = spec.partition(":")[0].strip()
    return name not in _MEMBERS and is_path(spec if "/" in spec or "\\" in spec else name)


def _from_spec(spec: str, steps: int | None, opener: Callable[..., Stream | StoredStream]) -> Stream | StoredStream:
    path, arguments = _split(spec)
    values, named = notation.arguments(arguments, spec)
    for key in named:
        if key not in ("column", "steps"):
            raise UnknownName("argument of a file", key, ("column", "steps"))
    if len(values) > 1 or (values and "column" in named):
        raise BadValue(f"`{spec}` chooses more than one column", f"Choose one: {path}:column={(*values, 'g')[0]}.")
    column = values[0] if values else named.get("column")
    if steps is None and "steps" in named:
        steps = notation.count_steps(notation.read_number(named["steps"]))
    return opener(path, column, steps)


def _split(spec: str) -> tuple[str, str]:
    """Part the path from its arguments; a path may have colons of its own."""
    head, colon, tail = spec.rpartition(":")
    is_whole = not colon or Path(spec).suffix.lower() in endings() or Path(spec).exists()
    return (spec, "") if is_whole else (head, tail)
