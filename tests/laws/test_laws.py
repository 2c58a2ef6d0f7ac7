"""Every law is seen to pass and to fail: an implementation that keeps it, and one that is broken for it alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from mhat import laws, rules
from mhat.language import Rule
from tests.laws import subjects
from tests.laws.subjects import Array, Knobs, Step, adam_step, adamw_step, of_step, sgd_step, sign_step

Run = Callable[[Any, float, Knobs], Any]


@dataclass(frozen=True)
class Case:
    """A rule, a run that keeps a law and one that breaks it, and the sentence that says so."""

    rule: Rule
    keeps: Run
    breaks: Run
    sentence: str
    knobs: Knobs = field(default_factory=dict)


def changed(step: Step, change: Callable[..., Array]) -> Run:
    """Make a run of a step whose arguments or result are changed."""
    return of_step(lambda *arguments: change(step, *arguments))


def twice_at_first(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g * (2 if t == 1 else 1), memory, t, knobs, k, n)


class Leaking:
    """An optimizer whose rate grows from run to run."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, gradients: Any, start: float, knobs: Knobs) -> Any:
        self.calls += 1
        return subjects.adam(gradients, start, {**knobs, "lr": knobs["lr"] * (1 + 0.01 * self.calls)})


def far_sighted(gradients: Any, start: float, knobs: Knobs) -> Any:
    """Divide by the largest gradient of the whole run."""
    if isinstance(gradients, list):
        return [far_sighted(g, start, knobs) for g in gradients]
    return subjects.sgd(gradients / np.maximum(abs(gradients).max(axis=0), 1e-9), start, knobs)


def drifting(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, {**knobs, "lr": knobs["lr"] * (1 + 0.1 * (t - 1))}, k, n)


def stored_back(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    x = step(x, g, memory, t, knobs, k, n)
    memory["m"], memory["v"] = memory["m"] / (1 - knobs["beta1"] ** t), memory["v"] / (1 - knobs["beta2"] ** t)
    return x


def accelerating(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    last, memory["last"] = memory.get("last", g), g
    return step(x, g, memory, t, {**knobs, "lr": knobs["lr"] * (1.5 if (abs(g) > abs(last)).any() else 1)}, k, n)


def half_corrected(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    move = step(0 * x, g, memory, t, knobs, k, n)
    return np.asarray(x + move * (1 - knobs["beta1"] ** t) / (1 - knobs["beta1"]))


def with_large_eps(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, {**knobs, "eps": 0.1}, k, n)


def clipped(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, np.clip(g, -5, 5), memory, t, knobs, k, n)


def without_sign(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, np.maximum(g, 0.1 * g), memory, t, knobs, k, n)


def pulled(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, knobs, k, n) - 1e-4 * x


def rooted_rate(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, {**knobs, "lr": knobs["lr"] ** 0.5}, k, n)


def falling(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, knobs, k, n) - 1e-3


def decaying_half(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, {**knobs, "weight_decay": knobs["weight_decay"] / 2}, k, n)


def decaying_at_any_rate(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, {**knobs, "weight_decay": 0.0}, k, n) - 1e-3 * knobs["weight_decay"] * x


def normed(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g / max(1.0, float(np.linalg.norm(g)) / 2), memory, t, knobs, k, n)


def counting_tensors(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t * n, knobs, k, n)


def counting_order(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t + k - 1, knobs, k, n)


def remembering(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, {**knobs, "beta1": max(knobs["beta1"], 0.5)}, k, n)


ADAM, ADAMW, SGD, SIGN = rules.adam, rules.adamw, rules.sgd, rules.signsgd
CASES = {
    "first step": Case(
        SGD, subjects.sgd, changed(sgd_step, twice_at_first),
        "the gradients [1]: x = -0.02 at step 1 where -0.01 is expected",
    ),
    "repetition": Case(ADAM, subjects.adam, Leaking(), ""),
    "prefix": Case(ADAM, subjects.adam, far_sighted, ""),
    "constant gradient": Case(
        ADAM, subjects.adam, changed(adam_step, stored_back),
        "the gradients [1, 1]: step / lr = 0.235 at step 2 where 1 is expected",
    ),
    "weights sum to one": Case(
        ADAM, subjects.adam, changed(adam_step, drifting),
        "the gradients [1, 1]: step = -0.0011 at step 2 where -0.001 is expected",
    ),
    "step at most lr": Case(SIGN, subjects.signsgd, changed(sign_step, accelerating), ""),
    "step bound": Case(ADAM, subjects.adam, changed(adam_step, half_corrected), ""),
    "scale invariance": Case(
        ADAM, subjects.adam, changed(adam_step, with_large_eps),
        "16 times the gradients [1]: x = -0.000994 at step 1 where -0.000909 is expected",
    ),
    "proportion": Case(
        SGD, subjects.sgd, changed(sgd_step, clipped),
        "twice the gradients [3]: x = -0.05 at step 1 where -0.06 is expected",
    ),
    "sign symmetry": Case(
        SGD, subjects.sgd, changed(sgd_step, without_sign),
        "minus the gradients [1]: x = 0.001 at step 1 where 0.01 is expected",
    ),
    "translation": Case(
        ADAM, subjects.adam, changed(adam_step, pulled),
        "the gradients [1] with start=1: x - start = -0.0011 at step 1 where -0.001 is expected",
    ),
    "learning rate": Case(
        ADAM, subjects.adam, changed(adam_step, rooted_rate),
        "the gradients [1] with lr=2e-3: x = -0.0447 at step 1 where -0.0632 is expected",
    ),
    "zero gradient": Case(
        ADAM, subjects.adam, changed(adam_step, falling),
        "the gradients [0] with start=1: x = 0.999 at step 1 where 1 is expected",
    ),
    "decay without gradient": Case(
        ADAMW, subjects.adamw, changed(adamw_step, decaying_half),
        "the gradients [0] with lr=0.125, weight_decay=0.5, start=1: x = 0.969 at step 1 where 0.938 is expected",
    ),
    "idle": Case(
        ADAMW, subjects.adamw, changed(adamw_step, decaying_at_any_rate),
        "the gradients [0] with lr=0, start=1: x = 0.99999 at step 1 where 1 is expected",
    ),
    "coordinates apart": Case(
        SGD, subjects.sgd, changed(sgd_step, normed),
        "the gradients [[1, 2]]: x = -0.00894 at step 1 where -0.01 is expected",
    ),
    "tensors apart": Case(
        ADAM, subjects.adam, changed(adam_step, counting_tensors),
        "the gradients [[1, 1]]: x = -0.000744 at step 1 where -0.001 is expected",
    ),
    "order of tensors": Case(
        ADAM, subjects.adam, changed(adam_step, counting_order),
        "the gradients [[1, 1]]: x = -0.000744 at step 1 where -0.001 is expected",
    ),
    "without memory": Case(
        ADAM, subjects.adam, changed(adam_step, remembering),
        "the gradients [1, 2] with beta1=0: x = -0.00205 at step 2 where -0.00226 is expected",
    ),
}  # fmt: skip


def held(case: Case, run: Run) -> dict[str, laws.Finding]:
    found = laws.hold(run, case.rule, several=True, knobs=case.knobs)
    return {finding.name: finding for finding in found}


def test_every_law_has_its_case() -> None:
    assert list(CASES) == [law.name for law in laws.laws()]


@pytest.mark.parametrize("name", CASES)
def test_a_law_passes(name: str) -> None:
    case = CASES[name]
    findings = held(case, case.keeps)
    assert name in findings
    assert [finding for finding in findings.values() if not finding.holds] == []


@pytest.mark.parametrize("name", CASES)
def test_a_law_fails(name: str) -> None:
    case = CASES[name]
    finding = held(case, case.breaks)[name]
    assert not finding.holds
    assert finding.counterexample is not None
    if case.sentence:
        assert finding.counterexample.sentence == case.sentence
    assert finding.intuition.endswith(".")


def test_the_bound_of_a_step_is_shown_by_growing_gradients() -> None:
    case = CASES["step bound"]
    counterexample = held(case, case.breaks)["step bound"].counterexample
    assert counterexample is not None
    assert counterexample.came > counterexample.expected == laws.bound(rules.adam)
    assert "where at most 7.27 is expected" in counterexample.sentence
    assert counterexample.gradients[-1] / counterexample.gradients[-2] > 1
