"""A story as HTML for notebooks, escaped and complete in itself. It knows no terminal and checks nothing."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from mhat.writing.passages import Diff, Entries, Excerpt, Headline, Paragraph, Passage, Table, Tone

GOOD, BAD = "#1a7f37", "#cf222e"
STYLES: dict[Tone, str] = {
    "plain": "", "good": f"color:{GOOD}", "bad": f"color:{BAD}", "strong": "font-weight:bold", "quiet": "opacity:0.7",
}  # fmt: skip
# Tables of more steps than this show the last ones: the deviation is in the last row.
MOST_STEPS = 12


def html_of(passages: Iterable[Passage]) -> str:
    """Set a story as HTML."""
    return f'<div class="mhat-verdict">{"".join(map(_set, passages))}</div>'


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
            names = "".join(f"<th>{escape(name)}</th>" for name in head)
            cells = ("".join(f"<td>{number:.6g}</td>" for number in row) for row in rows[-MOST_STEPS:])
            body = "".join(f"<tr>{row}</tr>" for row in cells)
            return f"<table><caption>{escape(text)}</caption><tr>{names}</tr>{body}</table>"
        case Excerpt(title, lines):
            return _styled("p", title) + _block(map(escape, lines))


def _tone(line: str) -> Tone:
    return "good" if line.startswith("+") else "bad"


def _entry(entry: tuple[str, ...]) -> str:
    """Set an entry; of several parts each stands on a line of its own, the first one strong."""
    first, *rest = map(escape, entry)
    return f"<li>{'<br/>'.join([f'<b>{first}</b>', *rest]) if rest else first}</li>"


def _block(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return f"<pre>{text}</pre>"


def _styled(tag: str, text: str, *tones: Tone) -> str:
    style = ";".join(STYLES[tone] for tone in tones if STYLES[tone])
    return f'<{tag} style="{style}">{escape(text)}</{tag}>' if style else f"<{tag}>{escape(text)}</{tag}>"
