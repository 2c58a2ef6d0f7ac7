"""The parser takes all that the rule language has, from strings and functions, and executes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhat.errors import LanguageError
from mhat.language import Assignment, Expression, Knob, Name, Number, Operation, State, Tree, rule
from mhat.language.tree import check_expression
from mhat.language.walking import all_expressions
from mhat.ops import OPERATIONS
from tests import strategies

X, G, A, B, C = (Name(name) for name in "xgabc")


def op(name: str, *arguments: Expression, over: str | None = None) -> Operation:
    return Operation(name, arguments, over)


def expression(text: str) -> Expression:
    return rule(f"def f(x, g, t, a=0, b=0, c=0): return {text}").tree.result


def test_a_whole_rule() -> None:
    made = rule("def f(x, g, m=0, v='g**2', *, lr=1e-3):\n    m = lr * m + g\n    return x - m")
    assert made.tree == Tree(
        name="f",
        inputs=("x", "g"),
        states=(State("m", Number(0.0)), State("v", op("pow", G, Number(2.0)))),
        knobs=(Knob("lr", 1e-3),),
        body=(Assignment(("m",), op("add", op("mul", Name("lr"), Name("m")), G)),),
        result=op("sub", X, Name("m")),
    )


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b - c", op("sub", op("add", A, B), C)),
        ("a - (b - c)", op("sub", A, op("sub", B, C))),
        ("a * b / c // a % b @ c",
         op("matmul", op("mod", op("floordiv", op("div", op("mul", A, B), C), A), B), C)),
        ("a**b**c", op("pow", A, op("pow", B, C))),
        ("-a**2", op("neg", op("pow", A, Number(2.0)))),
        ("(-a)**2", op("pow", op("neg", A), Number(2.0))),
        ("a**-2", op("pow", A, op("neg", Number(2.0)))),
        ("--a", op("neg", op("neg", A))),
        ("+a", A),
        ("a < b", op("lt", A, B)), ("a <= b", op("le", A, B)), ("a > b", op("gt", A, B)), ("a >= b", op("ge", A, B)),
        ("a == b", op("eq", A, B)), ("a != b", op("ne", A, B)),
        ("a and b and c", op("and", op("and", A, B), C)),
        ("a or b and not c", op("or", A, op("and", B, op("not", C)))),
        ("a if b else c", op("where", B, A, C)),
        ("where(b, a, c)", op("where", B, A, C)),
        ("a if b else c if a else b", op("where", B, A, op("where", A, C, B))),
        ("clip(a, -1, 1)", op("clip", A, op("neg", Number(1.0)), Number(1.0))),
        ("ops.sqrt(a) + mhat.ops.sqrt(b)", op("add", op("sqrt", A), op("sqrt", B))),
        ("sum(a)", op("sum", A)), ("mean(a, over='all')", op("mean", A, over="all")),
        ('norm(a, over="tensor")', op("norm", A)),
        ("1_000 + 0x10 + 1e3", op("add", op("add", Number(1000.0), Number(16.0)), Number(1000.0))),
        ("10**400", op("pow", Number(10.0), Number(400.0))),
        ("(((a)))", A),
    ],
)  # fmt: skip
def test_expressions(text: str, tree: Expression) -> None:
    assert expression(text) == tree


@pytest.mark.parametrize("name", [name for name, definition in OPERATIONS.items() if definition.called])
def test_every_function_can_be_called(name: str) -> None:
    definition = OPERATIONS[name]
    arguments = "abc"[: 1 if definition.kind == "reduction" else definition.arity]
    call = op(name, *map(Name, arguments))
    if name == "leading":
        # How many is a number, or a knob.
        assert expression("leading(a, 2)") == op("leading", Name("a"), Number(2.0))
        return
    if definition.results == 1:
        starts = ", ".join(f"{argument}='x'" for argument in arguments)
        assert rule(f"def f(x, {starts}): return {name}({', '.join(arguments)})").tree.result == call
    else:
        made = rule(f"def f(x, a=0):\n    p, q = {name}(a)\n    return p + q")
        assert made.tree.body == (Assignment(("p", "q"), call),)


def body(*lines: str) -> tuple[Assignment, ...]:
    return rule("\n    ".join(["def f(x, g, m=0, *, lr=1):", *lines, "return x"])).tree.body


def test_ways_to_write_an_assignment() -> None:
    assert body("m += g * 2") == body("m = m + g * 2")
    assert body("m **= 2") == body("m = m**2")
    assert body("m -= g - x") == body("m = m - (g - x)")
    assert body("m: float = g") == body("m = g")
    assert body("m = g; u = m") == body("m = g", "u = m")
    assert body("(u, v) = qr(g)") == body("u, v = qr(g)")
    assert body("u = (g +", "     x)") == body("u = g + x")
    assert body("u = g  # a comment", "# and one alone", "", "v = u") == body("u = g", "v = u")
    assert body("x = x * 2", "g = g + x", "x_eval = x", "x_eval = x_eval") != ()
    assert body("m = g", "m = m * 2") == (
        Assignment(("m",), G),
        Assignment(("m",), op("mul", Name("m"), Number(2.0))),
    )


def test_starts_of_states() -> None:
    made = rule("def f(x, a=-1, b=1 / 3, c='g**2', d=' x ', e='norm(g, over=\"all\")', h='lr', *, lr=1): return x")
    assert [state.start for state in made.tree.states] == [
        op("neg", Number(1.0)), op("div", Number(1.0), Number(3.0)), op("pow", G, Number(2.0)), X,
        op("norm", G, over="all"), Name("lr"),
    ]  # fmt: skip


def test_defaults_of_knobs() -> None:
    made = rule("def f(x, *, a=-1, b=1 / 3, c=1 - 0.9, d=0.1**3, e=1 / 0, h=10**-3): return x")
    # A literal exponent 2 to 4 is a product from left to right, here as in a line.
    assert made.knobs == {"a": -1.0, "b": 1 / 3, "c": 1 - 0.9, "d": 0.1 * 0.1 * 0.1, "e": float("inf"), "h": 1e-3}


def test_inputs_are_optional_and_in_any_order() -> None:
    assert rule("def f(): return 1").tree.inputs == ()
    assert rule("def f(t, g, x, n, k): return x").tree.inputs == ("t", "g", "x", "n", "k")
    assert rule("def f(x, /, g, m=0): return x").tree.inputs == ("x", "g")


def test_docstring_decorator_and_paper() -> None:
    made = rule(
        '''
        """About the file."""
        from mhat import rule
        from mhat.ops import sqrt

        @rule(paper="P & Q 2020")
        def f(x: float, g: float, *, lr: float = 0.1) -> float:
            """What it does.

            More of it.
            """
            return x - lr * sqrt(g)
        '''
    )
    assert made.doc == "What it does.\n\nMore of it."
    assert made.paper == "P & Q 2020"
    assert made.tree == rule("def f(x, g, *, lr=0.1): return x - lr * sqrt(g)").tree
    empty = rule('def f(x):\n    """"""\n    return x')
    assert (empty.doc, empty.paper) == ("", "")


def test_a_text_may_be_indented_with_comments_further_left() -> None:
    made = rule("\n    # first\n    def f(x):\n        u = x\n# left\n        return u\n")
    assert made.tree == rule("def f(x):\n    u = x\n    return u").tree


def test_places_do_not_count_but_are_known() -> None:
    one, other = rule("def f(x, g): return x - 2 * g"), rule("def f(x, g):\n\n    return (x - (2 * g))")
    assert one.tree == other.tree
    assert hash(one.tree) == hash(other.tree)
    place = other.tree.result.place
    assert place is not None
    assert (place.file, place.line, place.column) == ("<rule>", 3, 13)


def test_a_text_is_never_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    bomb = f"open({str(mark)!r}, 'w').write('x')"
    made = rule(f"import nowhere\n@rule(paper={bomb})\n@{bomb}\ndef f(x: {bomb}, g: {bomb}) -> {bomb}: return x - g")
    assert made.tree.inputs == ("x", "g")
    for text in (
        f"def f(x, m={bomb}): return x",
        f'def f(x, m="{bomb}"): return x',
        f"def f(x, *, lr={bomb}): return x",
        f"def f(x): return {bomb}",
        f"def f(x):\n    u: {bomb} = {bomb}\n    return u",
        f"{bomb}\ndef f(x): return x",
    ):
        with pytest.raises(LanguageError):
            rule(text)
    assert rule(f"def f(x):\n    u: {bomb} = x\n    return u").variables == ("u",)
    assert not mark.exists()


@settings(max_examples=40, deadline=None)
@given(strategies.rules())
def test_random_rules_are_of_the_grammar(tree: Tree) -> None:
    for node in all_expressions(tree):
        if isinstance(node, Operation) and OPERATIONS[node.op].results == 1:
            check_expression(node)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (op("no", A), "there is no operation 'no'"),
        (op("add", A), "add takes 2 arguments, not 1"),
        (op("norm", A, over="rows"), "over='rows' does not belong to norm"),
        (op("sqrt", A, over="all"), "over='all' does not belong to sqrt"),
        (op("neg", op("sqrt", A, B)), "sqrt takes 1 arguments, not 2"),
    ],
)
def test_a_made_tree_can_be_checked(node: Expression, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        check_expression(node)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    for whole in (text, f"def f(x, g, m=0, *, lr=1):\n    u = {text}\n    return u", f"def f(x, m={text!r}): return x"):
        try:
            rule(whole)
        except LanguageError as error:
            assert str(error)
