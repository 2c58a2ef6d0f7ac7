"""What computes in a smaller type inside is judged as that type, and no mistake is excused by it."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import mhat
from mhat.checks.traits.arithmetic import inside, spoken_types
from mhat.checks.verdict import Verdict
from mhat.subjects.classes import subject_of_class

INSIDE = "it computes in {} inside: it is judged to the rounding of that type"


class Plain:
    """Adam; what is cast, and what is wrong, stands in what is made of it."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m: Any = None
        self.v: Any = None
        self.t = 0

    def cast(self, g: Any) -> Any:
        return g

    def square(self, g: Any) -> Any:
        return g * g

    def step(self, x, g):  # type: ignore[no-untyped-def]
        g = self.cast(g)
        if self.m is None:
            self.m, self.v = self.begun(np.zeros_like(g)), self.begun(np.zeros_like(g))
        self.t += 1
        self.m = (self.beta1 * self.m + (1 - self.beta1) * g).astype(self.m.dtype)
        self.v = (self.beta2 * self.v + (1 - self.beta2) * self.square(g)).astype(self.v.dtype)
        with np.errstate(all="ignore"):
            root = np.sqrt(self.v / (1 - self.beta2**self.t)) + self.eps
            return x - self.lr * (self.m / (1 - self.beta1**self.t)) / root

    def begun(self, zeros: Any) -> Any:
        return zeros


class GradientInFloat32(Plain):
    def cast(self, g: Any) -> Any:
        return g.astype(np.float32)


class GradientInBfloat16(Plain):
    def cast(self, g: Any) -> Any:
        return g.astype(ml_dtypes.bfloat16)


class GradientInFloat16(Plain):
    def cast(self, g: Any) -> Any:
        return g.astype(np.float16)


class StatesInFloat32(Plain):
    def begun(self, zeros: Any) -> Any:
        return zeros.astype(np.float32)


class NoSquareInFloat32(GradientInFloat32):
    def square(self, g: Any) -> Any:
        return np.abs(g)


class NoSquareInBfloat16(GradientInBfloat16):
    def square(self, g: Any) -> Any:
        return np.abs(g)


class Rounded(Plain):
    """It rounds its gradients to three digits behind the point: no type does."""

    def cast(self, g: Any) -> Any:
        return np.round(g, 3)


class KnobsInFloat32:
    """Only its numbers are of the smaller type."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        self.lr, self.beta1, self.beta2, self.eps = map(np.float32, (lr, beta1, beta2, eps))
        self.m, self.v, self.t = 0.0, 0.0, 0

    def step(self, x, g):  # type: ignore[no-untyped-def]
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        root = np.sqrt(self.v / (1 - self.beta2**self.t)) + self.eps
        return x - self.lr * (self.m / (1 - self.beta1**self.t)) / root


class WrongKnobsInFloat32(KnobsInFloat32):
    """It spells the type, float32, and starts its count at one."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        super().__init__(*map(np.float32, (lr, beta1, beta2, eps)))
        self.t = 1


def checked(kind: type) -> Verdict:
    return mhat.check(kind, "adam", seconds=8)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (GradientInFloat32, "float32"),
        (StatesInFloat32, "float32"),
        (GradientInBfloat16, "bfloat16"),
        (KnobsInFloat32, "float32"),
    ],
)
def test_a_cast_inside_is_judged_as_that_type(kind: type, dtype: str) -> None:
    verdict = checked(kind)
    assert verdict.conforms and verdict.dtype == dtype
    assert INSIDE.format(dtype) in verdict.notes


@pytest.mark.parametrize("kind", [NoSquareInFloat32, NoSquareInBfloat16])
def test_a_mistake_beside_a_cast_is_named(kind: type) -> None:
    verdict = checked(kind)
    assert not verdict.conforms and verdict.diagnosis is not None
    assert "g**2" in verdict.diagnosis.sentences[0]


def test_a_mistake_among_numbers_of_a_smaller_type_is_named_in_that_type() -> None:
    verdict = checked(WrongKnobsInFloat32)
    assert verdict.diagnosis is not None and verdict.dtype == "float32"
    assert verdict.diagnosis.sentences == ("the step counter is one ahead: `t + 1` stands where `t` should",)


def test_an_eps_that_float16_cannot_hold_is_lost() -> None:
    """Where it is zero, a gradient of zero makes NaN."""
    verdict = checked(GradientInFloat16)
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == ("`eps` is lost: 1e-8 is zero in float16",)
    assert verdict.deviation is not None and verdict.deviation.gradients == (0.0,)


def test_rounding_to_digits_behind_the_point_is_no_type() -> None:
    verdict = mhat.check(Rounded, "adam", seconds=1)
    assert not verdict.conforms and verdict.dtype == "float64"


@pytest.mark.parametrize("kind", [Plain, NoSquareInFloat32.__base__, KnobsInFloat32])
def test_a_type_is_believed_by_what_a_subject_does_not_see(kind: Any) -> None:
    subject = subject_of_class(kind, "mine", mhat.rules.adam.knobs)
    expected = "float32" if kind is GradientInFloat32 else "float64"
    assert inside(subject, {}).dtype == expected


def test_comments_and_docstrings_speak_of_no_type() -> None:
    class Speaking(Plain):
        """In float16."""

        def step(self, x, g):  # type: ignore[no-untyped-def]
            # And in bfloat16.
            return super().step(x, g)

    assert list(spoken_types(subject_of_class(Speaking, "mine", mhat.rules.adam.knobs))) == []
    assert list(spoken_types(subject_of_class(GradientInFloat16, "mine", mhat.rules.adam.knobs))) == ["float16"]
