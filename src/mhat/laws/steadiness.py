"""Laws of the gradient that never changes, and of the longest step. They know no rule by name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

from mhat.language import Rule
from mhat.laws.gradients import grown
from mhat.laws.law import Array, Compared, Examined, Law, scale_of, steps_of
from mhat.laws.longest import LongestStep, NoLongestStep, longest_step
from mhat.laws.proofs import steadiness as proofs
from mhat.laws.proofs.proof import without_decay
from mhat.laws.reference import examined_of

FAR = 1024.0
LONG = 1200
BARELY = 1e-6


def family() -> Iterator[Law]:
    """Yield the laws of this family."""
    yield Law(
        "constant gradient",
        "A gradient that never changes moves the parameter by lr at every step, whatever its size.",
        "Ulps of lr, and of x in learning rates, which a step is a difference of.",
        "constant",
        _constant_gradient,
        _needs_rate,
        proof=lambda examined: without_decay(
            lambda rule: proofs.constant_gradient(rule, examined.knobs), examined.rule
        ),
    )
    yield Law(
        "weights sum to one",
        "The weights of an average sum to one from the first step on: equal gradients make equal steps.",
        "Ulps of the first step, and of x, which a step is a difference of.",
        "constant",
        _equal_steps,
        proof=lambda examined: without_decay(lambda rule: proofs.equal_steps(rule, examined.knobs), examined.rule),
    )
    yield Law(
        "step at most lr",
        "No gradients, however they grow or fall, make a step longer than lr.",
        "Ulps of lr, and of x in learning rates, which a step is a difference of.",
        "growing",
        _at_most_rate,
        _needs_short,
        BARELY,
        proof=lambda examined: proofs.at_most_rate(examined.rule, examined.knobs),
    )
    yield Law(
        "step bound",
        "However gradients grow or fall, no step is longer than the weights of the past ones allow.",
        "Ulps of the bound, and of x in learning rates, which a step is a difference of.",
        "growing",
        _bounded,
        _needs_bound,
        BARELY,
        proof=lambda examined: proofs.bounded(examined.rule, examined.knobs),
    )


def _needs_rate(examined: Examined) -> str | None:
    return None if examined.knobs.get("lr", 0) > 0 else "it has no learning rate"


def _needs_place(examined: Examined) -> str | None:
    lacking = _needs_rate(examined)
    if lacking is not None:
        return lacking
    moves, moves_afar = _long_moves(examined.rule, tuple(sorted(examined.knobs.items())))
    if not np.allclose(moves, moves_afar, rtol=1e-6, atol=1e-9, equal_nan=True):
        return "its steps depend on where x is"
    return None


@lru_cache(maxsize=256)
def _long_moves(rule: Rule, knobs: tuple[tuple[str, float], ...]) -> tuple[Array, Array]:
    """Give the rule's steps in learning rates on long streams, from 0 and from afar."""
    itself = examined_of(rule, dict(knobs))
    streams = np.stack([grown(ratio, LONG) for ratio in (1.0, -1.0, 1.111, 0.999, 0.99, 1.01)], axis=1)
    rate = itself.knobs["lr"]
    with np.errstate(all="ignore"):
        return steps_of(itself.ask(streams)) / rate, steps_of(itself.ask(streams, FAR), FAR) / rate


def _exceeded(examined: Examined, most: float) -> str | None:
    moves, _ = _long_moves(examined.rule, tuple(sorted(examined.knobs.items())))
    longest = float(np.nanmax(np.abs(moves), initial=0.0))
    return f"the rule itself takes steps of {longest:.3g} lr" if longest > most * (1 + BARELY) else None


def _needs_short(examined: Examined) -> str | None:
    return _needs_place(examined) or _exceeded(examined, 1.0)


def _needs_bound(examined: Examined) -> str | None:
    lacking = _needs_rate(examined)
    if lacking is not None:
        return lacking
    found = longest_step(examined.rule, examined.knobs)
    if isinstance(found, NoLongestStep):
        return found.reason
    return _needs_place(examined) or _exceeded(examined, found.value)


def bound(rule: Rule, knobs: Mapping[str, float] | None = None) -> float:
    """Give the longest possible step of a rule in learning rates, infinite where it has no bound; see `longest_step`.

    >>> from mhat.rules import adam
    >>> round(bound(adam), 4)
    7.2703
    """
    found = longest_step(rule, knobs)
    return found.value if isinstance(found, LongestStep) else math.inf


def _in_rates(examined: Examined, gradients: Array) -> Array:
    """Give the steps against the gradient's sign, in learning rates."""
    signs = np.sign(gradients)
    return -steps_of(examined.ask(gradients)) * np.where(signs == 0, 1.0, signs) / examined.knobs["lr"]


def _constant_gradient(examined: Examined, gradients: Array) -> Compared:
    return Compared(_in_rates(examined, gradients), np.ones(gradients.shape), quantity="step / lr")


def _equal_steps(examined: Examined, gradients: Array) -> Compared:
    steps = steps_of(examined.ask(gradients))
    expected = np.broadcast_to(steps[:1], steps.shape)
    sizes = np.abs(expected)
    return Compared(steps, expected, np.where(sizes > 0, sizes, scale_of(steps)), quantity="step")


def _at_most_rate(examined: Examined, gradients: Array) -> Compared:
    came = np.abs(_in_rates(examined, gradients))
    return Compared(came, np.ones(came.shape), quantity="step / lr", at_most=True)


def _bounded(examined: Examined, gradients: Array) -> Compared:
    came = np.abs(_in_rates(examined, gradients))
    most = bound(examined.rule, examined.knobs)
    return Compared(came, np.full(came.shape, most), most, quantity="step / lr", at_most=True)
