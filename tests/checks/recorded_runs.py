"""Runs as people log them, right ones and wrong ones, as records. Plain NumPy: it shares nothing with the engines."""

from __future__ import annotations

from typing import Any

import numpy as np

from mhat.subjects.records import Record
from mhat.subjects.records.digits import half_units

Array = np.ndarray[Any, Any]
Logged = tuple[Array, Array, Array]
STEPS, WIDTH = 40, 5
TURN = np.arange(STEPS)


def adam(
    *, warm: int = 0, rates: Any = 1e-3, decay: Any = 0.0, beta2: float = 0.999, eps: float = 1e-8, off: int = 0,
    coupled: bool = False, corrected: bool = True, again: int | None = None, lost: int | None = None, v0: float = 0.0,
    seed: int = 4,
) -> Logged:  # fmt: skip
    """Give gradients, parameters and start of a run of Adam, `warm` steps of it unwritten; the rest makes it wrong."""
    generator = np.random.default_rng(seed)
    x, scale = generator.normal(size=WIDTH), np.exp(1.5 * generator.normal(size=WIDTH))
    m, v, t, start = np.zeros(WIDTH), np.full(WIDTH, v0), 0, x
    rates = np.concatenate([np.full(warm, np.ravel(rates)[0]), np.broadcast_to(rates, STEPS)])
    written: list[tuple[Array, Array]] = []
    for turn, rate in enumerate(rates):
        start = x if turn == warm else start
        t = 0 if turn == again else t
        m, v = (np.zeros(WIDTH), np.zeros(WIDTH)) if turn == lost else (m, v)
        t += 1
        g = generator.normal(size=WIDTH) * scale
        used = g + decay * x if coupled else g
        m = 0.9 * m + 0.1 * used
        v = beta2 * v + (1 - beta2) * used**2
        m_hat, v_hat = (m / (1 - 0.9 ** (t + off)), v / (1 - beta2 ** (t + off))) if corrected else (m, v)
        x = x * (1 - (0.0 if coupled else rate * np.asarray(decay))) - rate * m_hat / (np.sqrt(v_hat) + eps)
        written.append((g, x))
    return np.array([g for g, _ in written[warm:]]), np.array([x for _, x in written[warm:]]), start


def record(logged: Logged, *, start: bool = True, digits: int = 0, **more: Any) -> Record:
    """Write a run down, with so many digits."""
    g, x, first = logged
    halves: dict[str, Any] = {}
    if digits:
        (g, g_half), (x, x_half), (rows, _) = _cut(g, digits), _cut(x, digits), _cut(first[None], digits)
        first, halves = rows[0], {"g_halves": [g_half], "x_halves": [x_half]}
    return Record("run", [g], [x], "x", [first] if start else None, **halves, **more)


def _cut(values: Array, digits: int) -> tuple[Array, Array]:
    columns = [[f"{value:.{digits}g}" for value in column] for column in values.T]
    return np.array([[float(c) for c in column] for column in columns]).T, np.array([half_units(c) for c in columns]).T


def seldom() -> Record:
    """Write x at every fourth step only."""
    g, x, start = adam()
    return Record("run", [g], [np.where((TURN % 4 == 3)[:, None], x, np.nan)], "x", [start])


def before() -> Record:
    """Write x as it was before each step."""
    g, x, start = adam()
    return Record("run", [g], [np.vstack([start[None], x[:-1]])])


def in_parts() -> Record:
    """Write a row for each of four gradients that are averaged to one."""
    g, x, start = adam()
    parts = np.random.default_rng(5).normal(size=(STEPS, 4, WIDTH))
    parts += (g - parts.mean(axis=1))[:, None]
    rows = np.repeat(np.vstack([start[None], x[:-1]]), 4, axis=0)
    rows[3::4] = x
    return Record("run", [parts.reshape(-1, WIDTH)], [rows], "x", [start])


def with_gaps() -> Record:
    """Leave every third step without a gradient: the tensor is passed over."""
    g, x, start = adam()
    rows = [(g[i], x[i]) for i in range(STEPS)]
    for place in range(STEPS - 1, 0, -2):
        rows.insert(place, (np.full(WIDTH, np.nan), rows[place - 1][1]))
    return Record("run", [np.array([a for a, _ in rows])], [np.array([b for _, b in rows])], "x", [start])
