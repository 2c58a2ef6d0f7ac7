"""What a tree says about itself: its level, what depends on what, which numbers are one a step, and shapes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from mhat.language import Level, Name, Number, Operation, Tree, rule
from mhat.language.inference import (
    SCALAR,
    WHOLE,
    Shape,
    dependence,
    level,
    names_read,
    reductions_over_all,
    shapes,
)
from mhat.language.values import value_of
from mhat.language.walking import mapped_tree, names_in, product_length, renamed
from tests import strategies

NADAM = rule(
    """
    def nadam(x, g, t, m=0, v="g**2", product=1, *, lr=2e-3, beta1=0.9, beta2=0.999, momentum_decay=4e-3):
        mu = beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))
        product = product * mu
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - product)
        return x - lr * m_hat / sqrt(v)
    """
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("u = sqrt(g) if g > 0 else abs(g)", Level.COORDINATE),
        ("u = g / norm(g)", Level.TENSOR),
        ('u = mean(g, over="all")', Level.TENSOR),
        ("u = g - row_mean(g)", Level.MATRIX),
        ("u = g @ transpose(g) + norm(g)", Level.MATRIX),
        ("u, v = eigh(g)", Level.MATRIX),
    ],
)
def test_levels(line: str, expected: Level) -> None:
    made = rule(f"def f(x, g):\n    {line}\n    return x - u")
    assert level(made.tree) is made.level is expected
    assert reductions_over_all(made.tree) is ('"all"' in line)


def test_the_start_of_a_state_counts_for_the_level() -> None:
    assert rule("def f(x, s='norm(g)'): return x * s").level is Level.TENSOR


def test_dependence_goes_through_lines_and_steps() -> None:
    depends = NADAM.dependence
    assert depends["mu"] == {"t", "beta1", "momentum_decay"}
    assert depends["product"] == {"t", "beta1", "momentum_decay"}
    assert depends["m"] == {"g", "beta1"}
    assert depends["v"] == {"g", "beta2"}
    assert depends["return"] == {"x", "g", "t", "lr", "beta1", "beta2", "momentum_decay"}
    assert depends.per_step_states == {"product"}


def test_states_that_feed_each_other() -> None:
    made = rule("def f(x, g, a=0, b=0, c='lr', *, lr=1):\n    a = b\n    b = a + g\n    c = c * lr\n    return x - a")
    assert made.dependence["a"] == made.dependence["b"] == {"g"}
    assert made.dependence.per_step_states == {"c"}


def test_x_depends_on_what_was_returned() -> None:
    made = rule("def f(x, g, t, m=0, *, lr=1):\n    m = m + x\n    return x - lr * g * t")
    assert made.dependence["m"] == {"x", "g", "t", "lr"}
    assert made.dependence.per_step_states == frozenset()


def test_a_state_of_the_number_of_the_tensor_is_not_one_number_a_step() -> None:
    made = rule("def f(x, k, n, a=0, b=0):\n    a = a + k\n    b = b + n\n    return x - a - b")
    assert made.dependence.per_step_states == {"b"}


def test_an_input_assigned_anew_is_new_in_this_step_alone() -> None:
    made = rule("def f(x, g, t, m=0, *, lr=1):\n    m = m + g\n    g = t * lr\n    return x - g")
    assert dependence(made.tree)["m"] == {"g"}
    assert made.dependence["return"] == {"x", "t", "lr"}


def test_names_read() -> None:
    assert names_read(NADAM.tree) == {"x", "g", "t", "m", "v", "product", "mu", "m_hat", *NADAM.knobs}


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("u = 2 * lr + t", SCALAR),
        ("u = norm(g)", SCALAR),
        ("u = lr * g", WHOLE),
        ("u = g @ transpose(g)", ("rows", "rows")),
        ("u = transpose(g) @ g", ("columns", "columns")),
        ("u = transpose(g)", ("columns", "rows")),
        ("u = row_mean(g**2)", ("rows", "1")),
        ("u = column_mean(g**2)", ("1", "columns")),
        ("u = row_mean(g) * column_mean(g)", WHOLE),
        ("u = orthogonal(transpose(g))", ("columns", "rows")),
        ("u, w = eigh(g @ transpose(g))", ("1", "rows")),
        ("w, u = eigh(g @ transpose(g))", ("rows", "rows")),
        ("u, w = qr(g)", ("rows", "least")),
        ("w, u = qr(g)", ("least", "columns")),
        ("w, u = qr(g @ transpose(g))", ("rows", "rows")),
        ("u = where(lr > 1, g, 0)", WHOLE),
        ("u = m", ("rows", "rows")),
    ],
)
def test_shapes(line: str, shape: Shape) -> None:
    text = f"def f(x, g, t, m=0, *, lr=1):\n    {line}\n    m = m + g @ transpose(g)\n    return x"
    assert rule(text).shapes["u"] == shape


@settings(max_examples=40, deadline=None)
@given(strategies.rules())
def test_every_name_has_a_shape_and_a_dependence(tree: Tree) -> None:
    assert {*tree.state_names, *(set(tree.variables) - {"x", "g"})} <= set(shapes(tree))
    assert set(tree.state_names) <= set(dependence(tree).of)
    assert dependence(tree).per_step_states <= set(tree.state_names)


@settings(max_examples=40, deadline=None)
@given(strategies.rules(elementwise=True))
def test_without_matrices_everything_is_a_number_or_a_tensor(tree: Tree) -> None:
    assert level(tree) is Level.COORDINATE
    assert set(shapes(tree).values()) <= {SCALAR, WHOLE}


def test_walking() -> None:
    made = rule("def f(x, g, m='g', *, lr=1):\n    m = lr * m**3 + g\n    return x - lr * m").tree
    assert names_in(made.body[0].value) == {"lr", "m", "g"}
    assert names_in(renamed(made.result, {"m": "u", "g": "h"})) == {"x", "lr", "u"}
    doubled = mapped_tree(made, lambda node: Number(2 * node.value) if isinstance(node, Number) else node)
    assert doubled.body[0].value == rule("def f(g, m=0, *, lr=1): return lr * m**6 + g").tree.result
    assert doubled.states == made.states
    powers = [Operation("pow", (Name("a"), Number(exponent))) for exponent in (1.0, 2.0, 3.0, 4.0, 5.0, 2.5)]
    assert [product_length(power) for power in powers] == [None, 2, 3, 4, None, None]


def test_values_of_plain_numbers() -> None:
    def value(text: str) -> float:
        return value_of(rule(f"def f(a=0): return {text}").tree.result, {"a": 3.0})

    assert value("a**2 + 2 * a if a > 2 else 0") == 15.0
    assert value("norm(-a) + mean(a)") == 6.0
    assert value("transpose(a) @ a") == 9.0
    assert value("1 / 0") == float("inf")
    assert value("0.1**3") == 0.1 * 0.1 * 0.1
