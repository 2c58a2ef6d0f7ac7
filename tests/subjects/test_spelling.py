"""Which parameter is which knob, start or option."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from mhat import rules
from mhat.errors import BadValue, UnknownName
from mhat.language.vocabulary import plain_spelling
from mhat.subjects.spelling import keywords_of, spelling_of


def spelled(function: Callable[..., Any], rule: Any = None) -> dict[str, str]:
    parameters = inspect.signature(function).parameters.values()
    return dict(spelling_of(parameters, None if rule is None else rule.knobs, skip=["g"]).knobs)


def test_usual_other_names() -> None:
    def run(g, learning_rate=1, b1=1, beta_2=1, epsilon=1, wd=1):  # type: ignore[no-untyped-def]
        ...

    wanted = {
        "lr": "learning_rate", "beta1": "b1", "beta2": "beta_2", "eps": "epsilon", "weight_decay": "wd",
    }  # fmt: skip
    assert spelled(run, rules.adamw) == wanted
    assert spelled(run) == wanted


def test_alpha_is_the_rate_unless_there_is_another() -> None:
    def plain(g, alpha=1):  # type: ignore[no-untyped-def]
        ...

    def torchs(g, lr=1, alpha=1):  # type: ignore[no-untyped-def]
        ...

    assert spelled(plain, rules.adam) == {"lr": "alpha"}
    assert spelled(torchs, rules.rmsprop) == {"lr": "lr", "rho": "alpha"}
    assert spelled(torchs, rules.adam) == {"lr": "lr"}


@pytest.mark.parametrize(
    ("rule", "knob"), [(rules.rmsprop, "rho"), (rules.adamw, "weight_decay"), (rules.adam, None), (None, None)]
)
def test_what_decay_means_depends_on_the_rule(rule: Any, knob: str | None) -> None:
    def run(g, lr=1, decay=1):  # type: ignore[no-untyped-def]
        ...

    assert spelled(run, rule) == ({"lr": "lr"} if knob is None else {"lr": "lr", knob: "decay"})


@pytest.mark.parametrize(
    ("rule", "knob"), [(rules.momentum, "momentum"), (rules.signum, "beta1"), (rules.rmsprop, "rho")]
)
def test_what_beta_means_depends_on_the_rule(rule: Any, knob: str) -> None:
    def run(g, beta=1):  # type: ignore[no-untyped-def]
        ...

    assert spelled(run, rule) == {knob: "beta"}


def test_a_rules_own_letters_are_taken_by_their_names() -> None:
    def run(g, gamma=1, final_lr=1):  # type: ignore[no-untyped-def]
        ...

    assert spelled(run, rules.adabound) == {"gamma": "gamma", "final_lr": "final_lr"}


def test_betas_are_a_tuple() -> None:
    def run(g, lr=1e-2, betas=(0.8, 0.99)):  # type: ignore[no-untyped-def]
        ...

    found = spelling_of(inspect.signature(run).parameters.values(), rules.adam.knobs, skip=["g"])
    assert found.names == {"lr", "beta1", "beta2"}
    assert found.defaults == {"lr": 1e-2, "beta1": 0.8, "beta2": 0.99}
    assert found.arguments({"beta1": 0.5}) == {"betas": (0.5, 0.99)}
    assert found.arguments({"lr": 1.0}) == {"lr": 1.0}


def test_what_must_be_given_gets_the_rules_default() -> None:
    def run(g, lr, weight_decay=None):  # type: ignore[no-untyped-def]
        ...

    found = spelling_of(inspect.signature(run).parameters.values(), rules.adamw.knobs, skip=["g"])
    assert found.arguments({}) == {"lr": 1e-3}
    assert found.defaults == {"lr": 1e-3, "weight_decay": 0.0}


def test_what_is_neither_start_nor_knob_is_unknown() -> None:
    def run(g, x0, engine, debug=False):  # type: ignore[no-untyped-def]
        ...

    found = spelling_of(inspect.signature(run).parameters.values(), skip=["g"])
    assert (found.start, found.unknown) == ("x0", ("engine",))


def test_options_are_sorted_into_knobs_and_others() -> None:
    def made(learning_rate=1e-3, eps=1e-8, nesterov=False):  # type: ignore[no-untyped-def]
        ...

    found = keywords_of("made", inspect.signature(made).parameters.values(), None, {"lr": 1, "nesterov": True})
    assert found.defaults == {"lr": 1.0, "eps": 1e-8}
    assert found.arguments({"eps": 1.0}) == {"nesterov": True, "learning_rate": 1.0, "eps": 1.0}
    with pytest.raises(UnknownName) as caught:
        keywords_of("made", inspect.signature(made).parameters.values(), None, {"nesterof": True})
    assert str(caught.value) == "there is no option of made `nesterof`\nDid you mean `nesterov`?"


def test_spellings_are_compared_without_case_and_underscores() -> None:
    assert [plain_spelling(name) for name in ("beta_1", "learningRate", "β1", "ε")] == [
        "beta1",
        "learningrate",
        "beta1",
        "eps",
    ]


def test_words_are_no_answer_to_yes_or_no() -> None:
    """Any word was as good as yes: `-k fused=maybe`."""

    def run(g, fused: bool | None = None, amsgrad=False, depth=3, mode: bool | str = "fast", words=None):  # type: ignore[no-untyped-def]
        ...

    def asked(**options: Any) -> dict[str, Any]:
        parameters = inspect.signature(run).parameters.values()
        return keywords_of("run", parameters, None, options, skip=["g"]).arguments({})

    for option, what in (
        ("fused", "neither true nor false"),
        ("amsgrad", "neither true nor false"),
        ("depth", "not a"),
    ):
        with pytest.raises(BadValue, match=f"`{option}=maybe` is {what}"):
            asked(**{option: "maybe"})
    told = {"fused": True, "amsgrad": None, "depth": 4, "mode": "maybe", "words": "maybe"}
    assert asked(**told) == told
