"""Passes over memory: as few as the reductions need, with states stored as soon as they are known, and not too soon."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from mhat import rules as library
from mhat.engines.kernels.lowering import Kind, Lowered, NotLowered, lower
from mhat.engines.kernels.passes import Pass, passes_of
from mhat.language import Operation, Rule, of_tree, rule
from mhat.language.walking import names_in, subexpressions
from mhat.ops.table import OPERATIONS
from tests.choices import VECTORS
from tests.strategies import rules


def passes(text: str, **options: Any) -> list[Pass]:
    return passes_of(lower(rule(text)), **options)


def check(lowered: Lowered, made: list[Pass]) -> None:
    """Play the passes on what memory holds: each reads what is there, and stores what it has."""
    before = {lowered.before[name]: name for name in lowered.states(Kind.COORDINATE)}
    memory = {name: lowered.before[name] for name in before.values()} | {"x": "x_in", "g": "g_in"}
    scalars = {name for name, kind in lowered.kinds.items() if kind != Kind.COORDINATE} - set(lowered.by_id)
    for each in made:
        have = set(scalars)
        for name, array in each.loads.items():
            assert memory[array] == name, f"{array} holds {memory[array]}, not {name}"
            have.add(name)
        for value in each.values:
            assert names_in(value.expression) <= have, value
            have.add(value.id)
        for name in each.stores:
            assert lowered.after[name] in have
        memory |= {name: lowered.after[name] for name in each.stores}
        for value in each.reductions:
            assert names_in(value.expression) <= have
            scalars.add(value.id)
        if each.last:
            assert lowered.result in have
            assert {lowered.after[name] for name in lowered.states(Kind.TENSOR)} <= have
    assert made[-1].last
    assert not any(each.last for each in made[:-1])
    assert all(memory[name] == lowered.after[name] for name in lowered.states(Kind.COORDINATE))


def waits_for_a_reduction(chosen: Rule) -> bool:
    """Whether a line of the rule, and not only a start, reads a reduction."""
    values = (*(line.value for line in chosen.tree.body), chosen.tree.result)
    nodes = [node for value in values for node in subexpressions(value) if isinstance(node, Operation)]
    return any(OPERATIONS[node.op].kind == "reduction" for node in nodes)


@pytest.mark.parametrize("name", VECTORS)
def test_every_rule_of_the_library_reads_what_is_there(name: str) -> None:
    for rearranged in (False, True):
        for exact in (False, True):
            lowered = lower(library.named(name), rearranged=rearranged)
            made = passes_of(lowered, exact=exact)
            check(lowered, made)
            waits = waits_for_a_reduction(library.named(name))
            assert len(made) >= 2 if waits else len(made) == 1


@settings(max_examples=300)
@given(tree=rules(matrices=False))
def test_random_rules_read_what_is_there(tree: Any) -> None:
    try:
        lowered = lower(of_tree(tree))
    except NotLowered:
        return
    for exact in (False, True):
        check(lowered, passes_of(lowered, exact=exact))


def test_lamb_stores_its_averages_in_the_first_of_two_passes() -> None:
    first, second = passes_of(lower(library.lamb))
    assert first.stores == ("m", "v")
    assert sorted(first.loads.values()) == ["g", "m", "v", "x"]
    assert second.stores == ()
    assert sorted(second.loads.values()) == ["m", "v", "x"]
    assert [value.reduction.op for value in first.reductions if value.reduction] == ["norm", "norm"]


def test_memory_that_rounds_is_written_in_the_last_pass() -> None:
    first, second = passes_of(lower(library.lamb), exact=False)
    assert first.stores == ()
    assert second.stores == ("m", "v")
    assert sorted(second.loads.values()) == ["g", "m", "v", "x"]


def test_a_state_whose_old_value_is_needed_later_is_stored_last() -> None:
    first, second = passes("def f(x, g, m=0):\n    old = m\n    m = m + g\n    return x - norm(m) * old")
    assert first.stores == ()
    assert second.stores == ("m",)


def test_a_state_that_carries_another_is_stored_with_it() -> None:
    first, second = passes("def f(x, g, m=0, z=0):\n    z = m\n    m = m + g\n    return x - norm(m) * g")
    assert (first.stores, second.stores) == ((), ("m", "z"))


def test_reductions_that_wait_for_each_other_take_a_pass_each() -> None:
    made = passes("def f(x, g):\n    u = g / norm(g)\n    u = u - mean(u)\n    return x - u / sum(u * u)")
    assert [len(each.reductions) for each in made] == [1, 1, 1, 0]


def test_reductions_over_one_and_over_all_take_a_pass_each() -> None:
    made = passes("def f(x, g):\n    return x - g / norm(g, over='all') / norm(x) / sum(g)")
    assert [(each.over, len(each.reductions)) for each in made] == [(None, 2), ("all", 1), (None, 0)]


def test_a_reduction_that_nothing_needs_takes_no_pass() -> None:
    assert len(passes("def f(x, g):\n    size = norm(g)\n    return x - g")) == 1


def test_a_state_that_never_changes_is_not_stored() -> None:
    (only,) = passes("def f(x, g, z='x'):\n    return x - g + z")
    assert only.stores == ()
    assert "z" in only.loads.values()
