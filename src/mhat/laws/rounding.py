"""How near a law must be kept: as far as honest implementations stray from it, and no further. It knows no law by name.

Nothing is guessed. A run may stray

- twice as far as the rule itself does on the same gradients in double precision (eps makes it stray a little),
- twice as far as the rule does that is computed in the dtype of the run, in each of the ways that are usual there,
- by half an ulp of how far x has moved for every operation of a step and for every step, and by half an ulp of the
  start for every step, beside which x is rounded; twice, because a law compares two runs.

How far a run may stray is reckoned in parts of how far it has moved, at every step and coordinate. An ulp of what is
computed is never taken finer than one of float32: much that answers in double computes in single.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines.small import is_small
from mhat.language import Operation, Rule
from mhat.language.walking import all_expressions
from mhat.laws.gradients import seeded
from mhat.laws.law import Array, Compared, Examined, Law
from mhat.laws.reference import beside, ways


def ulp(dtype: str) -> float:
    """Give the distance of 1 to the next number of a dtype.

    >>> ulp("bfloat16")
    0.0078125
    """
    return DTYPES[dtype].epsilon


def broken(law: Law, examined: Examined, gradients: Array, compared: Compared) -> Array:
    """Tell where what came strays further from a law than it may, (T, n)."""
    differences = compared.differences()
    where = np.asarray(differences > _allowed(examined, compared, _strayed(law, examined, gradients)))
    if where.any() and examined.dtype != "float64":
        # Only here the other ways of computing the rule, which take time, can matter.
        where &= differences > allowed(law, examined, gradients, compared)
    return where


def allowed(law: Law, examined: Examined, gradients: Array, compared: Compared) -> Array:
    """Give how far from a law what came may be on some gradients, (T, n)."""
    worst = _strayed(law, examined, gradients)
    if examined.dtype != "float64":
        worst = np.maximum(worst, _strayed_in_dtype(law, examined, gradients))
    return _allowed(examined, compared, worst)


def hidden(law: Law, examined: Examined) -> bool:
    """Whether nothing that breaks a law could be seen in the dtype: a run may not move at all, and yet be right."""
    return is_small(examined.dtype) and all(_hides(law, turn) for turn in law.turns(examined))


def strays(law: Law, examined: Examined) -> float:
    """Give how far the rule itself strays from a law on the seeded streams, in double precision; NaN if it is lost."""
    errors = [_itself(law, turn, seeded(law.kind)).errors() for turn in law.turns(examined)]
    return float(np.max([np.max(each, initial=0.0) for each in errors]))


def _allowed(examined: Examined, compared: Compared, strayed: Array) -> Array:
    """Give what is allowed, given how far honest implementations stray."""
    parts, whole = strayed
    finest, steps = ulp(examined.dtype), np.arange(1.0, len(parts) + 1)[:, None]
    computed = (operations(examined.rule) + steps) * max(finest, ulp("float32"))
    with np.errstate(all="ignore"):
        far = compared.moved() * (2 * parts + computed) + 2 * whole + abs(compared.start) * steps * finest
    return np.where(np.isnan(far), np.inf, far)


def _hides(law: Law, examined: Examined) -> bool:
    streams = seeded(law.kind)
    itself = _itself(law, examined, streams)
    moved = itself.moved()
    size = moved if moved.any() else np.full(moved.shape, abs(itself.start))
    return bool((allowed(law, examined, streams, itself) >= size)[size > 0].all())


def _apart(compared: Compared) -> Array:
    """Give the differences in parts of what was to have moved, and as they are where nothing was, (2, T, n)."""
    differences, moved = compared.differences(), compared.moved()
    with np.errstate(all="ignore"):
        return np.where(np.stack([moved > 0, moved == 0]), [differences / moved, differences], 0.0)


def _itself(law: Law, examined: Examined, gradients: Array) -> Compared:
    if gradients is seeded(law.kind):
        return _seeded_itself(law, _Conditions(beside(examined)))
    return law.ask(beside(examined), gradients)


def _strayed(law: Law, examined: Examined, gradients: Array) -> Array:
    """Give how far the rule itself strays in double precision."""
    return _apart(_itself(law, examined, gradients))


def _strayed_in_dtype(law: Law, examined: Examined, gradients: Array) -> Array:
    """Give how far the rule strays that is computed in the dtype, in the worst of the usual ways."""
    if gradients is seeded(law.kind):
        return _seeded_strayed(law, _Conditions(beside(examined)))
    strayed = [_apart(law.ask(beside(examined, way), gradients)) for way in ways(examined.rule, examined.dtype)]
    # What was rounded once is carried on, though it may cancel by chance.
    return np.asarray(np.maximum.accumulate(np.max(strayed, axis=0), axis=1))


@lru_cache(maxsize=256)
def operations(rule: Rule) -> int:
    """Count the operations of a step.

    >>> from mhat.language import rule
    >>> operations(rule("def sgd(x, g, *, lr=0.1): return x - lr * g"))
    2
    """
    return sum(isinstance(node, Operation) for node in all_expressions(rule.tree))


class _Conditions:
    """What is examined of a rule itself, equal to any other of the same rule and knobs: a key for a cache."""

    def __init__(self, examined: Examined) -> None:
        self.examined = examined
        self.key = (
            examined.rule, tuple(sorted(examined.knobs.items())), examined.free, examined.several, examined.starts,
            examined.vectors, examined.dtype,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Conditions) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=1024)
def _seeded_itself(law: Law, conditions: _Conditions) -> Compared:
    return law.ask(conditions.examined, seeded(law.kind))


@lru_cache(maxsize=1024)
def _seeded_strayed(law: Law, conditions: _Conditions) -> Array:
    # A copy is not the seeded streams themselves: this is where they are computed.
    return _strayed_in_dtype(law, conditions.examined, seeded(law.kind).copy())
