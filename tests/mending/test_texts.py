"""The text of a file with pieces exchanged: whatever is not exchanged stays, byte for byte."""

from __future__ import annotations

import ast

import pytest

from mhat.mending.texts import Piece, Text

SOURCE = "def f(a):\n\tß = a  # grün\n\treturn ß + a\n"
ENCODINGS = {
    "utf-8": SOURCE.encode(),
    "with a mark": b"\xef\xbb\xbf" + SOURCE.encode(),
    "latin-1": ("# -*- coding: latin-1 -*-\n" + SOURCE).encode("latin-1"),
    "CRLF": SOURCE.replace("\n", "\r\n").encode(),
    "CR": SOURCE.replace("\n", "\r").encode(),
    "no end of line": SOURCE.rstrip("\n").encode(),
    "form feed": SOURCE.replace("\tß", "\t\fß", 0).replace("def", "\fdef").encode(),
}


def value_returned(text: Text) -> ast.expr:
    returned = next(node for node in ast.walk(text.tree) if isinstance(node, ast.Return))
    assert returned.value is not None
    return returned.value


@pytest.mark.parametrize("name", ENCODINGS)
def test_only_the_piece_changes(name: str) -> None:
    text = Text(ENCODINGS[name])
    start, end = text.span(value_returned(text))
    changed = text.changed([Piece(start, end, "ß - a")])
    assert changed is not None
    old, new = ("ß + a", "ß - a")
    assert changed.raw == text.raw.replace(
        old.encode(text.encoding.removesuffix("-sig")), new.encode(text.encoding.removesuffix("-sig"))
    )


def test_nothing_changes_where_nothing_is_exchanged() -> None:
    for raw in ENCODINGS.values():
        text = Text(raw)
        same = text.changed([])
        assert same is not None and same.raw == raw


def test_what_is_no_python_or_cannot_be_encoded_or_overlaps_is_none() -> None:
    text = Text(ENCODINGS["latin-1"])
    start, end = text.span(value_returned(text))
    assert text.changed([Piece(start, end, "ß +")]) is None
    assert text.changed([Piece(start, end, "'→'")]) is None
    assert text.changed([Piece(start, end, "a"), Piece(start + 1, end, "b")]) is None


def test_the_end_of_line_is_that_of_the_file() -> None:
    assert Text(ENCODINGS["CRLF"]).end_of_line == "\r\n"
    assert Text(b"x = 1").end_of_line == "\n"
