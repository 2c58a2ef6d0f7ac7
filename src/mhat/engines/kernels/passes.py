"""Which passes over memory a lowered rule needs: one, and one more for each reduction that waits for another.

A pass reads what it needs, computes values again that an earlier pass had (they are the same bits), and stores the
states that are known by then, so that later passes read them instead of computing them. It knows no target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mhat.engines.kernels.lowering import G, Kind, Lowered, Value, X
from mhat.language.walking import names_in


@dataclass(frozen=True)
class Pass:
    """One pass over the coordinates.

    `reductions`: what it sums, all over one tensor (`over` is None) or all over all tensors. `values`: what it
    computes on the way, in order. `loads`: the values that it reads: `x_in`, `g_in`, those of states. `stores`: the
    states that it writes. The last pass has no reductions and writes x too.
    """

    reductions: tuple[Value, ...]
    over: str | None
    values: tuple[Value, ...]
    loads: Mapping[str, str]
    stores: tuple[str, ...]

    @property
    def last(self) -> bool:
        """Whether this is the pass that writes x."""
        return not self.reductions


def passes_of(lowered: Lowered, *, exact: bool = True) -> list[Pass]:
    """Derive the passes, with the states stored as early as no later pass needs what they were before.

    `exact`: memory keeps a state as it was computed; where it rounds, all is stored in the last pass.
    """
    depths = _depths(lowered)
    reductions = _needed_reductions(lowered)
    groups = sorted({(depths[value.id], _over(value) or "") for value in reductions})
    last = len(groups)
    states = lowered.states(Kind.COORDINATE)
    early = {name: _first_pass(groups, depths[lowered.after[name]]) for name in states}
    early = {name: at for name, at in early.items() if exact and at < last and lowered.after[name] in lowered.by_id}
    while True:
        made = [_pass(lowered, depths, groups, i, early) for i in range(last + 1)]
        spoilt = {
            name
            for name, at in early.items()
            for later in made[at + 1 :]
            if later.loads.get(lowered.before[name]) == name
        }
        if not spoilt:
            return made
        early = {name: at for name, at in early.items() if name not in spoilt}


def closure(lowered: Lowered, roots: Iterable[str], leaves: Iterable[str]) -> tuple[list[Value], set[str]]:
    """Collect the values that roots are computed from, in order, down to `leaves`, and the names that are read."""
    known, values = lowered.by_id, set[str]()
    read, waiting, stop = set[str](), list(roots), set(leaves)
    while waiting:
        name = waiting.pop()
        if name in stop or name not in known or known[name].reduction:
            read.add(name)
        elif name not in values:
            values.add(name)
            waiting += names_in(known[name].expression)
    return [value for value in lowered.values if value.id in values], read


def _depths(lowered: Lowered) -> dict[str, int]:
    """Count for each value the passes that must be over before it is known; a reduction is known after its own."""
    depths = dict.fromkeys(lowered.kinds, 0)
    for value in lowered.values:
        inner = max((depths[name] for name in names_in(value.expression)), default=0)
        depths[value.id] = inner + 1 if value.reduction else inner
    return depths


def _needed_reductions(lowered: Lowered) -> list[Value]:
    found: dict[str, Value] = {}
    waiting = [lowered.result, *lowered.after.values()]
    while waiting:
        _, read = closure(lowered, waiting, ())
        new = [lowered.by_id[n] for n in read if n in lowered.by_id and n not in found]
        found.update((value.id, value) for value in new)
        waiting = [name for value in new for name in names_in(value.expression)]
    return [value for value in lowered.values if value.id in found]


def _over(value: Value) -> str | None:
    assert value.reduction is not None
    return value.reduction.over


def _first_pass(groups: list[tuple[int, str]], depth: int) -> int:
    """Find the first pass in which a value of this depth can be computed: all reductions before are over."""
    return sum(level <= depth for level, _ in groups)


def _pass(
    lowered: Lowered, depths: Mapping[str, int], groups: list[tuple[int, str]], place: int, early: Mapping[str, int]
) -> Pass:
    last = place == len(groups)
    reductions: list[Value] = []
    if not last:
        level, over = groups[place]
        needed = _needed_reductions(lowered)
        reductions = [v for v in needed if depths[v.id] == level and (_over(v) or "") == over]
    stores = [name for name in lowered.states(Kind.COORDINATE) if early.get(name, len(groups)) == place]
    stores = [name for name in stores if lowered.after[name] != lowered.before[name]]
    stored = {lowered.after[name]: name for name, at in early.items() if at < place}
    roots = [name for value in reductions for name in names_in(value.expression)]
    roots += [lowered.after[name] for name in stores]
    if last:
        roots += [lowered.result, *(lowered.after[name] for name in lowered.states(Kind.TENSOR))]
    values, read = closure(lowered, roots, stored)
    before = {lowered.before[name]: name for name in lowered.states(Kind.COORDINATE)}
    loads = {X: "x", G: "g"} | before | stored
    return Pass(
        tuple(reductions),
        (groups[place][1] or None) if not last else None,
        tuple(values),
        {name: array for name, array in loads.items() if name in read},
        tuple(stores),
    )
