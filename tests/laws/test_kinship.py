"""What is said of kinship is so: proved, or seen on streams; and what is not so is refuted."""

from __future__ import annotations

import pytest

import mhat
from mhat import modifiers, rules
from mhat.laws.kinship import settle
from mhat.names import find_rule
from mhat.rules.kinship import IDENTITIES, Identity, kin_of

PROVED = 30


@pytest.mark.parametrize("identity", IDENTITIES, ids=[identity.sentence for identity in IDENTITIES])
def test_an_identity_holds(identity: Identity) -> None:
    kin = settle(identity, find_rule)
    assert kin.status in ("proved", "tested"), kin
    assert kin.apart < 1e-9


def test_there_are_many_and_half_of_them_are_proved() -> None:
    assert len(IDENTITIES) >= 60
    assert len(set(IDENTITIES_AS_TEXT)) == len(IDENTITIES)
    assert sum(settle(identity, find_rule).status == "proved" for identity in IDENTITIES) >= PROVED


IDENTITIES_AS_TEXT = [identity.sentence for identity in IDENTITIES]


@pytest.mark.parametrize(
    "false",
    [
        Identity("adamw", {}, "adam"),
        Identity("adam", {"beta1": 0}, "rmsprop", {}),
        Identity("lion", {"beta1": 0.5, "weight_decay": 0}, "signsgd"),
        Identity("adagrad_norm", {"b0": 0}, "adagrad", {"eps": 0}),
        Identity("ftrl", {"beta": 0, "l1": 0.1, "l2": 0}, "adagrad", {"eps": 0}),
        Identity("qhm", {"nu": 1}, "momentum"),
    ],
    ids=lambda identity: identity.sentence,
)
def test_what_is_not_so_is_refuted(false: Identity) -> None:
    assert settle(false, find_rule).status == "refuted"


def test_every_name_is_one() -> None:
    for identity in IDENTITIES:
        rule, other = find_rule(identity.rule), find_rule(identity.same_as)
        assert set(identity.knobs) <= set(rule.knobs)
        assert set(identity.others) <= set(other.knobs)
        inner = modifiers.parted(identity.rule)
        assert (inner[1] if inner else identity.rule) in rules.names()


def test_kin_of_a_rule() -> None:
    sentences = [identity.sentence for identity in kin_of("adam")]
    assert "adam with beta1=0 and beta2=0 and eps=0 is signsgd" in sentences
    assert "adamw with weight_decay=0 is adam" in sentences
    assert kin_of("yogi") == []


def test_a_comparison_says_by_which_identity_two_rules_are_one() -> None:
    said = str(mhat.compare("adam", "adamw", weight_decay=0))
    first, why = said.splitlines()[:2]
    assert first == "adam and adamw do the same, to rounding"
    assert why == "since adamw with weight_decay=0 is adam (proved)"


def test_a_comparison_says_with_which_knobs_two_rules_would_be_one() -> None:
    said = str(mhat.compare("lion", "tiger"))
    assert "\nlion with beta2=beta1 is tiger (proved)\n" in said
