"""Laws of memory: what a rule is without a part of it. They know no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from mhat.language import Rule
from mhat.laws.law import Array, Compared, Examined, Law, scale_of
from mhat.laws.proofs import structure
from mhat.laws.reference import predicted
from mhat.laws.shortening import forgettable, shortened


def family() -> Iterator[Law]:
    """Yield the laws of this family."""
    yield Law(
        "without memory",
        "With a decay rate of zero nothing of that average is remembered: the rule becomes a shorter one.",
        "Ulps of how far x gets.",
        "sequence",
        _without_memory,
        _needs_decay_rate,
        turns=_one_rate_each,
        proof=lambda examined: structure.without_memory(examined.rule, free_rates(examined)),
    )


def _needs_decay_rate(examined: Examined) -> str | None:
    return None if free_rates(examined) else "it has no decay rate that is free"


def free_rates(examined: Examined) -> list[str]:
    """List the knobs that make the rule shorter at zero and may be set."""
    return [name for name in _rates(examined.rule) if name in examined.free]


@lru_cache(maxsize=256)
def _rates(rule: Rule) -> tuple[str, ...]:
    return tuple(forgettable(rule))


@lru_cache(maxsize=256)
def _shorter(rule: Rule, knob: str) -> Rule:
    return shortened(rule, knob)


def _one_rate_each(examined: Examined) -> Iterator[Examined]:
    for knob in free_rates(examined):
        yield replace(examined, free=frozenset({knob}))


def _without_memory(examined: Examined, gradients: Array) -> Compared:
    (knob,) = free_rates(examined)
    changed = {knob: 0.0}
    expected = predicted(examined, gradients, rule=_shorter(examined.rule, knob))
    return Compared(examined.ask(gradients, changed=changed), expected, scale_of(expected), changed)
