"""Numbers of the step in Python: what may raise is a call, all else is as a person writes it."""

from __future__ import annotations

import math

import pytest

from mhat import rules
from mhat.exports.arrays import SCALAR_HELPERS
from mhat.language import rule
from mhat.language.values import value_of
from mhat.ops import OPERATIONS
from mhat.printers.numpy import NumpyPrinter
from mhat.printers.scalars import Facts, ScalarPrinter, python_number
from tests.strategies import applied

NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 3.0, 1e300, -1e300, 1e-300, 710.0, math.inf, -math.inf, math.nan]


def printed(expression: str, knobs: str = "lr=0.1, beta1=0.9, eps=1e-8, p=2.0") -> str:
    made = rule(f"def made(x, g, t, *, {knobs}):\n    n_ = {expression}\n    return x - lr * n_ * g")
    return ScalarPrinter(Facts.of(made)).expression(made.tree.body[0].value)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("lr / (1 - beta1**t)", "lr / (1 - beta1**t)"),
        ("lr / (1 - beta1)", "lr / (1 - beta1)"),
        ("lr / eps", "_divide(lr, eps)"),
        ("lr / (eps + 1)", "lr / (eps + 1)"),
        ("sqrt(1 - beta1**t)", "math.sqrt(1 - beta1**t)"),
        ("sqrt(p)", "_sqrt(p)"),
        ("t**p", "_power(t, p)"),
        ("lr**2", "lr * lr"),
        ("t % p", "_remainder(t, p)"),
        ("t % 2", "t % 2"),
        ("maximum(1, t / p)", "max(1, _divide(t, p))"),
        ("sqrt(maximum(1, p))", "math.sqrt(max(1, p))"),
        ("lr if t > p else eps", "lr if t > p else eps"),
        ("clip(lr, 0, 1)", "min(max(lr, 0), 1)"),
    ],
)
def test_what_cannot_raise_is_plain(expression: str, said: str) -> None:
    assert printed(expression) == said


def test_a_default_out_of_its_range_proves_nothing() -> None:
    assert printed("lr / (1 - beta1)", "lr=0.1, beta1=1.0, eps=1e-8, p=2") == "_divide(lr, 1 - beta1)"


def test_what_a_line_assigns_is_known_in_the_next() -> None:
    facts = Facts.of(rules.adam)
    correction = rule("def c(x, g, t, *, beta1=0.9):\n    c1 = 1 - beta1**t\n    return x - g / c1").tree.body[0].value
    facts.learn("c1", correction)
    assert "c1" in facts.positive
    facts.learn("c1", applied("sub"))
    assert "c1" not in facts.positive


@pytest.mark.parametrize("op", [op for op, definition in OPERATIONS.items() if definition.elementwise])
def test_every_operation_gives_what_it_means_and_never_raises(op: str) -> None:
    text = ScalarPrinter().expression(applied(op))
    names = {"math": math}
    exec("import math\n" + "\n\n".join(SCALAR_HELPERS.values()), names)
    for a in NUMBERS:
        for b in NUMBERS:
            given = {"a": a, "b": b, "c": 1.0}
            if op in ("minimum", "maximum", "clip") and not all(value == value for value in given.values()):
                continue  # numbers of the step: which of two wins beside NaN is left open
            found, expected = float(eval(text, names, given)), value_of(applied(op), given)
            same = found == expected or (math.isnan(found) and math.isnan(expected))
            assert same or math.isclose(found, expected, rel_tol=1e-15), (a, b, found, expected)


@pytest.mark.parametrize("value", NUMBERS)
def test_every_number_reads_back(value: float) -> None:
    found = eval(python_number(value), {"math": math})
    assert repr(float(found)) == repr(value)


def test_truth_is_a_number_where_it_is_computed_with() -> None:
    made = rule("def made(x, g, t, *, lr=0.1): return x - lr * (g > 0) - (t > 3) * g")
    printer = NumpyPrinter({"t", "lr"})
    assert printer.expression(made.tree.result) == "x - lr * (g > 0).astype(x.dtype) - float(t > 3) * g"
