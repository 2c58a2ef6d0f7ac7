"""When a step goes which way: what the user's code asks there, else which steps they are. It writes no text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mhat.language.tree import Expression, Name, Number
from mhat.reading.courses import Unreadable
from mhat.reading.merging import Index, Merge, Part
from mhat.reading.sequences import op


@dataclass(frozen=True)
class Condition:
    """What decides: a part that is asked, or an expression in `t`; `denied`: it holds where it is not so."""

    asked: Part | None = None
    written: Expression | None = None
    denied: bool = False


def condition_of(merge: Merge, chosen: frozenset[Index], others: frozenset[Index], place: Any) -> Condition:
    """Find what is so in the chosen steps and in none of the others; raises Unreadable."""
    found = _asked(merge, chosen, others) or _counted(chosen, others) or _of_tensors(merge, chosen, others)
    if found is None:
        raise Unreadable("steps go different ways, and what decides it is not seen", place)
    return found


def _asked(merge: Merge, chosen: frozenset[Index], others: frozenset[Index]) -> Condition | None:
    ways = {(c, t): merge.courses[c].branches(t) for c, t in chosen | others}
    keys = set.intersection(*(set(way) for way in ways.values())) if ways else set()
    for key in sorted(keys, key=str):
        outcomes = {index: way[key][1] for index, way in ways.items()}
        for denied in (False, True):
            if all(outcomes[i] != denied for i in chosen) and all(outcomes[i] == denied for i in others):
                nodes = {index: way[key][0] for index, way in ways.items()}
                try:
                    part = merge.part(nodes)
                except Unreadable:
                    continue
                return None if part.kind == "number" else Condition(asked=part, denied=denied)
    return None


def _of_tensors(merge: Merge, chosen: frozenset[Index], others: frozenset[Index]) -> Condition | None:
    """Find which tensors go that way."""
    ours, theirs = ({merge.courses[c].tensor for c, _ in each} for each in (chosen, others))
    if ours & theirs:
        return None
    if len(theirs) == 1:
        return Condition(written=op("eq", Name("k"), Number(float(min(theirs) + 1))), denied=True)
    if len(ours) == 1:
        return Condition(written=op("eq", Name("k"), Number(float(min(ours) + 1))))
    return None


def _counted(chosen: frozenset[Index], others: frozenset[Index]) -> Condition | None:
    """Find a condition on the step number."""
    ours, theirs = ({t for _, t in each} for each in (chosen, others))
    if ours & theirs:
        return None
    step = Name("t")
    if ours == {1}:
        return Condition(written=op("eq", step, Number(1.0)))
    if theirs == {1}:
        return Condition(written=op("eq", step, Number(1.0)), denied=True)
    if max(ours) < min(theirs):
        return Condition(written=op("le", step, Number(float(max(ours)))))
    if max(theirs) < min(ours):
        return Condition(written=op("gt", step, Number(float(max(theirs)))))
    for every in range(2, 8):
        for rest in range(every):
            if all((t % every == rest) == (t in ours) for t in ours | theirs):
                return Condition(written=op("eq", op("mod", step, Number(float(every))), Number(float(rest))))
            if all((t % every == rest) == (t in theirs) for t in ours | theirs):
                asked = op("eq", op("mod", step, Number(float(every))), Number(float(rest)))
                return Condition(written=asked, denied=True)
    return None
