"""Which documented other forms of a rule are accepted as that rule."""

from __future__ import annotations

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.checks.acceptance import decays_otherwise
from mhat.mistakes.dialects import dialects_of
from mhat.testing import assert_conforms

UNSCALED = "decay not scaled by the learning rate"


class DecayUnscaled:
    """AdamW that takes `weight_decay * x` away whole, 1/lr times what is meant."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):  # type: ignore[no-untyped-def]
        self.lr, self.betas, self.eps, self.weight_decay = lr, (beta1, beta2), eps, weight_decay
        self.m, self.v, self.t = 0.0, 0.0, 0

    def step(self, x, g):  # type: ignore[no-untyped-def]
        beta1, beta2 = self.betas
        self.t += 1
        self.m = beta1 * self.m + (1 - beta1) * g
        self.v = beta2 * self.v + (1 - beta2) * g * g
        ratio = self.m / (1 - beta1**self.t) / (np.sqrt(self.v / (1 - beta2**self.t)) + self.eps)
        return x - self.lr * ratio - self.weight_decay * x


class Weighed:
    """Momentum in its dialect."""

    def __init__(self, lr=0.01, momentum=0.9):  # type: ignore[no-untyped-def]
        self.lr, self.momentum, self.velocity = lr, momentum, 0.0

    def step(self, x, g):  # type: ignore[no-untyped-def]
        self.velocity = self.momentum * self.velocity + (1 - self.momentum) * g
        return x - self.lr * self.velocity


def test_a_decay_that_is_another_is_never_headed_conforms() -> None:
    """It was: a decay a thousand times as strong was called conforming, in a dialect."""
    verdict = mhat.check(DecayUnscaled, "adamw")
    assert not verdict.conforms
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == (f"dialect: {UNSCALED}",)
    assert verdict.notes == (
        "that is a documented form (Loshchilov & Hutter 2019, Algorithm 2), but no other spelling of adamw: its decay "
        "is not scaled by lr, 1/lr times as strong. `--dialect` (dialects=) with its name accepts it",
    )
    assert "idle" in {law.name for law in verdict.broken}
    assert mhat.check(DecayUnscaled, "adamw", dialects=UNSCALED).dialect is not None
    assert mhat.check(DecayUnscaled, "adamw", weight_decay=0.0).dialect is None


def test_of_all_dialects_only_that_decay_is_another() -> None:
    assert {
        one.name
        for rule in map(rules.named, rules.names())
        for spoken, form in dialects_of(rule)
        if len(spoken) == 1 and decays_otherwise(rule, form)
        for one in spoken
    } == {UNSCALED}


@pytest.mark.parametrize("refusing", [{"dialects": False}, {"strict": True}, {"dialects": []}])
def test_dialects_are_refused(refusing: dict[str, object]) -> None:
    verdict = mhat.check(Weighed, "momentum", **refusing)  # type: ignore[arg-type]
    assert not verdict.conforms
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == ("dialect: the gradient weighed with 1 - momentum",)
    assert verdict.notes == (
        "that is a documented form (Ng 2017, Improving Deep Neural Networks, week 2), which was not to be accepted",
    )


def test_an_assertion_refuses_them_too() -> None:
    assert_conforms(Weighed, "momentum")
    assert_conforms(Weighed, "momentum", dialects=["the gradient weighed"])
    with pytest.raises(AssertionError, match="dialect: the gradient weighed with 1 - momentum"):
        assert_conforms(Weighed, "momentum", dialects=False)


def test_a_record_in_a_dialect_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    gradients = np.random.default_rng(1).normal(size=30)
    stepper, x, rows = Weighed(), 0.0, ["step,g,x", "0,,0"]
    for t, g in enumerate(gradients.tolist(), 1):
        x = stepper.step(x, g)
        rows.append(f"{t},{g!r},{x!r}")
    (tmp_path / "run.csv").write_text("\n".join(rows))
    told = {"recorded": tmp_path / "run.csv", "against": "momentum", "lr": 0.01, "momentum": 0.9}
    assert mhat.check(**told).dialect is not None
    assert not mhat.check(**told, dialects=False).conforms


def test_what_is_no_dialect_is_refused() -> None:
    for dialects, message in (
        ("eps-hut", "there is no dialect `eps-hut` of adam\nKnown: eps-hat: eps is added before the correction."),
        (3, "dialects=3 names no dialects\nGive True, False, a name or a list of names."),
    ):
        with pytest.raises(mhat.MhatError) as error:
            mhat.check("adam", dialects=dialects)
        assert str(error.value) == message
