"""Arrays and numbers that record: their bits are those of plain ones, and every element knows what it was made of."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mhat.subjects.recording.recorder import Recording, record

Array = Any
GRADIENTS = np.random.default_rng(7).normal(size=(4, 3))


def recorded(function: Callable[[Array], Array]) -> Recording:
    """Record a function of gradients; its bits must be those of a plain run."""
    with np.errstate(all="ignore"):
        plain = function(GRADIENTS.copy())
        recording = record(lambda streams, starts, knobs: [function(streams[0])], [GRADIENTS], [np.zeros(3)], {})
    assert np.array_equal(np.ravel(plain), recording.parameters[0], equal_nan=True)
    return recording


def spelled(recording: Recording, node: int) -> str:
    """Spell what a node is made of: g11 is the first coordinate at the first step."""
    op = recording.ops[node]
    if op == "gradient":
        _, step, coordinate = recording.names[node]
        return f"g{step}{coordinate + 1}"
    if op == "constant":
        return f"{recording.values[node]:g}"
    return f"{op}({', '.join(spelled(recording, each) for each in recording.inputs[node])})"


def in_place(g: Array) -> Array:
    x = np.zeros_like(g)
    x += g
    x *= 0.25
    return x


def through_views(g: Array) -> Array:
    memory = np.zeros(24)
    x = memory[12:].reshape(4, 3)
    x[:] = g
    x.T[0] *= 0.25
    return memory[12:].reshape(4, 3)


def with_out(g: Array) -> Array:
    out = np.empty(g.shape)
    np.multiply(g, 0.25, out=out)
    np.add(out, 0.5, out=out)
    return out


def in_lists(g: Array) -> Array:
    rows = []
    for row in g:
        rows.append([float(value) * 0.25 for value in row])
    return np.array(rows)


def by_item(g: Array) -> Array:
    x = np.empty(g.shape)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            x[i, j] = math.sqrt(abs(g[i, j].item()))
    return x


def copied(g: Array) -> Array:
    return np.asarray(np.array(g).copy().astype(np.float64)) * 0.25


@pytest.mark.parametrize(
    "function, first",
    [
        (in_place, "mul(add(0, g11), 0.25)"),
        (through_views, "mul(g11, 0.25)"),
        (with_out, "add(mul(g11, 0.25), 0.5)"),
        (in_lists, "g11"),
        (by_item, "sqrt(abs(g11))"),
        (copied, "mul(g11, 0.25)"),
        (lambda g: np.where(g > 0, g, 0.25), "where(gt(g11, 0), g11, 0.25)"),
        (lambda g: np.clip(g, -0.5, 0.5), "clip(g11, -0.5, 0.5)"),
        (lambda g: np.square(g) / np.linalg.norm(g[0]), "div(pow(g11, 2), norm(g11, g12, g13))"),
        (lambda g: np.stack([row.mean() * row for row in g]), "mul(mean(g11, g12, g13), g11)"),
        (lambda g: np.maximum(np.abs(g), 0.25) ** 0.5, "pow(maximum(abs(g11), 0.25), 0.5)"),
        (lambda g: g.astype(np.float32).astype(np.float64), "cast(g11)"),
        (lambda g: np.concatenate([g[:2], g[2:]]) @ np.eye(3) * 0.0 + g, ""),
    ],
)
def test_what_an_element_is_made_of(function: Callable[[Array], Array], first: str) -> None:
    recording = recorded(function)
    if function is in_lists:
        # A plain float has left what records; it is known again by its value where it comes back.
        assert recording.ops[recording.outputs[0][0]] in ("constant", "mul")
    elif first:
        assert spelled(recording, recording.outputs[0][0]) == first


def test_a_recording_goes_through_json() -> None:
    recording = recorded(in_place)
    again = Recording.of_data(json.loads(json.dumps(recording.as_data())))
    assert again == recording


def test_the_place_of_an_operation_is_the_users_expression() -> None:
    recording = recorded(in_place)
    node = recording.outputs[0][0]
    file, line, *_ = recording.places[recording.where[node]][0]
    assert (file, line) == (__file__, in_place.__code__.co_firstlineno + 3)


def test_steps_are_marked_when_their_gradient_is_taken_up() -> None:
    recording = recorded(lambda g: np.stack([row * 0.5 for row in g]))
    assert [step for _, step in recording.marks] == [1, 2, 3, 4]
