"""What is read of subjects written in many ways, and that it does the same."""

from __future__ import annotations

import ctypes
import datetime
import math
import time
from typing import Any, ClassVar

import numpy as np
import pytest

import mhat
from benchmarks.styles import STYLES

Array = Any


def adam_with_one_beta(gradients: Array, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999) -> Array:
    x = m = v = np.zeros(gradients.shape[1:])
    xs = []
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta1**t)
        x = x - lr * m_hat / (np.sqrt(v_hat) + 1e-8)
        xs.append(x)
    return np.array(xs)


def test_a_rule_is_read_under_the_users_names() -> None:
    reading = mhat.read(adam_with_one_beta)
    assert reading.complete and reading.notes == ()
    assert str(reading).splitlines() == [
        "def adam_with_one_beta(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999):",
        "    m = beta1 * m + (1 - beta1) * g",
        "    v = beta2 * v + (1 - beta2) * g**2",
        "    m_hat = m / (1 - beta1**t)",
        "    v_hat = v / (1 - beta1**t)",
        "    return x - lr * m_hat / (sqrt(v_hat) + 1e-8)",
    ]


def test_each_line_has_the_place_it_came_from() -> None:
    first = adam_with_one_beta.__code__.co_firstlineno
    lines = mhat.read(adam_with_one_beta).lines
    assert [line.places for line in lines] == [((__file__, first + n),) for n in (4, 5, 6, 7, 8)]


def test_what_was_read_is_a_rule() -> None:
    rule = mhat.read(adam_with_one_beta).rule
    assert rule is not None
    ds = mhat.trace(rule, "constant:10", steps=3)
    assert list(ds.data_vars) == ["g", "x", "m", "v", "m_hat", "v_hat"]
    assert mhat.read(rule).rule == rule


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_every_style_is_read(style: Any) -> None:
    reading = mhat.read(style)
    assert reading.complete, reading.notes


def scheduled(gradients: Array) -> Array:
    x, xs = np.zeros(gradients.shape[1:]), []
    for i, g in enumerate(gradients):
        rate = 0.1 if i == 0 else 0.05 / math.sqrt(i)
        x = x - rate * np.clip(g, -1.0, 1.0)
        xs.append(x)
    return np.array(xs)


def test_a_way_that_the_first_step_goes_alone_becomes_a_choice() -> None:
    assert str(mhat.read(scheduled)).splitlines() == [
        "def scheduled(x, g, t):",
        "    rate = 0.1 if t == 1 else 0.05 / sqrt(t - 1)",
        "    return x - rate * clip(g, -1, 1)",
    ]


def switching(gradients: Array, lr: float = 0.1) -> Array:
    x, xs = np.zeros(gradients.shape[1:]), []
    for g in gradients:
        if np.linalg.norm(g) > 1.5:
            g = g / np.linalg.norm(g)
        x = x - lr * g
        xs.append(x)
    return np.array(xs)


def test_what_the_code_asks_decides() -> None:
    assert str(mhat.read(switching)).splitlines() == [
        "def switching(x, g, *, lr=0.1):",
        "    length = norm(g)",
        "    g_2 = g / length if length > 1.5 else g",
        "    return x - lr * g_2",
    ]


def sorting(gradients: Array) -> Array:
    x, xs = np.zeros(gradients.shape[1:]), []
    for g in gradients:
        x = x - 0.1 * np.sort(g)
        xs.append(x)
    return np.array(xs)


def test_what_cannot_be_read_is_said_with_its_place() -> None:
    reading = mhat.read(sorting)
    assert reading.rule is None and not reading.complete
    assert reading.notes[0] == "np.sort is not recorded"
    assert "one coordinate looks at another one" in reading.notes[1] and "x = x - 0.1 * np.sort(g)" in reading.notes[1]


def noticing(gradients: Array) -> Array:
    factor = 0.1 if type(gradients) is np.ndarray else 0.2
    return -factor * np.cumsum(gradients, axis=0)


def test_what_computes_otherwise_when_it_is_recorded_is_not_believed() -> None:
    """Guards against a reading of code that notices the recording."""
    reading = mhat.read(noticing)
    assert reading.notes == ("recording changes what it computes, so nothing of it is believed",)


class ByTheClock:
    def __init__(self, lr: float = 0.1) -> None:
        self.lr = lr

    def step(self, params: Array, grads: Array) -> None:
        hour = int(time.time() // 3600) % 100
        for p, g in zip(params, grads, strict=True):
            p -= self.lr / (1 + hour) * g


class Timed(ByTheClock):
    def step(self, params: Array, grads: Array) -> None:
        begun = time.perf_counter()
        for p, g in zip(params, grads, strict=True):
            p -= self.lr * g
        self.took = time.perf_counter() - begun


def test_what_depends_on_the_clock_is_said_with_its_place() -> None:
    reading = mhat.read(ByTheClock)
    assert reading.rule is None and reading.notes[0].startswith(
        "it depends on the clock: at another time the same gradients give other parameters: "
    )
    assert reading.notes[0].endswith("hour = int(time.time() // 3600) % 100")


def test_what_only_measures_its_time_is_read() -> None:
    clocks = time.time, time.perf_counter, datetime.datetime
    assert mhat.read(Timed).complete
    assert (time.time, time.perf_counter, datetime.datetime) == clocks


class InItsClass:
    velocity: ClassVar[dict[Any, Array]] = {}

    def __init__(self, lr: float = 0.1, momentum: float = 0.9) -> None:
        self.lr, self.momentum = lr, momentum

    def step(self, params: Array, grads: Array) -> None:
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            self.velocity[i] = self.momentum * self.velocity.get(i, np.zeros_like(p)) + g
            p -= self.lr * self.velocity[i]


def test_what_is_kept_in_a_class_is_put_back_before_each_run() -> None:
    reading = mhat.read(InItsClass)
    assert reading.complete and reading.rule is not None, reading.notes
    assert mhat.compare(reading.rule, "momentum", lr=0.1, momentum=0.9).same


class InABuffer(InItsClass):
    def step(self, params: Array, grads: Array) -> None:
        self.buffers = getattr(self, "buffers", None) or [(ctypes.c_float * p.size)() for p in params]
        for p, g, buffer in zip(params, grads, self.buffers, strict=True):
            for i, value in enumerate(g.ravel()):
                buffer[i] = self.momentum * buffer[i] + value
            p -= self.lr * np.array(list(buffer)).reshape(p.shape)


def test_a_state_that_no_recording_sees_is_said() -> None:
    reading = mhat.read(InABuffer)
    assert reading.rule is None
    assert reading.notes[-1].startswith("numbers that the gradients decide come from where nothing is recorded: ")


class Shared(ByTheClock):
    def step(self, params: Array, grads: Array) -> None:
        for p, g in zip(params, grads, strict=True):
            centred = g - g.mean()
            spread = np.sum(np.abs(centred)) / centred.size + np.linalg.norm(g.ravel(), np.inf)
            p -= self.lr * np.where(spread > 1, 1.0, spread) * centred


def test_means_norms_and_choices_of_a_whole_tensor() -> None:
    """Guards against a size that is taken for the number of the tensor, and a choice that is not recorded."""
    reading = mhat.read(Shared)
    assert reading.complete, reading.notes
    assert [line.text for line in reading.lines] == [
        "centred = g - mean(g)",
        "spread = mean(abs(centred)) + largest(abs(g))",
        "return x - lr * where(spread > 1, 1, spread) * centred",
    ]


def test_nothing_is_left_behind() -> None:
    """Guards the functions of NumPy and the literals that are exchanged while a tape is written."""
    before = np.array, math.sqrt, max, scheduled.__code__, np.zeros
    mhat.read(scheduled)
    assert (np.array, math.sqrt, max, scheduled.__code__, np.zeros) == before
    assert type(np.zeros(3)) is np.ndarray
