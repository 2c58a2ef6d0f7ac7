"""A rule on one stream: what every line gives at telling steps. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.explanations.claims import Claim, Comparison, Run
from mhat.explanations.runs import Setting, read, steps_of

TELLING = (1, 2, 10, 100, 1000, 10000)
UP_TO = 4


def claims(setting: Setting, stream: str) -> Iterator[Claim]:
    """Yield what every line gives on a stream at telling steps."""
    steps = steps_of(stream)
    at = [step for step in TELLING if step <= steps][:UP_TO]
    at = at if at[-1] == steps or len(at) == UP_TO else [*at, steps]
    names = [name for name in dict.fromkeys((*setting.rule.variables, "x")) if name not in ("g", "x")] + ["x"]
    rows, runs = [], []
    for name in names:
        read = [_read(setting, stream, steps, name, step) for step in at]
        runs += read
        rows.append((name, *(run.value for run in read)))
    head = ("", *(f"step {step}" for step in at))
    yield Claim("stream", "What every line gives:", "computed", Comparison(head, tuple(rows), tuple(runs)), stream)


def _read(setting: Setting, stream: str, steps: int, name: str, step: int) -> Run:
    return read(setting, Run("", stream, steps, name, step))
