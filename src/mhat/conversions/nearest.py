"""Where two optimizers are not the same: which knob they treat otherwise, and which constant comes nearest.

It knows no framework.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np

from mhat.conversions.chosen import Chosen
from mhat.conversions.entries import NEUTRAL
from mhat.conversions.matching import Match, remade
from mhat.conversions.pseudo_code import with_knobs
from mhat.conversions.runs import FEW, all_apart, rule_paths, same, whole_tensors, worst
from mhat.language import Rule

# Settings tried between the smallest and the largest, and how often the search closes in on the best of them.
GRID, ROUNDS = 17, 3


def causes(source: Chosen, match: Match) -> tuple[str, ...]:
    """Give the knobs without which both would be the same, as few as possible; nothing if it is not in the knobs."""
    knobs = [knob for knob, value in source.knobs.items() if knob in NEUTRAL and value != NEUTRAL[knob]]
    for size in (1, 2):
        for chosen in combinations(knobs, size):
            without = replace(source, knobs={**source.knobs, **{knob: NEUTRAL[knob] for knob in chosen}})
            if same(without.rule, remade(without, match).seen, FEW, ("normal",)):
                return chosen
    return ()


def same_if_held(source: Rule, match: Match, held: Mapping[str, float]) -> bool:
    """Whether both would be the same if the match held knobs, which it does not have, at other values."""
    return same(source, with_knobs(match.rule, {}, {**match.rule.knobs, **held}), FEW, ("normal",))


def best_constant(source: Rule, match: Match, knob: str) -> float:
    """Search the constant value of a knob of a match that comes nearest to the source on all streams."""
    several = whole_tensors(source, match.rule)
    expected = rule_paths(source, several)
    usual = match.rule.knobs[knob]
    low, high = math.log10(min(usual / 100, usual**2)), math.log10(max(usual * 100, math.sqrt(usual)))
    best = math.log10(usual)
    found = {best: worst(all_apart(expected, rule_paths(match.rule, several)))}
    for _ in range(ROUNDS):
        for place in np.linspace(low, high, GRID).tolist():
            found[place] = worst(all_apart(expected, rule_paths(match.rule, several, {knob: 10.0**place})))
        best = min(found, key=lambda place: found[place])
        width = (high - low) / (GRID - 1)
        low, high = best - width, best + width
    return usual if best == math.log10(usual) else float(f"{10.0**best:.3g}")
