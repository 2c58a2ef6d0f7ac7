"""A tensor that a matrix rule cannot be run on is refused with the place, and one that it can is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mhat
from mhat.engines.stepping import step
from mhat.errors import BadValue
from mhat.language import Rule, Tree, of_tree, rule
from mhat.language.fit import FLATTEN, require_fit
from mhat.language.walking import mapped_tree
from tests import strategies

ANOTHER = "Give a tensor of rows and columns, or another rule for this one."
JOIN = "The columns of the first are the rows of the second: transpose one."
BROADCAST = "Transpose one of the two, or reduce it to a number."
SQUARE = "Give it a matrix such as `a @ transpose(a)`."
MISFITS = [
    ("transpose(g)", "u = transpose(g)", (), "works on a matrix, and x is a number", ANOTHER),
    ("orthogonal(g)", "u = 2 * orthogonal(g)", (3,), "works on a matrix, and x has the shape (3,)", ANOTHER),
    ("row_mean(g)", "u = row_mean(g)", (2, 2, 3), "works on a matrix, and x has the shape (2, 2, 3)", FLATTEN),
    ("row_mean(g)", "u = row_mean(g)", (0, 3), "works on a matrix, and x has the shape (0, 3)", ANOTHER),
    ("g @ g", "u = g @ g", (2, 3), "joins the shapes (2, 3) and (2, 3), where", JOIN),
    ("lr @ g", "u = lr @ g", (2, 3), "works on a matrix, and `lr` is a number, where", "Give it a matrix."),
    ("qr(sum(g))", "v, u = qr(sum(g))", (2, 3), "works on a matrix, and `sum(g)` is a number, where",
     "Give it a matrix."),
    ("eigh(g)", "v, u = eigh(g)", (2, 3), "works on a square matrix, and this one has the shape (2, 3), where", SQUARE),
    ("g + transpose(g)", "u = g + transpose(g)", (2, 3), "the shapes (2, 3) and (3, 2) do not go together, where",
     BROADCAST),
    ("u * g", "u, v = qr(g); u = u * g", (2, 3), "the shapes (2, 2) and (2, 3) do not go together, where", BROADCAST),
]  # fmt: skip
FITS = [
    ("u, v = qr(g); u = u * g", (3, 2)),
    ("u = row_mean(g) * column_mean(g) / norm(g)", (2, 3)),
    ("u = g @ g + orthogonal(transpose(g))", (3, 3)),
    ("u = g if t > 1 else abs(g)", (2, 2, 3)),
]


def rule_of(line: str, states: str = "") -> Rule:
    return rule(f"def f(x, g, t{states}, *, lr=0.1):\n    {line}\n    return x - lr * u")


def refusal(made: Rule, tensor: tuple[int, ...], called: str = "x") -> str:
    with pytest.raises(BadValue) as caught:
        require_fit(made, tensor, called)
    return str(caught.value)


@pytest.mark.parametrize(("part", "line", "tensor", "what", "cure"), MISFITS)
def test_where_it_does_not_fit(part: str, line: str, tensor: tuple[int, ...], what: str, cure: str) -> None:
    said = what if what.startswith("the ") else f"`{part}` {what}"
    said += f" x has the shape {tensor}" * what.endswith("where")
    column = line.index(part)
    shown = f"    {line}\n    {' ' * column}{'^' * len(part)}"
    assert refusal(rule_of(line), tensor) == f"<rule>, line 2: {said}\n{shown}\n{cure}"


@pytest.mark.parametrize(("line", "tensor"), FITS)
def test_where_it_fits(line: str, tensor: tuple[int, ...]) -> None:
    require_fit(rule_of(line), tensor)


def test_a_state_keeps_its_shape() -> None:
    said = refusal(rule_of("m = transpose(m)\n    u = g", ", m='g'"), (2, 3))
    assert said.startswith("<rule>, line 2: the state `m` has the shape (2, 3), and this has the shape (3, 2), where x")
    require_fit(rule("def f(x, g, m=0):\n    m = m + g @ transpose(g)\n    return x - m @ g"), (2, 3))


def test_the_return_has_the_shape_of_x() -> None:
    said = refusal(rule("def f(x, g): return g @ transpose(g)"), (2, 3), "params[0]")
    assert said.splitlines()[0] == (
        "<rule>, line 1: the return has the shape (2, 2), where params[0] has the shape (2, 3)"
    )
    assert refusal(rule("def f(x, g): return x + transpose(g) @ g"), (1, 3)) == (
        "<rule>, line 1: the return has the shape (3, 3), where x has the shape (1, 3)\n"
        "    def f(x, g): return x + transpose(g) @ g\n"
        "                        ^^^^^^^^^^^^^^^^^^^^\n"
        "Return what has the shape of x."
    )


def test_a_rule_made_of_a_tree_names_the_operation() -> None:
    made = mapped_tree(rule("def f(x, g): return x - transpose(g)").tree, lambda node: replace(node, place=None))
    bare = of_tree(made)
    assert refusal(bare, (3,)).splitlines()[0] == "`transpose` works on a matrix, and x has the shape (3,)"


X: dict[str, Any] = {"number": 1.0, "vector": np.ones(3), "wide": np.ones((2, 3)), "stack": np.ones((2, 2, 3))}


@pytest.mark.parametrize("kind", X)
@pytest.mark.parametrize("value", ["g @ g", "transpose(g)", "row_mean(lr)", "g @ transpose(row_mean(g))"])
def test_every_way_to_run_a_rule_says_so(value: str, kind: str) -> None:
    made, x = rule(f"def f(x, g, *, lr=0.1): return x - {value}"), X[kind]
    ways = [lambda: step(made, x, x, 1), lambda: step(made, [x, x], [x, x], 1), lambda: mhat.trace(made, [x, x])]
    if kind != "number":
        ways += [lambda: mhat.Optimizer(made, [x.copy()])]
    for way in ways:
        with pytest.raises(BadValue):
            way()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.rules(depth=2, max_lines=4), st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_what_fits_can_be_run(tree: Tree, tensor: tuple[int, int]) -> None:
    made = of_tree(tree)
    x = np.arange(1.0, 1 + tensor[0] * tensor[1]).reshape(tensor)
    require_fit(made, tensor)
    first = step(made, x, x + 1, 1)
    assert step(made, first.x, x - 1, 2, first.state).x.shape == tensor
