"""Dialects: each is written with its rule's own pieces and is another form of it. They know no subject."""

from __future__ import annotations

import numpy as np
import pytest

import mhat
from mhat.checks.gradients import ODD, fresh
from mhat.mistakes.dialects import DIALECTS, Dialect, dialects_of, spoken
from mhat.printers import python
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Probes

IDS = [f"{dialect.of}: {dialect.name}" for dialect in DIALECTS]


@pytest.mark.parametrize("dialect", DIALECTS, ids=IDS)
def test_its_pieces_stand_in_the_rule_and_it_moves_otherwise(dialect: Dialect) -> None:
    rule = mhat.rules.named(dialect.of)
    text = spoken(dialect, python.rule_text(rule.tree))
    assert text is not None
    other = mhat.rule(text)
    assert other.knobs == rule.knobs
    streams = np.stack([fresh(30, seed) for seed in (21, 22)])
    starts = np.full((2, 1, streams.shape[-1]), 0.7)
    # At the defaults some differences vanish: a decay of 0, an eps that is lost beside the root.
    telling = {name: ODD.get(name, default if default > 1e-12 else 0.1) for name, default in rule.knobs.items()}
    evaluator = Evaluator(Probes(streams, starts, telling))
    with np.errstate(all="ignore"):
        assert np.nanmax(np.abs(evaluator.run(other.tree) - evaluator.run(rule.tree))) > 1e-9


@pytest.mark.parametrize("dialect", DIALECTS, ids=IDS)
def test_it_is_listed_once_with_name_and_reference(dialect: Dialect) -> None:
    listed = [found for chosen, found in dialects_of(mhat.rules.named(dialect.of)) if chosen == (dialect,)]
    assert len(listed) == 1
    assert dialect.name
    assert dialect.reference


def test_single_dialects_come_before_pairs_and_all_differ() -> None:
    found = dialects_of(mhat.rules.adamw)
    assert [len(chosen) for chosen, _ in found] == sorted(len(chosen) for chosen, _ in found)
    trees = [mhat.rules.adamw.tree, *(rule.tree for _, rule in found)]
    assert len(set(trees)) == len(trees)


def test_pieces_that_do_not_stand_there_once_are_no_dialect() -> None:
    twice = Dialect("adam", "twice", "nowhere", (("beta1", "beta2"),))
    assert spoken(twice, python.rule_text(mhat.rules.adam.tree)) is None
    assert dialects_of(mhat.rule("def own(x, g, *, lr=0.1):\n    return x - lr * g")) == ()


def test_a_rule_of_the_same_name_that_is_written_otherwise_has_the_dialects_that_can_be_read_in_it() -> None:
    text = python.rule_text(mhat.rules.nadam.tree)
    start = text.index("    mu = ")
    own = mhat.rule(text[:start] + "    m = beta1 * m + (1 - beta1) * g\n    return x - lr * m\n")
    assert dialects_of(own) == ()
