"""Knobs are found by so many tries and not one more, the held ones stay, and what lies at an end is said."""

from __future__ import annotations

import math

import pytest

from mhat import rules
from mhat.trials.tuning import Knobs, axes_of, tuned


def bowl(lr: float, beta2: float = 0.999) -> object:
    """A score that is least at a rate and a memory, by decades."""

    def score(knobs: Knobs) -> float:
        away = math.log10(knobs["lr"] / lr) ** 2
        return away + 0.1 * math.log10((1 - knobs.get("beta2", beta2)) / (1 - beta2)) ** 2

    return score


@pytest.mark.parametrize("lr", [1e-6, 3e-4, 0.02, 3.0])
def test_the_rate_is_found(lr: float) -> None:
    found = tuned(rules.adam, {}, 24, bowl(lr))  # type: ignore[arg-type]
    assert abs(math.log10(found.best.knobs["lr"] / lr)) < 0.2
    assert len(found.tries) <= 24 and "lr" not in found.at_the_end


def test_the_memory_too() -> None:
    found = tuned(rules.adam, {}, 40, bowl(1e-3, 0.9))  # type: ignore[arg-type]
    assert 0.8 < found.best.knobs["beta2"] < 0.95


def test_the_budget_is_held_and_nothing_is_tried_twice() -> None:
    seen: list[tuple[tuple[str, float], ...]] = []

    def score(knobs: Knobs) -> float:
        seen.append(tuple(sorted(knobs.items())))
        return knobs["lr"]

    for tries in (1, 2, 7):
        seen.clear()
        assert len(tuned(rules.adam, {}, tries, score).tries) == len(seen) == len(set(seen)) == tries
    assert tuned(rules.adam, {}, 7, score).at_the_end == ("lr",)


def test_what_is_held_stays() -> None:
    found = tuned(rules.adam, {"lr": 0.5, "eps": 1e-3}, 6, lambda knobs: knobs["beta1"])
    assert {(each.knobs["lr"], each.knobs["eps"]) for each in found.tries} == {(0.5, 1e-3)}
    assert [axis.name for axis in axes_of(rules.adam, {"beta1": 0.5})] == ["lr", "beta2"]


def test_out_of_what_is_not_finite() -> None:
    found = tuned(rules.sgd, {}, 12, lambda knobs: knobs["lr"] if knobs["lr"] < 1e-4 else math.nan)
    assert found.best.knobs["lr"] < 1e-4
    assert tuned(rules.sgd, {}, 3, lambda knobs: math.nan).best.score == math.inf
