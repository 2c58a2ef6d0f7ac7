"""Rules lowered to single assignment: what they compute, how often, and of what kind; and what is not lowered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from mhat import rules as library
from mhat.engines.kernels.lowering import Kind, Lowered, NotLowered, lower
from mhat.language import Rule, of_tree, rule
from mhat.language.tree import Name, Number, Operation
from mhat.language.walking import names_in, subexpressions
from mhat.printers.kernel import KernelPrinter
from tests.choices import VECTORS
from tests.strategies import rules

PRINTER = KernelPrinter()


def text(lowered: Lowered, name: str) -> str:
    """Print a value with all that it is computed from written out, as far as it is computed for tensors."""
    known = lowered.by_id

    def written(node: Any) -> Any:
        if isinstance(node, Name):
            return written(known[node.id].expression) if node.id in known else node
        if isinstance(node, Number):
            return node
        return Operation(node.op, tuple(map(written, node.arguments)), node.over)

    return PRINTER.expression(written(Name(name)))


def step_text(lowered: Lowered, entered: str) -> str:
    known = {value.id: value.expression for value in lowered.step_values}
    stands_for = lowered.entered[entered]
    return PRINTER.expression(known.get(stands_for, Name(stands_for)))


def check_order(lowered: Lowered) -> None:
    """Every name is defined once and before it is read."""
    given = set(lowered.kinds) - {v.id for v in (*lowered.step_values, *lowered.values)} - set(lowered.entered)
    for values in (lowered.step_values, lowered.values):
        known = given | (set() if values is lowered.step_values else set(lowered.entered))
        for value in values:
            assert names_in(value.expression) <= known, value
            assert value.id not in known
            known.add(value.id)
    steps = given | {value.id for value in lowered.step_values}
    assert set(lowered.entered.values()) <= steps
    found = {lowered.result, *lowered.after.values(), *lowered.variables.values()}
    assert found <= steps | known | set(lowered.entered)


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("rearranged", [False, True])
def test_every_rule_of_the_library_is_defined_before_it_is_read(name: str, rearranged: bool) -> None:
    lowered = lower(library.named(name), rearranged=rearranged)
    check_order(lowered)
    for value in lowered.step_values:
        assert all(lowered.kinds[read] == Kind.STEP for read in names_in(value.expression))
    for value in lowered.values:
        assert all(lowered.kinds[read] != Kind.STEP for read in names_in(value.expression))


@settings(max_examples=150)
@given(tree=rules(matrices=False))
def test_random_rules_are_defined_before_they_are_read(tree: Any) -> None:
    for rearranged in (False, True):
        try:
            lowered = lower(of_tree(tree), rearranged=rearranged)
        except NotLowered as error:
            assert str(error) == "a reduction of what is not one number a coordinate"
            continue
        check_order(lowered)
        for value in lowered.values:
            inner = [node for node in subexpressions(value.expression) if isinstance(node, Operation)]
            assert value.reduction is not None or not any(node.op in ("sum", "mean", "norm") for node in inner)


def test_what_is_one_number_a_step_is_computed_in_double_and_once() -> None:
    lowered = lower(library.adam)
    assert {step_text(lowered, name) for name in lowered.entered} >= {"1.0 - beta1_in", "1.0 - pow_(beta1_in, t_in)"}
    texts = [PRINTER.expression(value.expression) for value in lowered.step_values]
    assert len(texts) == len(set(texts))
    assert text(lowered, lowered.after["m"]).count("*") == 2


def test_a_name_that_is_assigned_again_is_another_value() -> None:
    lowered = lower(rule("def f(x, g, m=0):\n    m = m + g\n    m = m * 2\n    g = g + m\n    return x - g - m"))
    assert lowered.before["m"] == "m_in" != lowered.after["m"]
    assert set(lowered.variables) == {"m", "g_used"}
    assert text(lowered, lowered.after["m"]).startswith("(m_in + g_in) * e_")
    assert text(lowered, lowered.result).startswith("x_in - (g_in + ")


def test_states_have_the_kind_of_what_they_hold() -> None:
    lowered = lower(
        rule(
            "def f(x, g, t, k, m=0, v=0, p=1, c=0):\n    m = m + g\n    v = v + sum(g * g)\n    p = p * 0.9\n"
            "    c = c + k\n    return x - m / v * p * c"
        )
    )
    assert {name: lowered.state_kind(name) for name in lowered.before} == {
        "m": Kind.COORDINATE,
        "v": Kind.TENSOR,
        "p": Kind.STEP,
        "c": Kind.TENSOR,
    }
    assert lowered.states(Kind.TENSOR) == ["v", "c"]


def test_equal_reductions_are_one() -> None:
    lowered = lower(library.lamb)
    assert [v.reduction.op for v in lowered.values if v.reduction] == ["norm", "norm"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return x - g @ transpose(g) @ x", "a matrix operation"),
        ("q, r = qr(g)\n    return x - q @ r", "a matrix operation"),
        ("return x - g * sum(t)", "a reduction of what is not one number a coordinate"),
        ("return x - g * mean(norm(g))", "a reduction of what is not one number a coordinate"),
    ],
)
def test_what_is_not_lowered(body: str, reason: str) -> None:
    with pytest.raises(NotLowered, match=reason):
        lower(rule(f"def f(x, g, t):\n    {body}"))


def average(line: str, knobs: str = "b=0.9") -> str:
    made: Rule = rule(f"def f(x, g, t, m=0, *, {knobs}):\n    {line}\n    return x - m")
    lowered = lower(made, rearranged=True)
    found = text(lowered, lowered.after["m"])
    for name in lowered.entered:
        found = found.replace(name, f"[{step_text(lowered, name)}]")
    return found


@pytest.mark.parametrize(
    "line",
    [
        "m = b * m + (1 - b) * g",
        "m = m * b + g * (1 - b)",
        "m = (1 - b) * g + b * m",
        "a = 1 - b\n    m = b * m + a * g",
    ],
)
def test_an_average_keeps_the_state_and_adds_a_part_of_the_difference(line: str) -> None:
    assert average(line) == "m_in + [1.0 - b_in] * (g_in - m_in)"


def test_an_average_by_the_weight_of_the_new_is_seen_too() -> None:
    assert average("m = (1 - b) * m + b * g") == "m_in + [b_in] * (g_in - m_in)"
    assert average("m = 0.9 * m + (1 - 0.9) * g") == "m_in + [1.0 - 0.9] * (g_in - m_in)"
    assert average("m = 0.9 * m + 0.1 * g").startswith("m_in + [0.1")


@pytest.mark.parametrize("line", ["m = b * m + g", "m = b * m + (1 - b / 2) * g", "m = b * m - (1 - b) * g"])
def test_what_is_no_average_stays_as_it_is(line: str) -> None:
    assert "g_in - m_in" not in average(line)


def test_a_quotient_by_a_number_of_the_step_is_a_product_with_its_inverse() -> None:
    assert average("m = g / (1 - b**t)").startswith("g_in * [1.0 / (1.0 - pow_(b_in, t_in))]")
    assert average("m = g / x") == "g_in / x_in"


def test_as_written_changes_nothing() -> None:
    lowered = lower(rule("def f(x, g, m=0, *, b=0.9):\n    m = b * m + (1 - b) * g / 3\n    return x - m"))
    assert text(lowered, lowered.after["m"]).count("/") == 1
    assert "g_in - m_in" not in text(lowered, lowered.after["m"])
