"""How near a law must be kept in each dtype: right rules keep all, and what breaks a law is seen where it can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from mhat import laws, rules
from mhat.dtypes import DTYPES
from mhat.engines.running import run_on_arrays
from mhat.engines.work import Work
from mhat.language import Rule
from mhat.laws.holding import reason
from mhat.laws.rounding import allowed, ulp
from tests.laws import subjects
from tests.laws.subjects import Array, Knobs, Step, adam_step, adamw_step
from tests.laws.test_laws import CASES, changed, pulled, remembering

LAWS = {law.name: law for law in laws.laws()}
Run = Callable[[Any, float, Knobs], Any]


def engine_in(dtype: str, rule: Rule) -> Run:
    """Make a run of a rule by the engine of arrays, which shares the language with the reference."""

    def run(gradients: Any, start: float, knobs: Knobs) -> Any:
        if isinstance(gradients, list):
            return [run(g, start, knobs) for g in gradients]
        work = Work(rule, gradients, len(gradients), ("x",), start, knobs, dtype=dtype, tensor_dimensions=1)
        return run_on_arrays(work)["x"]

    return run


def folded_in_float32(gradients: Any, start: float, knobs: Knobs) -> Any:
    """Run Adam with a folded rate, knobs rounded first and everything in float32, as people write it."""
    if isinstance(gradients, list):
        return [folded_in_float32(g, start, knobs) for g in gradients]
    f32 = np.float32
    m = v = np.zeros(gradients.shape[1:], dtype=f32)
    x, path = np.full(gradients.shape[1:], start, dtype=f32), []
    b1, b2 = f32(knobs["beta1"]), f32(knobs["beta2"])
    for t, g in enumerate(gradients.astype(f32), start=1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        step = f32(knobs["lr"] * np.sqrt(1 - knobs["beta2"] ** t) / (1 - knobs["beta1"] ** t))
        x = x - step * m / (np.sqrt(v) + f32(knobs["eps"]))
        path.append(x)
    return np.array(path)


def rounded(values: Any, dtype: str) -> Array:
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    return np.asarray(np.asarray(values).astype(kind), dtype=np.float64)


def answering_in(dtype: str, run: Any) -> Any:
    """Let a run take and answer numbers of a dtype."""

    def answered(gradients: Any, *more: Any) -> Any:
        if isinstance(gradients, list):
            return [rounded(x, dtype) for x in run([rounded(g, dtype) for g in gradients], *more)]
        return rounded(run(rounded(gradients, dtype), *more), dtype)

    return answered


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rule", [rules.adam, rules.adamw, rules.lion, rules.sgd], ids=lambda rule: rule.name)
def test_a_right_rule_keeps_all_laws_in_its_dtype(rule: Rule, dtype: str) -> None:
    findings = laws.hold(engine_in(dtype, rule), rule, several=True, dtype=dtype)
    assert len(findings) >= 12
    assert [finding.counterexample for finding in findings if not finding.holds] == []


def test_a_right_adam_that_rounds_its_knobs_first_keeps_all_laws() -> None:
    findings = laws.hold(folded_in_float32, rules.adam, several=True, dtype="float32")
    assert len(findings) >= 14
    assert [finding.counterexample for finding in findings if not finding.holds] == []


def pulled_hard(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return np.asarray(pulled(step, x, g, memory, t, knobs, k, n) - 0.05 * x)


def creeping(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return np.asarray(x - 0.02 * np.sign(x) + 0 * g)


def with_huge_eps(step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int) -> Array:
    return step(x, g, memory, t, {**knobs, "eps": 1.0}, k, n)


def decaying_hard_at_any_rate(
    step: Step, x: Array, g: Array, memory: Any, t: int, knobs: Knobs, k: int, n: int
) -> Array:  # fmt: skip
    return step(x, g, memory, t, {**knobs, "weight_decay": 0.0}, k, n) - 10 * knobs["weight_decay"] * x


class Alternating:
    """An optimizer whose rate is twice as large in every second run."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, gradients: Any, start: float, knobs: Knobs) -> Any:
        self.calls += 1
        return subjects.adam(gradients, start, {**knobs, "lr": knobs["lr"] * (1 + self.calls % 2)})


# What breaks a law by a hundredth is below the rounding of the small types: there it is broken louder.
LOUD: dict[str, Run] = {
    "repetition": Alternating(),
    "translation": changed(adam_step, pulled_hard),
    "scale invariance": changed(adam_step, with_huge_eps),
    "zero gradient": changed(adam_step, creeping),
    "idle": changed(adamw_step, decaying_hard_at_any_rate),
}
# In float16 Adam's eps is zero, and a gradient of zero is divided by it; all that right rules do is not a number.
HIDDEN = {("zero gradient", "float16"), ("decay without gradient", "float16"), ("idle", "float16")}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_a_rule_that_breaks_a_law_is_seen_in_every_dtype(name: str, dtype: str) -> None:
    case, small, law = CASES[name], dtype in ("float16", "bfloat16"), LAWS[name]
    run = answering_in(dtype, LOUD.get(name, case.breaks) if small else case.breaks)
    examined = replace(laws.examined_of(case.rule), run=run, dtype=dtype)
    if (name, dtype) in HIDDEN:
        assert reason(law, examined) == f"rounding hides it in {dtype}"
        return
    assert reason(law, examined) is None
    with np.errstate(over="ignore"):
        assert laws.check(law, examined) is not None


def test_why_a_law_is_not_asked_in_a_small_type() -> None:
    examined = replace(laws.examined_of(rules.adam), dtype="float16")
    assert reason(LAWS["zero gradient"], examined) == "rounding hides it in float16"
    # A learning rate below the rounding beside 1, and none that may be set: no move is seen from there.
    slow = replace(laws.examined_of(rules.adam, {"lr": 1e-6}), dtype="bfloat16", free=frozenset())
    assert reason(LAWS["translation"], slow) == "rounding hides it in bfloat16"
    assert reason(LAWS["translation"], replace(slow, dtype="float64")) is None


def test_the_tolerance_is_of_the_numbers_that_a_run_is_driven_with() -> None:
    ones = np.ones((3, 2))

    def allowed_to(name: str, lr: float, dtype: str) -> list[float]:
        examined = replace(laws.examined_of(rules.sgd, {"lr": lr}), dtype=dtype)
        compared = LAWS[name].demand(examined, ones)
        return (allowed(LAWS[name], examined, ones, compared)[:, 0] / compared.moved()[:, 0]).tolist()

    # Twice half an ulp for each of two operations and for every step.
    steps = np.array([3, 4, 5])
    assert allowed_to("coordinates apart", 0.5, "bfloat16") == pytest.approx(steps * ulp("bfloat16"))
    assert allowed_to("coordinates apart", 0.5, "float32") == pytest.approx(steps * ulp("float32"))
    # Much that answers in doubles computes in float32.
    assert allowed_to("coordinates apart", 0.5, "float64") == pytest.approx(steps * ulp("float32"))
    # Beside a start of one small moves are rounded more: an ulp of one at every step, each of them a move of lr.
    assert allowed_to("translation", 2**-10, "float32") == pytest.approx((steps + 2**10) * ulp("float32"))
    assert allowed_to("translation", 2**-10, "float64") == pytest.approx(
        steps * ulp("float32") + 2**10 * ulp("float64")
    )


def test_every_law_says_where_its_tolerance_comes_from() -> None:
    assert all(law.tolerance.startswith("Ulps of ") and law.tolerance.endswith(".") for law in laws.laws())


def test_every_decay_rate_is_asked_for_itself() -> None:
    """A rate at which nothing can be said does not stand in front of one that is wrong."""
    wrong = changed(adam_step, remembering)

    def run(gradients: Any, start: float, knobs: Knobs) -> Any:
        path = wrong(gradients, start, knobs)
        return path * 1.5 if knobs["beta2"] == 0 else path

    found = {finding.name: finding for finding in laws.hold(run, rules.adam)}["without memory"]
    assert found.counterexample is not None
    assert found.counterexample.knobs == {"beta1": 0.0}
