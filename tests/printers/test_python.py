"""Printed and parsed again, a rule is the same tree; brackets only where they are needed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhat.language import Rule, of_tree, rule
from mhat.language.tree import Knob, Name, Number, Operation, State, Tree
from mhat.printers.python import expression_text, line_text, number_text, rule_text
from tests import strategies

ADAM = """\
def adam(x, g, t, m=0, v="g**2", *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio"""


def expression(text: str) -> str:
    return expression_text(rule(f"def f(a_=0, a=0, b=0, c=0, d=0): return {text}").tree.result)


@settings(max_examples=80, deadline=None)
@given(strategies.rules())
def test_printed_and_parsed_a_rule_is_the_same(tree: Tree) -> None:
    text = rule_text(tree)
    assert rule(text).tree == tree
    assert rule_text(rule(text)) == text


@settings(max_examples=60, deadline=None)
@given(strategies.rules(exact_only=True, depth=5, max_lines=2))
def test_deep_arithmetic_survives_too(tree: Tree) -> None:
    assert rule(rule_text(tree)).tree == tree


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=20))
def test_a_docstring_survives(line: str) -> None:
    doc = f"What it does.\n\n{line}!"
    printed = rule_text(rule("def f(x): return x"), doc=doc)
    assert rule(printed).doc.split() == doc.split()


DOCS = ['ends with a "quote"', 'has """ inside', "a \\ backslash", "two\nlines\n\n    indented"]


@pytest.mark.parametrize("doc", DOCS)
def test_docstrings_that_need_care(doc: str) -> None:
    assert rule(rule_text(rule("def f(x): return x"), doc=doc)).doc == doc


def test_a_rule_prints_as_it_was_written() -> None:
    assert rule_text(rule(ADAM)) == ADAM
    assert line_text(rule(ADAM).tree.body[2]) == "m_hat = m / (1 - beta1**t)"


@pytest.mark.parametrize(
    "text",
    [
        "-(-a)", "a - (b - c)", "a - b - c", "a + (b + c)", "a / (b * c)", "a / b * c", "a * (b / c)", "a**b**c",
        "(a**b)**c", "(-a)**2", "-a**2", "a**-2", "a**-b**2", "-a * b", "-(a * b)", "a * -b", "a - (-b)", "a + (-b)",
        "(a + b) * c", "a * b + c", "a // b % c", "a // (b % c)", "a @ b @ c", "a @ (b @ c)", "a * b @ c",
        "not a", "not not a", "not (a and b)", "not a == b", "(not a) == b", "(a < b) < c", "a < (b < c)",
        "a < b and b < c", "a and b and c", "a and (b and c)", "(a or b) and c", "a or b and c", "-(not a)",
        "a if b else c", "2 * where(a, b, c)", "a if b > c else where(c, a, b)", "where(a, b, c) if a else c",
        "sqrt(where(a, b, c))", "a < -1", "(-1)**a", "norm(a)", 'sum(a * b, over="all")', "(a == b) != c", "-1",
        "clip(-a, -1, 1)", "-(a - b)", "-sqrt(a)", "sqrt(a)**2", "a**(b / c)", "a**(b + 1)", "(a / b)**2", "2**a",
    ],
)  # fmt: skip
def test_brackets_are_there_if_they_are_needed(text: str) -> None:
    assert expression(text) == text


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("((a)) + (b)", "a + b"),
        ("(a * b) + c", "a * b + c"),
        ("a**(b**c)", "a**b**c"),
        ("- - a", "-(-a)"),
        ("+a", "a"),
        ("where(a, b, c)", "b if a else c"),
        ("(a if b else c) * d", "where(b, a, c) * d"),
        ("a if b else c if d else a", "a if b else where(d, c, a)"),
        ("a - -b", "a - (-b)"),
        ("norm(a, over='tensor')", "norm(a)"),
        ("0.0010 + 1e0 + .5", "1e-3 + 1 + 0.5"),
    ],
)
def test_what_is_written_otherwise_prints_in_one_way(typed: str, printed: str) -> None:
    assert expression(typed) == printed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1.0, "1"), (0.1, "0.1"), (0.01, "0.01"), (1e-3, "1e-3"), (0.0015, "0.0015"), (1e-8, "1e-8"),
        (0.999, "0.999"), (1000.0, "1000"), (123456.0, "123456"), (1e6, "1e6"), (1234567.0, "1234567"), (1e22, "1e22"),
        (5e-324, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e308"), (0.1 + 0.2, "0.30000000000000004"),
        (-0.5, "-0.5"), (-0.0, "-0.0"), (2.5e-5, "2.5e-5"), (math.inf, "inf"), (-math.inf, "-inf"),
        (math.nan, "0 / 0"), (3.4445, "3.4445"), (100.5, "100.5"), (2.0**53, "9007199254740992"),
    ],
)  # fmt: skip
def test_numbers_print_as_people_write_them(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_exactly(value: float) -> None:
    read = rule(f"def f(*, a={number_text(value)}): return a").knobs["a"]
    assert read == value
    assert math.copysign(1.0, read) == math.copysign(1.0, value)


def test_negative_and_infinite_numbers_of_made_trees_print_with_their_brackets() -> None:
    def power(base: float) -> str:
        return expression_text(Operation("pow", (Number(base), Name("t"))))

    assert power(-2.0) == "(-2)**t"
    assert power(math.inf) == "inf**t"
    assert expression_text(Operation("sub", (Name("x"), Number(-2.0)))) == "x - (-2)"


def test_starts_are_numbers_or_strings() -> None:
    text = """def f(x, m=-1, v="g**2", s='norm(g, over="all")', z="1 / 3", *, lr=inf, b="sqrt(lr)"):\n    return x"""
    assert rule_text(rule(text)) == text
    odd = Tree("f", ("x",), (State("m", Number(math.inf)),), (Knob("lr", math.nan),), (), Name("x"))
    assert rule_text(odd) == "def f(x, m=inf, *, lr=0 / 0):\n    return x"
    assert rule(rule_text(odd)).tree.inputs == ("x",)


def test_a_long_signature_is_wrapped() -> None:
    names = ", ".join(f"state{i}=0" for i in range(30))
    made = rule(f"def long(x, g, {names}, *, lr=1): return x")
    text = rule_text(made)
    assert max(map(len, text.splitlines())) <= 100
    assert rule(text) == made
    assert text.splitlines()[0] == "def long("
    assert text.splitlines()[-2:] == ["):", "    return x"]


def test_a_rule_made_of_a_tree_prints_as_well() -> None:
    made: Rule = of_tree(rule(ADAM).tree)
    assert rule_text(made) == ADAM
