"""The first difference, and the smallest gradients that show it. It names no mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

from mhat.checks.matching import update_scale
from mhat.checks.oracle import bound, expected, in_ulps
from mhat.checks.probes import Observed, drive, tensors_of
from mhat.checks.settings import Question
from mhat.checks.verdict import Deviation

Array = np.ndarray[Any, Any]
LONGEST = 8
# A difference of this share of the update can be seen in four digits.
VISIBLE = 2e-3


def sequences() -> Iterator[tuple[float, ...]]:
    """Yield short gradient sequences, the simplest first."""
    yield from ((value,) for value in (1.0, -1.0, 10.0, 0.0, 1e-3, 1e-6, 1e-8))
    for length in (2, 3):
        values = (1.0, 0.0, -1.0, 2.0) if length == 2 else (1.0, 0.0, -1.0)
        yield from (tuple(s) for s in product(values, repeat=length))
    for length in range(4, LONGEST + 1):
        yield (1.0,) * length
        yield (*(1.0,) * (length - 1), 0.0)
        yield (*(0.0,) * (length - 1), 1.0)
    yield from ((1e-8,) * 2, (1e-3,) * 2, (100.0, 1.0), (1.0, 100.0), (1.0, 1e-8))


def first_deviation(question: Question, knobs: Mapping[str, float]) -> Deviation | None:
    """Find the shortest of the simple sequences that shows a difference; else the designed one that does."""
    found = list(dict.fromkeys(sequences()))
    shown = _by_sequences(question, knobs, found)
    return shown if shown is not None else _by_probe(question, knobs)


def _by_sequences(question: Question, knobs: Mapping[str, float], found: list[tuple[float, ...]]) -> Deviation | None:
    gradients = np.zeros((LONGEST, tensors_of(question.subject), len(found)))
    for i, sequence in enumerate(found):
        gradients[: len(sequence), :, i] = np.array(sequence)[:, None]
    observed = drive(question.subject, question.rule, question.held, [gradients], observe=question.observe)
    exact = expected(question.rule, observed.probes, knobs)
    limit = bound(question.rule, observed.probes, knobs, exact, question.subject.dtype)
    differs, share = _differences(observed.values, exact, limit, observed.probes.base)
    best: tuple[float, int, int, int] | None = None
    for i, sequence in enumerate(found):
        for tensor in range(gradients.shape[1]):
            hits = np.flatnonzero(differs[: len(sequence), 0, tensor, i])
            if not hits.size:
                continue
            visible = share[hits[0], 0, tensor, i] >= VISIBLE
            rank = (hits[0] + 1) + (0 if visible else 2.5) + 0.01 * i
            if best is None or rank < best[0]:
                best = (rank, int(hits[0]), tensor, i)
    if best is None:
        return None
    _, step, tensor, i = best
    return _deviation(question, gradients[: step + 1, tensor, i], observed.values[: step + 1, 0, tensor, i],
                      exact[: step + 1, 0, tensor, i], tensor, knobs)  # fmt: skip


def _by_probe(question: Question, knobs: Mapping[str, float]) -> Deviation | None:
    found = (deviation_in(question, observed, knobs) for observed in (question.searched, question.fresh))
    return next((deviation for deviation in found if deviation is not None), None)


def deviation_in(question: Question, observed: Observed, knobs: Mapping[str, float]) -> Deviation | None:
    """Find the first difference in what was observed; None if there is none."""
    exact = expected(question.rule, observed.probes, knobs)
    limit = bound(question.rule, observed.probes, knobs, exact, question.subject.dtype)
    differs, _ = _differences(observed.values, exact, limit, observed.probes.base)
    if not differs.any():
        return None
    step, probe, tensor, i = (int(n) for n in np.argwhere(differs)[0])
    upto = slice(step + 1)
    return _deviation(
        question, observed.probes.gradients[probe, upto, tensor, i], observed.values[upto, probe, tensor, i],
        exact[upto, probe, tensor, i], tensor, knobs, float(observed.probes.base[probe, tensor, i]),
    )  # fmt: skip


def _differences(values: Array, exact: Array, limit: Array, base: Array) -> tuple[Array, Array]:
    """Tell where values differ beyond the bound, and by what share of the update."""
    with np.errstate(all="ignore"):
        apart = np.abs(values - exact)
        alike = (apart <= limit) | (np.isnan(values) & np.isnan(exact)) | (values == exact) | np.isinf(limit)
        share = apart / update_scale(exact, base)
    return ~alike, np.where(np.isfinite(share), share, np.inf)


def _deviation(
    question: Question, gradients: Array, got: Array, exact: Array, tensor: int, knobs: Mapping[str, float],
    base: float = 0.0,
) -> Deviation:  # fmt: skip
    scale = float(np.max(np.abs(np.where(np.isfinite(exact), exact, 0.0) - (base if question.observe == "x" else 0))))
    with np.errstate(all="ignore"):
        ulps = in_ulps(float(np.abs(got[-1] - exact[-1])), scale, question.subject.dtype)
    unit = ""
    if question.observe == "x":
        rate = {**question.rule.knobs, **question.subject.defaults, **question.held, **knobs}.get("lr", 0.0)
        unit = "learning rates" if rate else "steps downhill"
        rate = rate or 1.0
        got, exact = (-np.diff(values, prepend=base) / rate for values in (got, exact))
    return Deviation(
        len(gradients), ulps, tuple(gradients.tolist()), tuple(got.tolist()), tuple(exact.tolist()), unit, tensor + 1
    )
