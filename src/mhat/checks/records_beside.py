"""Where a record parts from another record, or from a subject driven with its gradients. It searches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mhat.checks.comparison import Comparison, diff_between
from mhat.checks.conformance import SECONDS, identify
from mhat.checks.findings import Deviation
from mhat.checks.recorded import Recorded, identify_record, side_by_side
from mhat.checks.verdict import Verdict
from mhat.errors import BadValue
from mhat.language import Rule
from mhat.search.effort import Listener
from mhat.search.matching import RELATIVE, same, update_scale
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]


def compare_recorded(
    a: Recorded | Subject,
    b: Recorded | Subject,
    *,
    rules: Sequence[Rule],
    seconds: float = 2 * SECONDS,
    knobs: Mapping[str, float] | None = None,
    report: Listener | None = None,
) -> Comparison:
    """Compare two, of which one at least is a record: on its gradients, and from its start where that can be had.

    Where they do not begin at one start, what their steps add is compared, from the second step on. Raises BadValue for
    records under different gradients, else as `compare` does.
    """
    record = next(one for one in (a, b) if not isinstance(one, Subject))
    gradients, _, start = side_by_side(record)
    seen: list[Array] = []
    known: list[bool] = []
    for one in (a, b):
        values, starts = (
            _driven(one, gradients, start, knobs or {}) if isinstance(one, Subject) else _written(one, gradients)
        )
        seen.append(values)
        known.append(starts and record.start is not None)
    first, second = seen
    skipped = 0
    if record.observe == "x" and not all(known):
        first, second, skipped = np.diff(first, axis=0), np.diff(second, axis=0), 1
    loose = max(RELATIVE["float32" if _is_float32(values) else "float64"] for values in seen)
    base = start if record.observe == "x" and not skipped else np.zeros_like(start)
    scale = update_scale(first[:, None], base[None])
    apart = ~same(first[:, None], second[:, None], loose * scale + 1e-300)
    verdict, other = (_identified(one, rules, seconds / 2, knobs, report) for one in (a, b))
    if not apart.any():
        return Comparison(verdict, other, True, None, "")
    step, _, tensor, i = (int(n) for n in np.argwhere(apart)[0])
    lane = (slice(skipped + step + 1), tensor, i)
    deviation = Deviation(
        skipped + step + 1, float("nan"), tuple(gradients[lane].tolist()), tuple(seen[0][lane].tolist()),
        tuple(seen[1][lane].tolist()), "parameters", tensor + 1,
    )  # fmt: skip
    return Comparison(verdict, other, False, deviation, diff_between(verdict, other))


def _identified(
    one: Recorded | Subject,
    rules: Sequence[Rule],
    seconds: float,
    knobs: Mapping[str, float] | None,
    report: Listener | None,
) -> Verdict:
    if isinstance(one, Subject):
        return identify(one, rules, seconds=seconds, knobs=knobs, report=report)
    return identify_record(one, rules, seconds=seconds, knobs=knobs, report=report)


def _written(record: Recorded, gradients: Array) -> tuple[Array, bool]:
    """Give what a record observed, (step, tensor, coordinate), and whether it says where x starts."""
    own, observed, _ = side_by_side(record)
    if own.shape != gradients.shape or not np.array_equal(own, gradients, equal_nan=True):
        raise BadValue(
            f"{record.name} was written under other gradients", "Record both under the same, or compare one with code."
        )
    return observed, record.start is not None


def _driven(subject: Subject, gradients: Array, start: Array, knobs: Mapping[str, float]) -> tuple[Array, bool]:
    """Drive a subject with the gradients of a record; give what it answered, and whether it took the start."""
    taken = {name: value for name, value in knobs.items() if name in subject.knobs}
    tensors = range(gradients.shape[1])
    begin = [start[k] if subject.starts else 0.0 for k in tensors]
    given = [np.ascontiguousarray(gradients[:, k]) for k in tensors]
    if subject.several or len(given) == 1:
        answer = subject.run(given, begin, taken)
    else:
        answer = [subject.run(g, x, taken) for g, x in zip(given, begin, strict=True)]
    return np.stack([np.asarray(part, dtype=np.float64) for part in answer], axis=1), subject.starts or not start.any()


def _is_float32(values: Array) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.array_equal(values, values.astype(np.float32), equal_nan=True))
