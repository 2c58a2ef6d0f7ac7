"""Observations as lanes for the register machine: all of them, and views that do not show some part of a rule.

    whole       everything
    eps         huge gradients alone, up to a common factor: neither eps nor the learning rate shows
    squares     pairs of coordinates that differ in signs: nothing that is made of squares shows
    time        ratios between coordinates: nothing that is made of time and knobs alone shows
    first       the first step alone: nothing shows that begins with what a step leaves behind
    early       the first steps

It knows no edit and runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from mhat.search.machine import instructions
from mhat.search.machine.code import Coder
from mhat.search.matching import Matcher, update_scale
from mhat.search.observed import Probes

Array = np.ndarray[Any, Any]
View = Literal["whole", "eps", "squares", "time", "first", "early"]
# How lanes are compared in each.
MODES: dict[View, int] = {
    "whole": instructions.MATCH, "eps": instructions.BLIND, "squares": instructions.RATIO, "time": instructions.RATIO,
    "first": instructions.MATCH, "early": instructions.MATCH,
}  # fmt: skip
# How many steps are the first ones.
EARLY = 3
# How many lanes are run together: few, since most candidates fail on the first ones.
LANES = int(instructions.BLOCK)
# From which gradient on a usual eps is less than the bound for comparing without it, relative to the update.
LARGE, WITHOUT_EPS = 1e3, 1e-6


def views_of(matcher: Matcher, coder: Coder, knobs: Mapping[str, float]) -> dict[View, instructions.Seen | None]:
    """Lay out what a matcher compares with in every view; None for a view that shows nothing."""
    whole = _whole(matcher, coder, knobs)
    return {
        "whole": whole,
        "eps": _without_eps(matcher, whole),
        "squares": _but_for_squares(whole, coder.mixes),
        "time": _but_for_time(whole, coder.mixes),
        "first": _up_to(whole, 1),
        "early": _up_to(whole, EARLY),
    }


def _whole(matcher: Matcher, coder: Coder, defaults: Mapping[str, float]) -> instructions.Seen:
    """Lay out what a matcher compares with as lanes."""
    observed = matcher.observed
    probes = observed.probes
    count, steps, tensors, coordinates = probes.gradients.shape
    lanes = tensors * coordinates
    shape, shape_bound = matcher.shape

    def by_lane(array: Array) -> Array:
        return _own(np.broadcast_to(array, (steps, count, tensors, coordinates)).reshape(steps, -1))

    def flat(array: Any) -> Array:
        return _own(np.broadcast_to(array, (count, tensors, coordinates)).reshape(-1))

    begins = np.arange(count) * lanes
    probe, first, last = _chunks([(p, p * lanes, (p + 1) * lanes) for p in range(count)])
    return instructions.Seen(
        by_lane(np.moveaxis(probes.gradients, 1, 0)),
        flat(probes.start),
        flat(probes.base),
        by_lane(observed.values),
        by_lane(matcher.bound),
        by_lane(shape),
        by_lane(shape_bound),
        flat(np.arange(1.0, tensors + 1)[None, :, None]),
        np.zeros(count * lanes, dtype=np.int64),
        _knob_table(probes, coder.knobs, defaults),
        probe,
        first,
        last,
        begins,
        begins + lanes,
        coordinates,
        float(tensors),
        coder.observed(probes.observe),
        -(-lanes // LANES) * LANES,
    )


def _own(array: Any) -> Array:
    """Copy numbers: what others may not write to is another type to the compiler, and is compiled for anew."""
    return np.array(array, dtype=np.float64, order="C")


def _chunks(runs: list[tuple[int, int, int]]) -> tuple[Array, Array, Array]:
    """Cut runs of lanes (probe, begin, end) into chunks, the first chunks of all runs first."""
    longest = max(end - begin for _, begin, end in runs)
    chunks = [
        (probe, begin + i, min(begin + i + LANES, end))
        for i in range(0, longest, LANES)
        for probe, begin, end in runs
        if begin + i < end
    ]
    probe, first, last = (np.array(part, dtype=np.int64) for part in zip(*chunks, strict=True))
    return probe, first, last


def _without_eps(matcher: Matcher, seen: instructions.Seen) -> instructions.Seen | None:
    """Keep the lanes with gradients so large that no usual eps shows, with a wider bound; None if there are few."""
    kept = _huge(seen)
    if len(kept) < LANES // 2:
        return None
    of_probe = kept // (len(seen.start) // len(seen.knobs))
    runs = []
    for probe in np.unique(of_probe):
        own = np.flatnonzero(of_probe == probe)
        runs.append((int(probe), int(own[0]), int(own[-1]) + 1))
    chosen = _chosen(seen, kept, *_chunks(runs))
    scale = update_scale(matcher.observed.values, matcher.observed.probes.base).reshape(len(seen.values), -1)
    bound = np.maximum(WITHOUT_EPS * scale[:, kept], 10 * chosen.bound)
    return chosen._replace(bound=np.ascontiguousarray(bound))


def _up_to(seen: instructions.Seen, step: int) -> instructions.Seen:
    """Keep the steps up to one."""
    by_step = ("gradients", "values", "bound", "shape", "shape_bound")
    return seen._replace(**{name: getattr(seen, name)[:step] for name in by_step})


def _but_for_squares(seen: instructions.Seen, mixes: bool) -> instructions.Seen | None:
    """Keep pairs of lanes whose gradients differ in signs alone: their ratio shows nothing that is made of squares."""
    pairs = []
    for group in _by_tensor(seen, np.arange(len(seen.start))):
        size = np.abs(seen.gradients[:, group])
        free = [i for i in range(len(group)) if size[:, i].any()]
        while free:
            i = free.pop(0)
            for j in free:
                if np.array_equal(size[:, i], size[:, j]):
                    pairs.append((group[i], group[j]))
                    free.remove(j)
                    break
    return _in_ratio(seen, [list(pair) for pair in pairs], mixes)


def _but_for_time(seen: instructions.Seen, mixes: bool) -> instructions.Seen | None:
    """Keep huge lanes beside the first of their tensor: their ratios show nothing that time and knobs alone make."""
    return _in_ratio(seen, [list(group) for group in _by_tensor(seen, _huge(seen)) if len(group) > 1], mixes)


def _huge(seen: instructions.Seen) -> Array:
    """List the lanes with gradients next to which no usual eps shows."""
    size = np.abs(seen.gradients)
    largest, smallest = size.max(axis=0), np.where(size == 0, np.inf, size).min(axis=0)
    return np.flatnonzero((largest >= LARGE) & (smallest >= LARGE / 1000))


def _by_tensor(seen: instructions.Seen, lanes: Array) -> list[Array]:
    return [lanes[lanes // seen.coordinates == i] for i in np.unique(lanes // seen.coordinates)]


def _in_ratio(seen: instructions.Seen, groups: list[list[int]], mixes: bool) -> instructions.Seen | None:
    """Lay out lanes so that each of a group, but the first, is compared in its ratio to the first.

    `mixes`: the rule reduces over tensors, so that all lanes of a probe must be there.
    """
    if not groups:
        return None
    per_probe = len(seen.start) // len(seen.knobs)
    if mixes:
        partner = np.zeros(len(seen.start), dtype=np.int64)
        for group in groups:
            partner[group] = group[0] - np.array(group)
        probe = np.unique([group[0] // per_probe for group in groups])
        first, last = probe * per_probe, (probe + 1) * per_probe
        chosen = seen._replace(probe_of_chunk=probe, chunk_begins=first, chunk_ends=last)
    else:
        groups = [group[:LANES] for group in groups]
        sizes = np.array([len(group) for group in groups])
        partner = np.concatenate([-np.arange(size) for size in sizes])
        probe, last = np.array([group[0] // per_probe for group in groups]), np.cumsum(sizes)
        chosen = _chosen(seen, np.concatenate(groups), probe, last - sizes, last)
    moves = chosen.values
    if seen.observed == instructions.RESULT:
        # What has gone to infinity moves by no number from there on.
        with np.errstate(all="ignore"):
            moves = np.diff(chosen.values, axis=0, prepend=chosen.base[None])
        chosen = chosen._replace(observed=instructions.OBSERVED)
    return chosen._replace(values=np.ascontiguousarray(moves), partner=partner)


def _chosen(seen: instructions.Seen, lanes: Array, probe: Array, first: Array, last: Array) -> instructions.Seen:
    """Keep some lanes. Without whole tensors nothing can be reduced: candidates that do are left out."""
    by_lane: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(seen, name)[..., lanes])
        for name in ("gradients", "start", "base", "values", "bound", "shape", "shape_bound", "tensor", "partner")
    }
    none = np.empty(0, dtype=np.int64)
    return seen._replace(
        **by_lane, probe_of_chunk=probe, chunk_begins=first, chunk_ends=last, probe_begins=none, probe_ends=none
    )


def _knob_table(probes: Probes, knobs: Sequence[str], defaults: Mapping[str, float]) -> Array:
    """Give the knobs of each probe, (probe, knob)."""
    count = len(probes.gradients)
    rows = [np.broadcast_to(np.ravel(probes.knobs.get(knob, defaults[knob])), (count,)) for knob in knobs]
    return np.ascontiguousarray(np.array(rows, dtype=np.float64).reshape(len(knobs), count).T)
