"""The full text of every refusal: file, line, what is wrong, the line with carets, what to write instead."""

from __future__ import annotations

import pytest

from mhat.errors import LanguageError
from mhat.language import rule
from mhat.ops import OPERATIONS

IN_A_RULE = "def f(x, g, t, m=0, *, lr=0.1):\n    u = g\n    {}\n    return x - lr * u"
STATE = "What is carried from step to step is state: a positional argument with a default, `m=0`."
ONE_STEP = "A rule is one update step; mhat runs the steps. Write each line of it as an assignment."
ANYTHING = "Use numbers, names, operators and the functions of mhat.ops."
PLAIN_TARGET = "Assign to a plain name: a rule sees whole tensors, each coordinate treated alike."
LINES = "A rule is assignments, one a line, and one final return."
KNOWN = "A rule reads its inputs, states, knobs and earlier variables; make a constant a knob."
TWO_VALUES = "Write `values, vectors = eigh(a)` or `q, r = qr(a)` as a line of its own."
NUMBER = "Write a number; text is allowed only as the start of a state, or the default of a knob."
OWN_NAME = "Give the changed value a name of its own."
START = 'Write a number, or an expression over knobs, x and the first g, such as "g**2".'
FUNCTIONS = (
    "The functions are abs, atan2, cbrt, clip, column_largest, column_mean, columns, cos, eigh, exp, identity, "
    "largest, leading, log, maximum, mean, minimum, norm, orthogonal, qr, round, row_largest, row_mean, rows, "
    "sign, sin, size, sorted_by, sqrt, sum, tanh, transpose, where."
)

SETS = 'There are "jordan", "quintic", "polar express", "deepseek", "cubic".'

# A line in the body of a rule: the line, what is wrong, the part under the carets, the cure.
BODY = [
    ("for i in x: u = i", "`for` is not in the rule language", "for i in x: u = i", ONE_STEP),
    ("while u: u = g", "`while` is not in the rule language", "while u: u = g", ONE_STEP),
    (
        "if u: u = g", "`if` is not in the rule language", "if u: u = g",
        "Choose a value with `a if condition else b` or `where(condition, a, b)`.",
    ),
    (
        "import os", "`import` is not in the rule language", "import os",
        "Import outside of the rule; only the functions of mhat.ops can be called in it.",
    ),
    (
        "from os import sep", "`from` is not in the rule language", "from os import sep",
        "Import outside of the rule; only the functions of mhat.ops can be called in it.",
    ),
    (
        "def h(): pass", "`def` is not in the rule language", "def h(): pass",
        "Write the inner function's lines into the rule itself.",
    ),
    ("class A: pass", "`class` is not in the rule language", "class A: pass", LINES),
    (
        "print(u)", "a value without a name is not in the rule language", "print(u)",
        "Give the value a name, `name = ...`, or delete the line.",
    ),
    ("global u", "`global` is not in the rule language", "global u", STATE),
    ("nonlocal u", "`nonlocal` is not in the rule language", "nonlocal u", STATE),
    (
        "assert u", "`assert` is not in the rule language", "assert u",
        "Delete the line; look at the variable in a trace instead.",
    ),
    (
        "raise u", "`raise` is not in the rule language", "raise u",
        "Delete the line; a rule gives NaN where a value cannot be.",
    ),
    ("with u: u = g", "`with` is not in the rule language", "with u: u = g", "Delete the line."),
    ("pass", "`pass` is not in the rule language", "pass", "Delete the line."),
    ("del u", "`del` is not in the rule language", "del u", "Delete the line."),
    ("return u", "a return before the last line", "return u", "A rule has one return, its last line."),
    ("u: float", "`u` gets no value", "u: float", "Write `u = ...`, or delete the line."),
    ("u = v = g", "two assignments on one line", "u = v = g", "Write one assignment a line."),
    (
        "u, v = g", "several names are assigned at once", "u, v = g",
        "Only `values, vectors = eigh(a)` and `q, r = qr(a)` give two; write one assignment a line.",
    ),
    ("u, v = sqrt(g)", "this gives one value", "sqrt(g)", TWO_VALUES),
    ("u, v, w = eigh(g)", "`eigh` gives 2 values", "eigh(g)", TWO_VALUES),
    ("u = qr(g)", "`qr` gives 2 values", "qr(g)", TWO_VALUES),
    ("u = norm(qr(g))", "`qr` gives 2 values", "qr(g)", TWO_VALUES),
    ("u, u = qr(g)", "one name is assigned twice", "u, u", "Give each of the two values a name of its own."),
    ("u[0] = g", "`u[0]` cannot be assigned to in a rule", "u[0]", PLAIN_TARGET),
    ("u.a = g", "`u.a` cannot be assigned to in a rule", "u.a", PLAIN_TARGET),
    ("u[0] += g", "`u[0]` cannot be assigned to in a rule", "u[0]", PLAIN_TARGET),
    ("[u, v] = eigh(g)", "`[u, v]` cannot be assigned to in a rule", "[u, v]", PLAIN_TARGET),
    ("*u, v = eigh(g)", "`*u` cannot be assigned to in a rule", "*u", PLAIN_TARGET),
    ("lr = 2 * lr", "the knob `lr` is assigned", "lr", OWN_NAME),
    ("lr *= 2", "the knob `lr` is assigned", "lr", OWN_NAME),
    ("t = 2", "the input `t` is assigned", "t", OWN_NAME),
    ("k = 2", "the input `k` is assigned", "k", OWN_NAME),
    ("sqrt = 2", "`sqrt` is a function of mhat.ops", "sqrt", "Choose another name."),
    ("step = 2", "`step` is the dimension of every trace", "step", "Choose another name."),
    ("rule = 2", "`rule` is the dimension of a trace of several rules", "rule", "Choose another name."),
    ("x_used = g", "`x_used` is what a trace calls the `x` that a rule assigns", "x_used", "Choose another name."),
    ("g_used = g", "`g_used` is what a trace calls the `g` that a rule assigns", "g_used", "Choose another name."),
]  # fmt: skip

# An expression: the text, what is wrong, the part under the carets, the cure.
EXPRESSIONS = [
    ("w", "`w` is not known here", "w", KNOWN),
    ("2 * lrr", "`lrr` is not known here", "lrr", f"Did you mean `lr`? {KNOWN}"),
    ("k", "`k` is not in the signature", "k", "Add the input `k` to it."),
    ("sqrt", "`sqrt` is a function", "sqrt", "Call it: `sqrt(...)`."),
    ("g[0]", "`g[0]` is not in the rule language", "g[0]",
     "A rule sees whole tensors, each coordinate treated alike; use `where` to choose."),
    ("g.T", "`g.T` is not in the rule language", "g.T", "Use plain names: inputs, states, knobs and variables."),
    ("lambda: g", "`lambda: g` is not in the rule language", "lambda: g", "Write the expression itself."),
    ("[g]", "`[g]` is not in the rule language", "[g]", "A value is a number or a tensor; there are no lists."),
    ("2 * (g, x)", "`(g, x)` is not in the rule language", "(g, x)",
     "A value is a number or a tensor; give each its own name."),
    ("[q for q in g]", "`[q for q in g]` is not in the rule language", "[q for q in g]",
     "A rule sees whole tensors; write the operation on the tensor itself."),
    ("2 * (q := g)", "`q := g` is not in the rule language", "q := g", "Write the assignment as a line of its own."),
    ("g & x", "`g & x` is not in the rule language", "g & x", ANYTHING),
    ("{g}", "`{g}` is not in the rule language", "{g}", ANYTHING),
    ("f'{g}'", "`f'{g}'` is not in the rule language", "f'{g}'", ANYTHING),
    ("~g", "`~` is not in the rule language", "~g", "Write `not ...`, or `1 - ...`."),
    ("True * g", "`True` is not a number", "True", "Write 1."),
    ("None", "`None` is not a number", "None", NUMBER),
    ("'text' + g", "`'text'` is not a number", "'text'", NUMBER),
    ("2j", "`2j` is not a number", "2j", NUMBER),
    ("...", "`...` is not a number", "...", NUMBER),
    ("1e999", "`1e999` is beyond the largest double", "1e999", "Write `inf`, or a smaller one."),
    ("1" + "0" * 400, f"`1{'0' * 59}...` is beyond the largest double", "1" + "0" * 400,
     "Write `inf`, or a smaller one."),
    ("0 < g < 1", "`0 < g < 1` is two comparisons in one", "0 < g < 1", "Write `a < b and b < c`."),
    ("g is x", "`g is x` is not in the rule language", "g is x", "Compare with < <= > >= == or !=."),
    ("g not in x", "`g not in x` is not in the rule language", "g not in x", "Compare with < <= > >= == or !=."),
    ("min(g, x)", "there is no function `min`", "min", "Write `minimum(a, b)`."),
    ("max(g, x)", "there is no function `max`", "max", "Write `maximum(a, b)`."),
    ("pow(g, 2)", "there is no function `pow`", "pow", "Write `a ** b`."),
    ("np.power(g, 2)", "there is no function `np.power`", "np.power", "Write `a ** b`."),
    ("torch.square(g)", "there is no function `torch.square`", "torch.square", "Write `a ** 2`."),
    ("torch.rsqrt(g)", "there is no function `torch.rsqrt`", "torch.rsqrt", "Write `1 / sqrt(a)`."),
    ("np.dot(g, x)", "there is no function `np.dot`", "np.dot", "Write `sum(a * b)`, or `a @ b` for matrices."),
    ("float(g)", "there is no function `float`", "float", "Numbers are doubles already; delete the call."),
    ("int(g)", "there is no function `int`", "int", "Numbers are doubles; use `a // 1` to round down."),
    ("sqr(g)", "there is no function `sqr`", "sqr", "Did you mean `sqrt`?"),
    ("foobar(g)", "there is no function `foobar`", "foobar", FUNCTIONS),
    ("add(g, x)", "there is no function `add`", "add", FUNCTIONS),
    ("sqrt(g)(x)", "there is no function `sqrt(g)`", "sqrt(g)", FUNCTIONS),
    ("np.sqrt(g)", "`np.sqrt` is not in the rule language", "np.sqrt", "Write `sqrt(...)`, from mhat.ops."),
    ("sqrt(g, 2)", "`sqrt` is called with 2 arguments", "sqrt(g, 2)",
     f"sqrt takes 1: {OPERATIONS['sqrt'].sentence}"),
    ("clip(g)", "`clip` is called with 1 argument", "clip(g)", f"clip takes 3: {OPERATIONS['clip'].sentence}"),
    ("norm(g, 'all')", "`norm` is called with 2 arguments", "norm(g, 'all')",
     f"norm takes 1: {OPERATIONS['norm'].sentence}"),
    ("sqrt(*g)", "`*` is not in the rule language", "sqrt(*g)", "Write the arguments one by one."),
    ("sqrt(x=g)", "`sqrt` takes no argument `x`", "x=g", "Give it by position."),
    ("sum(g, axis=0)", "`sum` takes no argument `axis`", "axis=0",
     'A reduction may have over="all", over all tensors.'),
    ("sum(g, over='rows')", "`over='rows'` is not known", "over='rows'", 'Write over="all", or leave it out.'),
    ("orthogonal(g, set='polarexpres')", "there is no set of coefficients `'polarexpres'`", "'polarexpres'",
     f'Did you mean "polar express"? {SETS}'),
    ("orthogonal(g, set=lr)", "there is no set of coefficients `lr`", "lr", SETS),
    ("orthogonal(g, rounds=lr)", "`rounds=lr` counts no rounds", "lr", "Write a whole number from 1 to 30."),
    ("orthogonal(g, rounds=0)", "`rounds=0` counts no rounds", "0", "Write a whole number from 1 to 30."),
    ("orthogonal(g, steps=5)", "`orthogonal` takes no argument `steps`", "steps=5",
     "It may have set=, rounds=, eps=."),
    ("orthogonal(g, eps=x)", "`eps` of `orthogonal` is a tensor, and must be a number", "x",
     "Give a number or a knob: eps=1e-8."),
    ("rows(lr)", "`rows` asks for the size of a number", "rows(lr)", "Give it a tensor: rows(x)."),
    ("g / size(norm(g))", "`size` asks for the size of a number", "size(norm(g))", "Give it a tensor: size(x)."),
    ("columns(t + 1)", "`columns` asks for the size of a number", "columns(t + 1)", "Give it a tensor: columns(x)."),
    ("largest(g, axis=0)", "`largest` takes no argument `axis`", "axis=0",
     'A reduction may have over="all", over all tensors.'),
    ("mean(g, over=x)", "`over=x` is not known", "over=x", 'Write over="all", or leave it out.'),
]  # fmt: skip

# A whole text of one line: the text, what is wrong, the part under the carets, the cure.
TEXTS = [
    ("def f(x, q): return x", "`q` is no input (inputs are x, g, t, k, n, loss, h) and has no start value", "q",
     "Write `q=0` if it is state, or put it after `*` with a default if it is a knob."),
    ("def f(x, t=1): return x", "`t` is an input and takes no default", "t",
     "Write `t` alone, before the states, or choose another name."),
    ("def f(x, *, g=1): return x", "`g` is an input and takes no default", "g",
     "Write `g` alone, before the states, or choose another name."),
    ("def f(x, *rest): return x", "`*rest` is not in the rule language", "rest", "Name every state and every knob."),
    ("def f(x, **more): return x", "`**more` is not in the rule language", "more",
     "Name every state and every knob."),
    ("def f(x, *, lr): return x", "the knob `lr` has no default", "lr", "Write `lr=...` with a number."),
    ("def f(x, sqrt=0): return x", "`sqrt` is a function of mhat.ops", "sqrt", "Choose another name."),
    ("def f(x, g, size=0): return x - size(g)", "`size` is a function of mhat.ops", "size", "Choose another name."),
    ("def f(m=largest(x)): return m", "the start of `m` may not read `x`", "x",
     'Write a number, or text such as "lr" for an expression.'),
    ("def f(x, step=0): return x", "`step` is the dimension of every trace", "step", "Choose another name."),
    ("def f(x, rule=0): return x", "`rule` is the dimension of a trace of several rules", "rule",
     "Choose another name."),
    ("def f(x, *, step=0): return x", "`step` is the dimension of every trace", "step", "Choose another name."),
    ("def f(x, *, x_used=0): return x", "`x_used` is what a trace calls the `x` that a rule assigns", "x_used",
     "Choose another name."),
    ("def f(x, g_used=0): return x", "`g_used` is what a trace calls the `g` that a rule assigns", "g_used",
     "Choose another name."),
    ("def f(x, *, lr=q): return x", "the default of `lr` may not read `q`", "q",
     'Write a number, or text such as "lr" for an expression.'),
    ("def f(x, *, b='a', a=1): return x", "the default of `b` may not read `a`", "'a'",
     'Write a number, or text such as "lr" for an expression.'),
    ("def f(x, *, a=1, b='x / a'): return x", "the default of `b` may not read `x`", "'x / a'", "It may read a."),
    ("def f(x, *, a=1, b='a +'): return x", "the default of `b` is not an expression: invalid syntax", "'a +'",
     'Write a number, or an expression over earlier knobs, such as "sqrt(beta2)".'),
    ("def f(x, *, a=1, b='norm(a)'): return x", "`norm` works on a tensor, and this is a number", "'norm(a)'",
     "Write the number."),
    ("def f(x, inf=0): return x", "`inf` is infinity", "inf", "Choose another name."),
    ("def f(x, *, lr=norm(2)): return x", "`norm` works on a tensor, and this is a number", "norm(2)",
     "Write the number."),
    ("def f(x, m=q): return x", "the start of `m` may not read `q`", "q",
     'Write a number, or text such as "lr" for an expression.'),
    ("def f(x, m='q', *, lr=1): return x", "the start of `m` may not read `q`", "'q'", "It may read lr, x, g."),
    ("def f(x, m='1', v='m'): return x", "the start of `v` may not read `m`", "'m'", "It may read x, g."),
    ("def f(x, m='x['): return x", "the start of `m` is not an expression: '[' was never closed", "'x['", START),
    ("def f(x, m=''): return x", "the start of `m` is not an expression: invalid syntax", "''", START),
    ("def f(x, m='x[0]'): return x", "`x[0]` is not in the rule language", "'x[0]'",
     "A rule sees whole tensors, each coordinate treated alike; use `where` to choose."),
    ("def f(x): return", "the return gives nothing", "return", "Return the new parameter."),
    ("def f(x, m=0): return m, x", "a rule returns the new parameter alone", "m, x",
     "Write `return x - ...`; state is carried on by its name and need not be returned."),
    ("def f(x): u = x", "`f` does not end with a return", "u = x",
     "End it with the new parameter: `return x - lr * ...`."),
    ("async def f(x): return x", "a rule is one function, and this is `async`", "async def f(x): return x",
     "Write `def name(x, g, t, ...):` with one assignment a line and a `return` at the end."),
    ("f = lambda x: x", "a rule is one function, and this is `f`", "f = lambda x: x",
     "Write `def name(x, g, t, ...):` with one assignment a line and a `return` at the end."),
]  # fmt: skip


def refusal(text: str) -> LanguageError:
    with pytest.raises(LanguageError) as caught:
        rule(text)
    return caught.value


def drawn(line: str, part: str, after: int = 0) -> str:
    """Draw a line and carets under a part of it; of a long line the beginning, as all parts here begin there."""
    shown, start = line if len(line) <= 100 else f"{line[:100]}...", line.index(part, after)
    return f"    {shown}\n    {' ' * start}{'^' * (min(start + len(part), 100) - start)}"


@pytest.mark.parametrize(("line", "what", "part", "cure"), BODY, ids=[case[0] for case in BODY])
def test_a_line_that_is_not_in_the_language(line: str, what: str, part: str, cure: str) -> None:
    assert str(refusal(IN_A_RULE.format(line))) == f"<rule>, line 3: {what}\n{drawn(line, part)}\n{cure}"


@pytest.mark.parametrize(("text", "what", "part", "cure"), EXPRESSIONS, ids=[case[0][:30] for case in EXPRESSIONS])
def test_an_expression_that_is_not_in_the_language(text: str, what: str, part: str, cure: str) -> None:
    line = f"u = {text}"
    shown = drawn(line, part, after=len("u = "))
    assert str(refusal(IN_A_RULE.format(line))) == f"<rule>, line 3: {what}\n{shown}\n{cure}"


@pytest.mark.parametrize(("text", "what", "part", "cure"), TEXTS, ids=[case[0] for case in TEXTS])
def test_a_text_that_is_not_a_rule(text: str, what: str, part: str, cure: str) -> None:
    after = text.index("(") if text.startswith("def f(") else 0
    assert str(refusal(text)) == f"<rule>, line 1: {what}\n{drawn(text, part, after)}\n{cure}"


def test_a_name_given_twice_in_the_signature() -> None:
    assert str(refusal("def f(g, m=0, *, m=1): return g")) == (
        "<rule>, line 1: `m` is in the signature twice\n    def f(g, m=0, *, m=1): return g\n"
        "                     ^\nKeep one of the two."
    )


def test_a_text_that_is_not_python() -> None:
    error = refusal("def f(x):\n  u = x\n    return u")
    assert str(error) == (
        "<rule>, line 3: this is not Python: unexpected indent\n    return u\n    ^\n"
        "Mend the line; a rule is a Python function."
    )
    assert refusal("def f(x: return x").what.startswith("this is not Python: ")


def test_a_name_that_a_later_line_assigns() -> None:
    assert str(refusal("def f(x):\n    a = 2 * b\n    b = x\n    return a")) == (
        "<rule>, line 2: `b` is read before it is assigned\n    a = 2 * b\n            ^\n"
        "Assign it on an earlier line, or make it state: `b=0` in the signature."
    )
    assert str(refusal("def f(x):\n    m += x\n    return m")) == (
        "<rule>, line 2: `m` is read before it is assigned\n    m += x\n    ^\n"
        "Assign it on an earlier line, or make it state: `m=0` in the signature."
    )


def test_texts_without_a_function_and_with_two() -> None:
    assert str(refusal("")) == ("there is no function in this text\nWrite the rule as `def name(x, g, t, ...):`.")
    assert str(refusal("def f(x): return x\n\ndef h(x): return x")) == (
        "<rule>, line 3: a second function begins here\n    def h(x): return x\n    ^^^^^^^^^^^^^^^^^^\n"
        "Give each rule as a text of its own."
    )
    assert str(refusal("x = 5\ndef f(x): return x")) == (
        "<rule>, line 1: a rule is one function, and this is `x`\n    x = 5\n    ^^^^^\n"
        "Write `def name(x, g, t, ...):` with one assignment a line and a `return` at the end."
    )


def test_a_part_over_several_lines_is_shown_by_its_first() -> None:
    assert str(refusal("def f(x):\n    return (x\n        < 2\n        < 3)")) == (
        "<rule>, line 2: `x < 2 < 3` is two comparisons in one\n    return (x\n            ^\nWrite `a < b and b < c`."
    )


def test_letters_of_more_than_one_byte_move_no_caret() -> None:
    assert str(refusal("def f(x):\n    größe = x; y = größe * ä\n    return y")) == (
        f"<rule>, line 2: `ä` is not known here\n    größe = x; y = größe * ä\n                           ^\n{KNOWN}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): return " + "-" * 150 + "x",
        "def f(x): return " + "-" * 5000 + "x",
        "def f(x): return " + " + ".join("x" * 150),
        "def f(x): return " + " + ".join("x" * 5000),
        "def f(x): return " + " and ".join("x" * 5000),
        "def f(x, m='" + " + ".join("x" * 5000) + "'): return x",
    ],
    ids=["signs", "many signs", "sum", "long sum", "and", "start"],
)
def test_depth_has_a_limit(text: str) -> None:
    error = refusal(text)
    assert (error.what, error.cure) == (
        "this expression nests too deeply",
        "Give its inner parts names, on lines of their own.",
    )
    assert error.place is not None
    assert error.place.line == 1


@pytest.mark.parametrize(
    "deep", ["-" * 5000 + "x", " + ".join("x" * 5000), "(\n" + "+ x\n" * 5000 + ")", "a" + ".b" * 5000]
)
def test_the_line_that_is_too_deep_is_named(deep: str) -> None:
    longer = " and longer than anything else" * 1000
    error = refusal(f"def f(x, g):\n    # a comment{longer}\n    u = g\n    v = {deep}\n    return v")
    assert error.place is not None
    assert (error.what, error.place.line, error.place.column) == ("this expression nests too deeply", 4, 5)
    assert len(str(error)) < 500


def test_characters_that_no_source_may_hold() -> None:
    assert str(refusal("def f(x):\0 return x")) == (
        "<rule>, line 1: this is not Python: no source may hold the character '\\x00'\n"
        "    def f(x):\N{REPLACEMENT CHARACTER} return x\n             ^\n"
        "Delete the character; a rule is a Python function."
    )
    half = refusal("def f(x):\n    return x  # half \ud800 of one")
    assert half.what == "this is not Python: no source may hold the character '\\ud800'"
    assert half.place is not None
    assert (half.place.line, half.place.column) == (2, 22)
    assert str(half).encode()
    assert refusal("def f(x, m='x\\0'): return x").what.startswith("the start of `m` is not an expression")


def test_what_is_neither_function_nor_text() -> None:
    with pytest.raises(LanguageError) as caught:
        rule(5)  # type: ignore[call-overload]
    assert str(caught.value) == "5 is neither a function nor text\nGive a function, or its text."


def test_a_class_is_not_a_function() -> None:
    with pytest.raises(LanguageError) as caught:
        _ = rule(int).tree
    assert str(caught.value) == (
        "<class 'int'> is not a Python function\n"
        "Write the rule as `def name(x, g, t, ...):`, or give its text as a string."
    )
