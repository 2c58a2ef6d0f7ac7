"""A refusal points at the right line and column, whatever ends the lines, however wide the letters, however long."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

from mhat.errors import LanguageError, Place
from mhat.language import rule


def refusal(text: str) -> LanguageError:
    with pytest.raises(LanguageError) as caught:
        rule(text)
    return caught.value


def place(text: str) -> Place:
    found = refusal(text).place
    assert found is not None
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_the_line_is_counted_as_python_counts(end: str) -> None:
    text = end.join(["def f(x, g):", "    # a\fb\vc\x1cd\x85e\u2028f", "\f    u = g", "    return u + g[0]", ""])
    found = place(text)
    assert (found.line, found.column, found.end_column) == (4, 16, 20)
    assert found.text == "    return u + g[0]"


def test_a_form_feed_in_a_line_is_drawn_as_a_blank() -> None:
    assert str(refusal("def f(x, g):\n    u =\f2 * g.T\n    return u")).splitlines()[1:3] == [
        "    u = 2 * g.T",
        "            ^^^",
    ]


def test_a_tab_in_a_line_is_drawn_as_a_blank() -> None:
    assert str(refusal("def f(x, g):\n\tu\t=\tg.T\n\treturn u")).splitlines()[1:3] == ["    u = g.T", "        ^^^"]


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    found = refusal("def f(x, g):\n    幅 = g\n    u\u0301 = 幅 * g.T\n    return x")
    # The accent is joined to its letter by the grammar of Python, and stands alone on the screen.
    assert str(found).splitlines()[1:3] == ["    u\u0301 = 幅 * g.T", "    " + " " * 9 + "^^^"]
    assert found.place is not None
    assert (found.place.column, found.place.end_column) == (14, 17)
    underlined = refusal("def f(x, g):\n    return g + 幅幅")
    assert str(underlined).splitlines()[1:3] == ["    return g + 幅幅", "    " + " " * 11 + "^^^^"]


def test_a_mistake_of_syntax_behind_letters_of_several_bytes() -> None:
    found = refusal("def f(x, g):\n    größe = g; return größe $ x")
    assert str(found).splitlines()[1:3] == ["    größe = g; return größe $ x", "    " + " " * 24 + "^"]


def test_a_byte_order_mark_is_no_letter() -> None:
    found = place("\N{ZERO WIDTH NO-BREAK SPACE}def f(x, q): return x")
    assert (found.line, found.column) == (1, 10)
    assert rule("\N{ZERO WIDTH NO-BREAK SPACE}def f(x): return x").name == "f"


def test_a_text_counts_from_its_own_first_line_and_column() -> None:
    found = place("\n\n    def f(x, g):\n        return x - g.T\n")
    assert (found.line, found.column, found.text) == (4, 20, "        return x - g.T")


def test_a_line_further_left_counts_from_its_own_column() -> None:
    found = place("    def f(x, g):\n        return (x\n - g.T)\n")
    assert (found.line, found.column) == (3, 4)


def test_what_moves_the_cursor_is_not_drawn() -> None:
    lines = str(refusal("def f(x, g):\n    return g.T  # \x1b[2J\x07\N{RIGHT-TO-LEFT OVERRIDE}")).splitlines()
    assert lines[1] == "    return g.T  # \N{REPLACEMENT CHARACTER}[2J" + "\N{REPLACEMENT CHARACTER}" * 2
    assert all(line.isprintable() for line in lines)


def test_a_long_line_is_cut_around_the_place() -> None:
    line = "u = " + " + ".join(["g"] * 40) + " + g.T + " + " + ".join(["g"] * 40)
    drawn, carets = str(refusal(f"def f(x, g):\n    {line}\n    return u")).splitlines()[1:3]
    assert drawn.startswith("    ...+ g + g")
    assert drawn.endswith("g + g + ...")
    assert len(drawn) == 4 + 3 + 100 + 3
    assert drawn[carets.index("^") : carets.rindex("^") + 1] == "g.T"


LONG = "a" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        f"def f(x): return {LONG}",
        f"def f(x): return {LONG}(x)",
        f"def f(x): return x.{LONG}",
        f"def f(x): return '{LONG}'",
        f"def f(x, {LONG}): return x",
        f"def f(x, *{LONG}): return x",
        f"def f(x, m='{LONG}'): return x",
        f"def f(x, m='q', *, {', '.join(f'knob{i}=1' for i in range(5000))}): return x",
        f"def f(x, *, lr={LONG}): return x",
        f"def f(x):\n    {LONG}.a = x\n    return x",
        f"def f(x):\n    u, {LONG} = x\n    return x",
        f"def f(x):\n    {LONG}: float\n    return x",
        f"def {LONG}(x):\n    u = x",
        f"def f(x): return sum(x, over={LONG})",
        f"def f(x): return sum(x, {LONG}=1)",
        f"{LONG} = 1",
        f"def f(x) {LONG} return x",
        f"def f(x): return x {' ' * 100_000} + y",
    ],
    ids=range(18),
)
def test_long_texts_make_short_messages(text: str) -> None:
    error = refusal(text)
    assert error.place is not None
    assert "^" in str(error)
    assert len(str(error)) < 1500


def test_a_rule_in_a_notebook_cell_with_a_form_feed() -> None:
    cell = "from mhat.language import rule\n# one\ftwo\n@rule\ndef mine(x, g, *, lr=0.1):\n    return x - lr * g.T\n"
    name = "/tmp/ipykernel_1/9.py"
    linecache.cache[name] = (len(cell), None, [f"{line}\n" for line in cell.split("\n")], name)
    names: dict[str, Any] = {}
    exec(compile(cell, name, "exec"), names)
    with pytest.raises(LanguageError) as caught:
        _ = names["mine"].tree
    assert str(caught.value).splitlines()[:2] == [
        "the cell, line 5: `g.T` is not in the rule language",
        "    return x - lr * g.T",
    ]
