"""The derived bound: honest spellings lie within it, and a thousandth of a millionth does not. It knows no search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mhat
from mhat.checks.gradients import designed, fresh
from mhat.checks.oracle import bound, expected, in_ulps
from mhat.dtypes import DTYPES
from mhat.language import Rule
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Probes
from tests.choices import often

RULES = often()


def probes_of(rule: Rule, dtype: str) -> Probes:
    low, high = DTYPES[dtype].usual
    streams = [designed(12, 7), fresh(12, 8)]
    held = [np.where(s == 0, 0.0, np.sign(s) * np.clip(np.abs(s), low, high)) for s in streams]
    return Probes(np.stack(held), np.zeros((2, 1, held[0].shape[-1])), rule.knobs)


@pytest.mark.parametrize("name", RULES)
def test_the_rule_itself_lies_within_the_bound_and_a_small_error_does_not(name: str) -> None:
    rule = mhat.rules.named(name)
    probes = probes_of(rule, "float64")
    exact = expected(rule, probes, {})
    limit = bound(rule, probes, {}, exact, "float64")
    made = Evaluator(probes).run(rule.tree)
    assert (np.abs(made - exact) <= limit).all()
    off = exact * (1 + 1e-9)
    moved = np.isfinite(limit) & (np.abs(exact) > 1e-3 * np.abs(exact).max(axis=0, keepdims=True)) & (exact != 0)
    assert (np.abs(off - exact) > limit)[moved].mean() > 0.9


@pytest.mark.parametrize("name", ["adam", "lion", "rmsprop", "lamb"])
def test_float32_is_judged_by_what_float32_can_do(name: str) -> None:
    rule = mhat.rules.named(name)
    probes = probes_of(rule, "float32")
    exact = expected(rule, probes, {})
    wide = bound(rule, probes, {}, exact, "float32")
    narrow = bound(rule, probes, {}, exact, "float64")
    finite = np.isfinite(wide) & np.isfinite(narrow) & (narrow > 0)
    assert np.median(wide[finite] / narrow[finite]) > 1e6


@pytest.mark.parametrize("name", RULES)
def test_a_float32_engine_lies_within_the_bound_of_float32_and_not_of_float64(name: str) -> None:
    rule = mhat.rules.named(name)
    given = probes_of(rule, "float32")
    probes = replace(given, gradients=given.gradients.astype(np.float32).astype(np.float64))
    exact = expected(rule, probes, {})
    with np.errstate(all="ignore"):
        made = [mhat.trace(rule, g[:, 0], dtype="float32", keep=["x"]).x.values for g in probes.gradients]
    apart = np.abs(np.stack(made, axis=1)[:, :, None].astype(np.float64) - exact)
    assert (apart <= bound(rule, probes, {}, exact, "float32")).all()
    assert (apart > bound(rule, probes, {}, exact, "float64")).any()


def test_ulps_are_of_the_update() -> None:
    assert in_ulps(2.0**-52, 1.0, "float64") == 1
    assert in_ulps(1.0, 0.0, "float64") == np.inf
