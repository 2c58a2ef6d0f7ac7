"""Clipping by the norm over all tensors: the text it makes, its numbers, its refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import modifiers, rules
from mhat.errors import BadValue, LanguageError
from mhat.language import Level, Rule, rule
from mhat.modifiers import clipped
from mhat.printers.python import rule_text
from tests.choices import often
from tests.rules.walks import walked

EVERY_RULE = pytest.mark.parametrize("name", rules.names())
EVERY_VECTOR = pytest.mark.parametrize("name", often())
GRADIENTS = np.random.default_rng(5).normal(size=(60, 3)) * [1.0, 0.1, 3.0]

TEXT = """\
def clipped_adam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, max_norm=1):
    g_norm = norm(g, over="all")
    factor = minimum(1, max_norm / (g_norm + 1e-6))
    g = factor * g
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio"""


def by_hand(gradients: Any, max_norm: float) -> Any:
    norms = np.array([math.sqrt(sum(float(v) ** 2 for v in row)) for row in gradients])
    return gradients * np.minimum(1.0, max_norm / (norms + 1e-6))[:, None]


def test_it_prints_as_pseudo_code() -> None:
    assert rule_text(clipped(rules.adam).tree) == TEXT


@EVERY_RULE
def test_printed_and_parsed_again_it_is_the_same_rule(name: str) -> None:
    made = clipped(rules.named(name))
    assert rule(rule_text(made.tree)) == made
    assert made.name == f"clipped_{name}"
    assert made.level in (Level.TENSOR, rules.named(name).level)


@EVERY_VECTOR
def test_it_is_the_rule_on_clipped_gradients(name: str) -> None:
    made, plain = clipped(rules.named(name)), rules.named(name)
    ours = walked(made, GRADIENTS, 0.5, max_norm=0.7)["x"]
    np.testing.assert_allclose(ours, walked(plain, by_hand(GRADIENTS, 0.7), 0.5)["x"], rtol=1e-11, atol=1e-13)
    assert np.any(ours != walked(plain, GRADIENTS, 0.5)["x"]) or name in ("fromage", "rprop", "signsgd")


def test_a_gradient_within_the_norm_is_left_alone_bit_for_bit() -> None:
    ours = walked(clipped(rules.adam), GRADIENTS, max_norm=1e3)["x"]
    assert np.array_equal(ours, walked(rules.adam, GRADIENTS)["x"])


def test_several_tensors_share_one_norm() -> None:
    made = clipped(rules.sgd)
    x = [np.zeros(2), np.zeros((1, 2))]
    g = [np.array([3.0, 0.0]), np.array([[0.0, 4.0]])]
    step = mhat.step(made, x, g, 1, lr=1.0, max_norm=1.0)
    factor = 1.0 / (5.0 + 1e-6)
    assert step.x[0].tolist() == [-3.0 * factor, 0.0]
    assert step.x[1].tolist() == [[0.0, -4.0 * factor]]


def test_a_trace_shows_the_norm_the_factor_and_both_gradients() -> None:
    ds = mhat.trace(clipped("def plain(x, g, *, lr=0.1): return x - lr * g"), GRADIENTS, max_norm=0.7)
    assert list(ds.data_vars) == ["g", "x", "g_norm", "factor", "g_used"]
    assert ds.g_norm.dims == ds.factor.dims == ("step",)
    assert np.array_equal(ds.g, GRADIENTS)
    assert np.array_equal(ds.g_used, ds.factor * ds.g)
    norms = np.sqrt((ds.g_used**2).sum("i"))
    assert float(norms.max()) <= 0.7
    assert mhat.again(ds).identical(ds)


def test_a_knob_can_be_swept() -> None:
    ds = mhat.trace(clipped(rules.adam), GRADIENTS, max_norm=[0.1, 1.0])
    assert ds.x.dims == ("step", "max_norm", "i")
    assert np.array_equal(ds.x.sel(max_norm=0.1), mhat.trace(clipped(rules.adam), GRADIENTS, max_norm=0.1).x)


def test_a_rule_is_a_reference_of_a_check() -> None:
    def mine(gradients: Any, lr: float = 0.01, max_norm: float = 1.0) -> Any:
        rows = np.asarray(gradients, dtype=float)
        scale = [min(1.0, max_norm / (float(np.sqrt(np.sum(row**2))) + 1e-6)) for row in rows]
        return -lr * np.cumsum(rows * np.reshape(scale, (-1, *(1,) * (rows.ndim - 1))), axis=0)

    assert mhat.check(mine, clipped(rules.sgd)).conforms
    assert not mhat.check(mine, rules.sgd, seconds=1).conforms


@pytest.mark.parametrize(("name", "start"), [("adopt", "g**2"), ("adan", "g")])
def test_a_state_that_starts_from_the_first_gradient_starts_from_the_clipped_one(name: str, start: str) -> None:
    text = rule_text(clipped(rules.named(name)).tree)
    assert f'"{start}"' not in text
    assert 'minimum(1, max_norm / (norm(g, over="all") + 1e-6)) * g' in text


def test_what_is_not_finite_stays_to_be_seen() -> None:
    ds = mhat.trace(clipped(rules.sgd), [[1.0, np.nan], [1.0, np.inf], [1.0, 1.0]], keep=["factor", "g_used"])
    assert np.isnan(ds.factor[0])
    assert ds.factor[1] == 0.0
    assert np.isnan(ds.g_used[1].values).tolist() == [False, True]


def test_paper_docs_and_sentences_are_carried_on() -> None:
    made = clipped(rules.adabound)
    assert made.paper.startswith(rules.adabound.paper)
    assert made.paper.endswith("Pascanu et al. 2013, gradient norm clipping, Algorithm 1, arXiv:1211.5063")
    assert made.doc.startswith("Clip the gradient to a norm over all tensors, then step as adabound does.\n\n")
    assert rules.adabound.doc in made.doc
    assert made.meaning("gamma") == rules.adabound.meaning("gamma")
    assert "largest norm" in made.meaning("max_norm").sentence
    with pytest.raises(BadValue, match=r"max_norm=-1.0 is out of its range"):
        made.check_knobs({"max_norm": -1.0})


def test_names_that_are_taken_are_made_fresh() -> None:
    text = (
        "def mine(x, g, factor=0, factor_2=0):\n    factor = g\n    g_norm = factor\n    return x - g_norm * factor_2"
    )
    made = clipped(text)
    assert made.variables == ("g_norm_2", "factor_3", "g", "factor", "g_norm")
    assert rule(rule_text(made.tree)) == made


def a_function(x, g, *, lr=0.1):  # type: ignore[no-untyped-def]
    return x - lr * g


def test_a_function_is_a_rule() -> None:
    assert clipped(a_function).name == "clipped_a_function"


TWICE = "clipped adds the knob `max_norm`, and {} has a {} of that name\nRename it in {}, or leave clipped out."
REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "twice": (clipped(rules.adam), BadValue, TWICE.format("clipped_adam", "knob", "clipped_adam")),
    "a state": ("def mine(x, g, max_norm=0): return x - g", BadValue, TWICE.format("mine", "state", "mine")),
    "a variable": (
        "def mine(x, g):\n    max_norm = g\n    return x", BadValue, TWICE.format("mine", "variable", "mine"),
    ),
    "a name": (
        "adam", BadValue, "clipped was given the name `adam`\nGive it the rule itself: clipped(mhat.rules.adam).",
    ),
    "no gradient": (
        "def still(x, t): return x", BadValue,
        "still has no input `g` for clipped to change\nGive a rule that reads the gradient.",
    ),
    "no rule": (3, LanguageError, "3 is neither a function nor text\nGive a function, or its text."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_is_refused(case: tuple[Any, type[Exception], str]) -> None:
    given, kind, message = case
    with pytest.raises(kind) as error:
        clipped(given)
    assert str(error.value) == message


def test_the_list_of_modifiers() -> None:
    assert "clipped" in modifiers.names()
    assert modifiers.named("clipped") is modifiers.clipped is mhat.modifiers.clipped
    with pytest.raises(mhat.MhatError, match="there is no modifier `clip`"):
        modifiers.named("clip")
    with pytest.raises(mhat.MhatError, match="there is no modifier `names`"):
        modifiers.named("names")
    assert isinstance(modifiers.clipped(rules.sgd), Rule)
