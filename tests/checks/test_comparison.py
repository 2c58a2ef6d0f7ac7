"""Two implementations side by side: driven alike, so that what only one of them takes does not part them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.checks.comparison import Comparison, compare
from mhat.subjects.functions import subject_of_function
from mhat.subjects.subject import Subject
from mhat.writing.plain import text_of

LIBRARY = [rules.named(name) for name in ("sgd", "momentum")]
KNOBS = {**rules.sgd.knobs, "weight_decay": 0.0}


def plain(gradients: Any, lr: float = 0.01) -> Any:
    return -lr * np.cumsum(gradients, axis=0)


def from_a_start(gradients: Any, start: float = 0.0, lr: float = 0.01) -> Any:
    return start + plain(gradients, lr)


def hiding(gradients: Any) -> Any:
    return plain(gradients)


def decaying(gradients: Any, start: float = 0.0, lr: float = 0.01, weight_decay: float = 0.0) -> Any:
    x, xs = start + np.zeros(np.shape(gradients)[1:]), []
    for g in np.asarray(gradients):
        x = x - lr * (g + weight_decay * x)
        xs.append(x)
    return np.array(xs)


def decaying_apart(gradients: Any, start: float = 0.0, lr: float = 0.01, weight_decay: float = 0.0) -> Any:
    x, xs = start + np.zeros(np.shape(gradients)[1:]), []
    for g in np.asarray(gradients):
        x = x - lr * g - weight_decay * x
        xs.append(x)
    return np.array(xs)


def subject(function: Any) -> Subject:
    return subject_of_function(function, function.__name__, KNOBS)


def compared(a: Any, b: Any, **knobs: float) -> Comparison:
    return compare(subject(a), subject(b), rules=LIBRARY, seconds=4.0, knobs=knobs)


@pytest.mark.parametrize("other", [from_a_start, hiding, decaying])
def test_what_only_one_takes_does_not_part_them(other: Any) -> None:
    """Guards: a start, and odd knobs, are given only where both take them."""
    for a, b in ((plain, other), (other, plain)):
        comparison = compared(a, b)
        assert comparison.same
        assert comparison.deviation is None


def test_what_shows_with_a_knob_of_both_is_shown_with_it() -> None:
    comparison = compared(decaying, decaying_apart)
    assert not comparison.same
    assert comparison.deviation is not None
    assert comparison.deviation.knobs == {"lr": 0.05, "weight_decay": 0.3}
    first, second = text_of(comparison.answer).splitlines()
    assert first == "decaying and decaying_apart part at step 1"
    assert second.startswith("shown by the gradients [1] from x = 0.7 with lr=0.05, weight_decay=0.3: parameters ")
    assert repr(comparison) == "<Comparison: decaying and decaying_apart part at step 1>"


def test_what_is_held_is_held_for_both() -> None:
    assert compared(decaying, decaying_apart, weight_decay=0.0).same
    apart = compared(decaying, decaying_apart, weight_decay=0.5)
    assert apart.deviation is not None
    assert apart.deviation.knobs == {}
