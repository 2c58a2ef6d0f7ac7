"""Passages as HTML for notebooks, escaped and complete in themselves. It knows no terminal and checks nothing."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from mhat.writing.passages import (
    Diff,
    Entries,
    Excerpt,
    Grid,
    Heading,
    Headline,
    Line,
    Listing,
    Paragraph,
    Passage,
    Statement,
    Statements,
    Table,
    Tone,
)

GOOD, BAD = "#1a7f37", "#cf222e"
STYLES: dict[Tone, str] = {
    "plain": "", "good": f"color:{GOOD}", "bad": f"color:{BAD}", "strong": "font-weight:bold", "quiet": "opacity:0.7",
}  # fmt: skip
# Tables of more steps than this show the last ones: the deviation is in the last row.
MOST_STEPS = 12
RIGHTS = {"proved": GOOD, "tested": GOOD, "refuted": BAD, "computed": "inherit"}


def html_of(passages: Iterable[Passage], kind: str = "mhat-verdict") -> str:
    """Set passages as HTML; `kind` is the class of the element around them."""
    return f'<div class="{kind}">{"".join(map(_set, passages))}</div>'


def _set(passage: Passage) -> str:
    match passage:
        case Headline(text, good):
            return _styled("p", text, "good" if good else "bad", "strong")
        case Paragraph(text, tone):
            return _styled("p", text, tone)
        case Entries(entries, title, tone):
            heading = _styled("p", title, tone) if title else ""
            return f"{heading}<ul>{''.join(map(_entry, entries))}</ul>"
        case Diff(lines, quiet):
            coloured = (_styled("span", line, "quiet" if quiet else _tone(line)) for line in lines)
            return _block(coloured) if lines else ""
        case Table(text, head, rows):
            cells = ([f"{number:.6g}" for number in row] for row in rows[-MOST_STEPS:])
            return _table(head, cells, f"<caption>{escape(text)}</caption>")
        case Grid(head, grid):
            return _table(head, grid)
        case Excerpt(title, lines):
            return _styled("p", title) + _block(map(escape, lines))
        case Heading(text):
            return f"<h2>{escape(text)}</h2>"
        case Listing(signature, code):
            return f"<pre>{escape(signature)}</pre><ol>{''.join(map(_line, code))}</ol>"
        case Statements(statements, _):
            return f"<ul>{''.join(f'<li>{_statement(each)}</li>' for each in statements)}</ul>"


def _line(line: Line) -> str:
    said = "".join(f"<div>{_statement(statement)}</div>" for statement in line.said)
    formula = f"<div>{line.mathml}</div>" if line.mathml else ""
    return f"<li><pre>{escape(line.code)}</pre>{formula}{said}</li>"


def _statement(statement: Statement) -> str:
    """Set a sentence, the word for what right it is said, and what shows it, which is opened on demand."""
    text = _text(statement.text)
    if not statement.right:
        return text
    colour = RIGHTS.get(statement.right, "inherit")
    word = f'<small class="{escape(statement.right)}" style="color:{colour}">{escape(statement.right)}</small>'
    if not statement.evidence:
        return f"{text} {word}"
    evidence = _block(map(escape, statement.evidence))
    return f"{text} <details><summary>{word}</summary>{evidence}</details>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], caption: str = "") -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{caption}<tr>{names}</tr>{body}</table>"


def _tone(line: str) -> Tone:
    return "good" if line.startswith("+") else "bad"


def _entry(entry: tuple[str, ...]) -> str:
    """Set an entry; of several parts each stands on a line of its own, the first one strong."""
    first, *rest = map(escape, entry)
    return f"<li>{'<br/>'.join([f'<b>{first}</b>', *rest]) if rest else first}</li>"


def _block(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return f"<pre>{text}</pre>"


def _text(text: str) -> str:
    """Escape a sentence; what is in backticks is code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _styled(tag: str, text: str, *tones: Tone) -> str:
    style = ";".join(STYLES[tone] for tone in tones if STYLES[tone])
    return f'<{tag} style="{style}">{_text(text)}</{tag}>' if style else f"<{tag}>{_text(text)}</{tag}>"
