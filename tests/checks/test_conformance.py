"""Checks from a user's side: what conforms, what deviates, and what the answer says. It knows no search."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.checks import conformance
from mhat.errors import BadValue, SubjectError, UnknownName
from mhat.subjects.functions import subject_of_function
from tests.checks import wrong_adams

# Told, because a name that claims no rule is identified first, which takes its time.
ADAM = mhat.rules.adam
CLASSIC = """\
- m_hat = m / (1 - beta1**t)
+ m = m / (1 - beta1**t)
- v_hat = v / (1 - beta2**t)
+ v = v / (1 - beta2**t)
- ratio = m_hat / (sqrt(v_hat) + eps)
+ ratio = m / (sqrt(v) + eps)"""


@pytest.fixture(scope="module")
def classic() -> mhat.Verdict:
    return mhat.check(wrong_adams.stored_back, ADAM)


def test_a_right_adam_conforms_and_its_knobs_are_varied() -> None:
    verdict = mhat.check(wrong_adams.adam)
    assert verdict.conforms
    assert (verdict.dialect, verdict.deviation, verdict.diagnosis, verdict.estimated) == (None, None, None, {})


def test_the_classic_mistake_is_named(classic: mhat.Verdict) -> None:
    verdict = classic
    assert not verdict.conforms
    assert verdict.diagnosis is not None
    assert verdict.deviation is not None
    assert verdict.diagnosis.sentences == ("`m_hat` is stored back into `m` and `v_hat` is stored back into `v`",)
    assert verdict.diagnosis.diff == CLASSIC
    assert (verdict.deviation.step, verdict.deviation.gradients) == (2, (1.0, 1.0))
    assert verdict.deviation.got[-1] == pytest.approx(0.2353, rel=1e-3)
    assert verdict.deviation.expected[-1] == pytest.approx(1, rel=1e-6)
    assert "constant gradient" in [law.name for law in verdict.broken]
    assert [text for _, text in verdict.diagnosis.lines[:2]] == ["m = m / (1 - 0.9**t)", "v = v / (1 - 0.999**t)"]


def test_the_named_rule_can_be_traced_and_dies(classic: mhat.Verdict) -> None:
    diagnosis = classic.diagnosis
    assert diagnosis is not None
    ds = mhat.trace(diagnosis.rule, mhat.streams.constant(10), eps=1e-3)
    assert float(ds.ratio[-1]) == 3.404888183404303e-70


def test_hidden_knobs_are_estimated_and_said() -> None:
    verdict = mhat.check(wrong_adams.hidden, ADAM)
    assert verdict.conforms
    assert verdict.estimated == {"lr": 0.02, "eps": 1e-3}
    strict = mhat.check(wrong_adams.hidden, ADAM, strict=True, seconds=1)
    assert not strict.conforms
    assert strict.estimated == {}


def test_knobs_that_are_given_are_held() -> None:
    assert mhat.check(wrong_adams.hidden, ADAM, lr=0.02, eps=1e-3).estimated == {}
    # What cannot be told to it is never held against it.
    with pytest.raises(BadValue, match=r"takes no `lr`: whatever it is told, it does what adam does with lr=0\.02"):
        mhat.check(wrong_adams.hidden, ADAM, lr=0.01)


def test_an_estimate_is_held_against_more_than_it_was_fitted_to() -> None:
    # Of a sign a step tells one bit: beta2=0.9999 in Lion fits what a shorter check has seen of this.
    def swapped(gradients: Any) -> Any:
        x = m = np.zeros(np.shape(gradients)[1:])
        xs = []
        for g in np.asarray(gradients):
            x = x - 1e-4 * np.sign((1 - 0.9) * m + 0.9 * g)
            m = 0.99 * m + (1 - 0.99) * g
            xs.append(x)
        return np.array(xs)

    assert not mhat.check(swapped, "lion", lr=1e-4, seconds=1).conforms


def test_a_documented_form_is_a_dialect_and_no_mistake() -> None:
    verdict = mhat.check(wrong_adams.eps_hat, ADAM)
    assert verdict.conforms
    assert verdict.dialect is not None
    assert verdict.dialect.startswith("eps-hat")
    assert "section 2" in verdict.dialect


@pytest.mark.parametrize(
    ("subject", "options"),
    [
        (wrong_adams.in_float32, {}),
        (wrong_adams.uphill, {"maximize": True}),
        (wrong_adams.ratios, {"observe": "ratio"}),
        (wrong_adams.updates, {"observe": "update"}),
    ],
)
def test_unusual_but_right(subject: Any, options: dict[str, Any]) -> None:
    assert mhat.check(subject, ADAM, **options).conforms


@pytest.mark.parametrize("observe", ["x", "ratio"])
def test_what_is_observed_is_what_is_compared(observe: str) -> None:
    verdict = mhat.check(wrong_adams.updates, ADAM, observe=observe, seconds=1, strict=True)
    assert not verdict.conforms
    assert verdict.observe == observe


def test_climbing_is_a_mistake_unless_asked_for() -> None:
    verdict = mhat.check(wrong_adams.uphill, ADAM)
    assert verdict.diagnosis is not None
    assert "x + lr * ratio" in verdict.diagnosis.diff or "-" in verdict.diagnosis.diff
    assert len(verdict.diagnosis.edits) == 1


def test_two_mistakes_are_found_together() -> None:
    verdict = mhat.check(wrong_adams.two_mistakes, ADAM)
    assert verdict.diagnosis is not None
    assert len(verdict.diagnosis.edits) == 2
    assert "in `v` `beta1` stands where `beta2` should" in verdict.diagnosis.sentences


def test_a_counter_that_every_tensor_advances() -> None:
    verdict = mhat.check(wrong_adams.counter_per_tensor, ADAM)
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == ("the step counter advances once for every tensor, not once a step",)
    assert "tensors apart" in [law.name for law in verdict.broken]


def test_a_wrong_name_is_worse_than_none() -> None:
    def nonsense(gradients: Any) -> Any:
        return np.cumsum(np.tanh(np.asarray(gradients) * np.arange(1, len(gradients) + 1)[:, None] ** 1.7), axis=0)

    def shaped(gradients: Any) -> Any:
        given = np.asarray(gradients)
        return nonsense(given.reshape(len(given), -1)).reshape(given.shape)

    verdict = mhat.check(shaped, ADAM, seconds=1)
    assert not verdict.conforms
    assert verdict.diagnosis is None
    assert verdict.deviation is not None


def test_a_counter_per_tensor_is_not_seen_in_one_tensor() -> None:
    def alone(gradients: Any) -> Any:
        return wrong_adams.counter_per_tensor([np.asarray(gradients)])[0]

    assert mhat.check(alone, ADAM).conforms


def test_identify_finds_rule_and_knobs() -> None:
    verdict = mhat.identify(wrong_adams.heavy_ball)
    assert (verdict.against, verdict.conforms) == ("momentum", True)
    assert verdict.estimated == {"lr": 0.05, "momentum": 0.95}


def test_a_thing_is_the_same_as_itself() -> None:
    found = mhat.compare(wrong_adams.adam, wrong_adams.adam)
    assert found.same
    assert (found.deviation, found.diff) == (None, "")


def test_compare_says_where_two_part() -> None:
    found = mhat.compare(wrong_adams.adam, wrong_adams.heavy_ball)
    assert not found.same
    assert found.deviation is not None
    assert (found.a.against, found.b.against) == ("adam", "momentum")


def test_json_holds_no_number_that_json_has_not(classic: mhat.Verdict) -> None:
    read = json.loads(classic.to_json(), parse_constant=pytest.fail)
    assert read["schema"] == 1
    assert read["diagnosis"]["diff"] == CLASSIC


def test_what_cannot_be_asked() -> None:
    with pytest.raises(UnknownName, match="there is no variable of adam `raito`"):
        mhat.check(wrong_adams.adam, observe="raito")
    with pytest.raises(SubjectError, match="returned None"):
        mhat.check(lambda gradients: None)


def test_a_smaller_type_inside_is_said() -> None:
    def in_float32(gradients: np.ndarray) -> np.ndarray:
        return wrong_adams.adam(np.asarray(gradients, np.float32), lr=np.float32(1e-3)).astype(np.float64)

    verdict = mhat.check(in_float32, "adam")
    assert verdict.conforms
    assert verdict.notes == ("it computes in float32 inside: it is judged to the rounding of that type",)


def test_a_check_tells_what_it_tries_and_what_it_found() -> None:
    told: list[tuple[str, float]] = []
    subject = replace(subject_of_function(wrong_adams.stored_back, "mine", ADAM.knobs), record=None)
    verdict = conformance.check(subject, ADAM, report=lambda text, share: told.append((text, share)))
    assert verdict.finished
    texts = list(dict.fromkeys(text.partition(" (")[0] for text, _ in told))
    assert texts[:2] == ["adam as it is written, and its documented forms", "adam: single edits"]
    assert texts[-1] == "adam: the smallest gradients that show it, and the laws"
    assert any(text.endswith("single edits tried, nothing found so far)") for text, _ in told)
    assert any("1 found so far" in text for text, _ in told)
    assert all(0.0 <= share <= 1.0 for _, share in told)


def test_a_knob_may_be_called_as_an_argument_is() -> None:
    """Guards: knobs come by name beside the arguments of a check, not among them."""
    rule = mhat.rule("def f(x, g, *, lr=0.1, seconds=2, strict=1):\n    return x - lr * g * seconds * strict")

    def run(gradients: Any, lr: float = 0.1, seconds: float = 2.0, strict: float = 1.0) -> Any:
        return -lr * seconds * strict * np.cumsum(gradients, axis=0)

    subject = subject_of_function(run, "mine", rule.knobs)
    verdict = conformance.check(subject, rule, knobs={"seconds": 3.0, "strict": 0.5})
    assert verdict.conforms
    assert verdict.knobs == {"lr": 0.1, "seconds": 3.0, "strict": 0.5}


def test_what_no_rule_computes_cannot_be_looked_for() -> None:
    subject = subject_of_function(wrong_adams.adam, "mine", ADAM.knobs)
    with pytest.raises(UnknownName, match="there is no variable of any rule `raito`"):
        conformance.identify(subject, [ADAM, mhat.rules.sgd], observe="raito")
