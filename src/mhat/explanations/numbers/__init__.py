"""Numbers that mean something, derived from the structure of a rule, or measured in a run that anyone can repeat.

    numbers_of      the claims of all families about a rule, or of one
    FAMILIES        the families, by name
    claimed         what one function of a family claims

    past            half-lives, the weights of the past, how long corrections matter
    floors          eps: where it stands, where it rules, the share of the step it takes
    noise           the typical step under white noise, where decay holds the weights
    stability       the steepest bowl
    longest         the longest step, and what a spike does
    rarity          gradients that come rarely, rows that are not seen
    batches         what the knobs become for a larger batch
    resuming        what must be saved, and whether an idle step moves anything
    dtypes          what float16 and bfloat16 lose
    memory          bytes a parameter, operations a step

    responses, averages, parts, walks: a rule taken apart, and driven; readings, wording: numbers read and said

It knows no rule and no variable by its name: a user's own rule gets the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from mhat.explanations.claims import Claim
from mhat.explanations.numbers import (
    batches,
    dtypes,
    floors,
    longest,
    memory,
    noise,
    past,
    rarity,
    resuming,
    stability,
)  # fmt: skip
from mhat.explanations.numbers.parts import parts_of
from mhat.explanations.numbers.readings import Unread, repeatable
from mhat.explanations.runs import Setting

__all__ = ["FAMILIES", "claimed", "numbers_of"]

# Families of numbers that hold once a rule has settled: none is told of one whose states never keep the same share.
SETTLED = frozenset({"floors", "noise", "stability", "rarity", "batches", "dtypes"})

FAMILIES: dict[str, tuple[Callable[[Setting], Iterator[Claim]], ...]] = {
    "past": (past.past_numbers,),
    "floors": (floors.floor_numbers,),
    "noise": (noise.noise_numbers,),
    "stability": (stability.stability_numbers,),
    "longest": (longest.longest_numbers, longest.spike_numbers, longest.unbounded_numbers),
    "rarity": (rarity.rare_numbers, rarity.unseen_numbers),
    "batches": (batches.batch_numbers,),
    "resuming": (resuming.resuming_numbers, resuming.idle_numbers),
    "dtypes": (dtypes.dtype_numbers,),
    "memory": (memory.memory_numbers,),
}


def numbers_of(setting: Setting, *families: str) -> Iterator[Claim]:
    """Yield the numbers of a rule, family by family: all of them, or those named.

    What only a run could show is not said of a rule that cannot be run so.
    """
    settles = not parts_of(setting).changing
    for name in families or FAMILIES:
        if name in SETTLED and not settles:
            continue
        for family in FAMILIES[name]:
            yield from claimed(family, setting)


def claimed(family: Callable[[Setting], Iterator[Claim]], setting: Setting) -> list[Claim]:
    """List what a family claims: up to where it would need a run that cannot be; no number is warned of."""
    claims: list[Claim] = []
    with np.errstate(all="ignore"), suppress(Unread):
        claims.extend(repeatable(claim) for claim in family(setting))
    return claims
