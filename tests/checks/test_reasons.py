"""What a verdict says when it is asked why: the consequence of the mistake, laws, or that nothing can be said."""

from __future__ import annotations

import json

import mhat
from mhat.checks.findings import Diagnosis
from mhat.checks.verdict import Verdict
from mhat.language import rule
from mhat.printers.python import rule_text

WRONG = rule(rule_text(mhat.rules.momentum).replace("x - lr", "x + lr"))


def verdict(**more: object) -> Verdict:
    return Verdict("mine", "momentum", "", reference=mhat.rules.momentum, **more)  # type: ignore[arg-type]


def test_the_consequence_of_a_mistake_at_the_knobs_that_were_found() -> None:
    diagnosis = Diagnosis("momentum", WRONG, (), {"lr": 0.5, "momentum": 0.5}, "")
    asked = verdict(conforms=False, diagnosis=diagnosis).explained()
    assert asked.why is not None
    assert [claim.sentence for claim in asked.why][:2] == [
        "The step is -1 times what it should be.",
        "Whatever the gradients are, every step goes the wrong way, uphill.",
    ]
    assert "from 50, it does not come down" in asked.why[-1].sentence
    assert json.loads(asked.to_json())["why"][0]["evidence"]["kind"] == "comparison"
    assert "why:\n  The step is -1 times what it should be." in str(asked)


def test_where_nothing_explains_it() -> None:
    asked = verdict(conforms=False).explained()
    assert asked.why == ()
    assert "why: no mistake explains it, so that nothing can be said of its consequences" in str(asked).replace(
        "\n", " "
    )


def test_what_conforms_keeps_the_laws_of_its_rule() -> None:
    asked = verdict(conforms=True, knobs={"lr": 0.01, "momentum": 0.9}).explained()
    assert asked.why is not None and asked.why[0].sentence.startswith("Gradients twice as large")
    assert "what holds for the rule, tested, holds for it to rounding:" in str(asked)


def test_nobody_asked() -> None:
    assert "why" not in str(verdict(conforms=True)) and json.loads(verdict(conforms=True).to_json())["why"] is None
