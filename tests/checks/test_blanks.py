"""What gives nothing but NaN: what can be told of it is told, and not more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mhat


class Adam:
    """Adam with a counter of its own."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        self.lr, self.beta1, self.beta2, self.eps, self.count = lr, beta1, beta2, eps, 0
        self.m = self.v = 0.0

    def counted(self) -> Any:
        return np.float64(self.count - 1)

    def step(self, x, g):  # type: ignore[no-untyped-def]
        self.count += 1
        t = self.counted()
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        with np.errstate(all="ignore"):
            root = np.sqrt(self.v / (1 - self.beta2**t)) + self.eps
            return x - self.lr * (self.m / (1 - self.beta1**t)) / root


class Bits(Adam):
    """The bits of an integer are read as a float: a denormal."""

    def counted(self) -> Any:
        return np.array(self.count, np.int32).view(np.float32).astype(np.float64)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Adam, "the step counter starts at 0: `t - 1` stands where `t` should"),
        (Bits, "the step counter is next to 0 at every step: `beta1**t` is 1"),
    ],
)
def test_what_nan_leaves_to_be_seen(kind: type, sentence: str) -> None:
    """Both make NaN for ever, and were given one name: with a beta1 of 0 the one does, and the other does not."""
    verdict = mhat.check(kind, "adam", seconds=10)
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == (sentence,)
    assert "it gives NaN from the first step on and for ever, whatever the gradients are" in verdict.notes
    # NaN keeps no law: what the first says is said once.
    assert [law.name for law in verdict.broken] == ["first step"]
    said = str(verdict).splitlines()
    assert len([line for line in said if line.startswith("as simple")]) == len(
        {line for line in said if line.startswith("as simple")}
    )
