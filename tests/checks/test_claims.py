"""A name claims a rule by whole words, and nothing by parts of words."""

from __future__ import annotations

import pytest

from mhat import rules
from mhat.checks.claims import OTHER_NAMES, claimed_rule

KNOWN = rules.names()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("MyAdamW", "adamw"),
        ("AdaBelief", "adabelief"),
        ("torch.optim:NAdam", "nadam"),
        ("torch.optim:AdamW", "adamw"),
        ("mine.py:my_adam", "adam"),
        ("mine.py:adam2", "adam"),
        ("my_adam_w", "adamw"),
        ("RMSPropGraves", "rmsprop"),
        ("rmsprop_centered", "rmsprop_centered"),
        ("AMSGrad", "amsgrad"),
        ("QHAdam", "qhadam"),
        ("sign_sgd", "signsgd"),
        ("adam_with_momentum", "adam"),
        ("sgd_with_momentum", "momentum"),
        ("StochasticGradientDescent", "sgd"),
        ("GradientDescent", "sgd"),
        ("SgdM", "momentum"),
        ("HeavyBall", "momentum"),
        ("NAG", "nesterov"),
        ("nesterov_momentum", "nesterov"),
        ("adam_loop.py", "adam"),
        ("optimizers/adam.py:Optimizer", "adam"),
        ("mypackage.lion:step", "lion"),
        ("python my_adamw.py --fast", "adamw"),
        ("./my_adam", "adam"),
        ("million.py", None),
        ("clambda", None),
        ("madam.py:f", None),
        ("subject.py:run", None),
        ("adam_or_lion", None),
        ("lambda", None),
        ("", None),
        ("'", None),
    ],
)
def test_a_name_claims_by_whole_words(name: str, rule: str | None) -> None:
    assert claimed_rule(name, KNOWN) == rule


def test_every_rule_is_claimed_by_its_own_name() -> None:
    assert {name: claimed_rule(name, KNOWN) for name in KNOWN} == {name: name for name in KNOWN}


def test_other_names_are_of_rules_that_are_there() -> None:
    assert set(OTHER_NAMES.values()) <= set(KNOWN)
