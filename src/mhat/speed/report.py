"""How far the step of one rule is from the limit of the memory and from its peers, on this machine.

It is given the step of mhat; it must not know how that is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import ml_dtypes
import numpy as np

from mhat.dtypes import DTYPES
from mhat.errors import BadValue, UnknownName
from mhat.language import Rule
from mhat.speed import limits, peers, timing

Array = np.ndarray[Any, np.dtype[Any]]
Making = Callable[[Array, Array], timing.Run]
LARGEST = 0.5
OURS, LIMIT = "mhat", "limit"
PEERS = {
    "torch": ("torch.optim", peers.TORCH, peers.torch_step),
    "optax": ("optax, jitted", peers.OPTAX, peers.optax_step),
    "keras": ("Keras", peers.KERAS, peers.keras_step),
}


@dataclass(frozen=True)
class Row:
    """A candidate: seconds a step, and how often as long as the step of mhat it takes, with the least and the most."""

    name: str
    seconds: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """What was measured: a row a candidate, mhat first and the limit second, and why a peer is not among them."""

    rule: str
    size: int
    dtype: str
    moved_bytes: int
    rows: tuple[Row, ...]
    absent: dict[str, str]

    @property
    def of_limit(self) -> float:
        """Give the share of the limit's pace that mhat reaches."""
        return self.rows[1].ratio

    def facts(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        rate = self.moved_bytes / self.rows[1].seconds
        return {**asdict(self), "of_limit": self.of_limit, "limit_bytes_per_second": rate}


def check_request(rule: Rule, size: int, dtype: str) -> None:
    """Refuse what cannot be measured, before anything is loaded for it."""
    if dtype not in DTYPES:
        raise UnknownName("dtype", dtype, DTYPES)
    if str(rule.level) == "per matrix":
        raise BadValue(
            f"{rule.name} works on whole matrices: memory is not its limit", "Choose another rule: mhat bench adam."
        )
    needed = limits.moved_bytes(size, len(rule.tree.states), dtype_of(dtype).itemsize) * (2 + len(PEERS))
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > LARGEST * there:
        raise BadValue(
            f"{size:,} parameters, with all peers, ask for {needed / 1e9:,.0f} GB, and there are {there / 1e9:,.0f}",
            "Give a smaller --size.",
        )


def dtype_of(name: str) -> np.dtype[Any]:
    """Give the dtype of a name."""
    return np.dtype(getattr(ml_dtypes, name, name))


def measure(
    rule: Rule,
    ours: Making,
    size: int,
    dtype: str,
    *,
    chosen: Sequence[str] = tuple(PEERS),
    repeats: int = timing.REPEATS,
    lasting: float = timing.LASTING,
) -> Standing:
    """Time the step of mhat, which `ours` makes of parameters and gradients, its limit and its peers, in turn."""
    g = np.random.default_rng(0).standard_normal(size, dtype=np.float32).astype(dtype_of(dtype))
    states = [g.copy() for _ in rule.tree.states]
    candidates: dict[str, timing.Run] = {OURS: ours(g.copy(), g), LIMIT: limits.moves(g.copy(), g, states)}
    absent: dict[str, str] = {}
    for package in chosen:
        name, rules, make = PEERS[package]
        if not peers.installed(package):
            absent[name] = "not installed"
        elif rule.name not in rules:
            absent[name] = f"has no {rule.name}"
        else:
            try:
                candidates[name] = make(rule.name, [g.copy()], [g])
                candidates[name]()
            # A peer that cannot do this is no reason to measure nothing.
            except Exception as error:
                candidates.pop(name, None)
                absent[name] = f"failed: {str(error).strip().splitlines()[0] if str(error).strip() else repr(error)}"
    taken = timing.interleaved(candidates, repeats=repeats, lasting=lasting)
    rows = []
    for name, timings in taken.items():
        compared = timing.ratio(timings, taken[OURS])
        rows.append(Row(name, timings.median, compared.median, compared.low, compared.high))
    moved = limits.moved_bytes(size, len(states), g.dtype.itemsize)
    return Standing(rule.name, size, dtype, moved, tuple(rows), absent)
