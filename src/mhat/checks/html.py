"""A verdict as HTML for notebooks, escaped and complete in itself. It knows no terminal and checks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING

from mhat.notation.decimals import exact

if TYPE_CHECKING:
    from mhat.checks.verdict import Deviation, Diagnosis, Verdict

GOOD, BAD = "#1a7f37", "#cf222e"
# Tables of more steps than this show the last ones: the deviation is in the last row.
MOST_STEPS = 12


def html_of(verdict: Verdict) -> str:
    """Set a verdict as HTML: the answer first, then the diff, then what shows it."""
    return f'<div class="mhat-verdict">{"".join(_parts(verdict))}</div>'


def _parts(verdict: Verdict) -> Iterator[str]:
    yield _heading(verdict)
    found = verdict.diagnosis
    if verdict.dialect is not None:
        yield f"<p>in its dialect: {escape(verdict.dialect)}</p>"
    elif found is not None:
        yield _list(found.sentences)
    if verdict.estimated:
        yield f"<p>with {escape(_knobs(verdict.estimated))}, estimated</p>"
    if found is not None:
        yield _diff(found)
    if verdict.deviation is not None:
        yield _side_by_side(verdict.deviation, verdict)
    if verdict.broken:
        yield "<p>broken laws:</p>"
        yield _list((law.name, law.counterexample or "", law.intuition) for law in verdict.broken)
    if found is not None and not verdict.conforms:
        yield from _places(found)
        if found.others:
            yield "<p>as simple:</p>" + _list("; ".join(other.sentences) for other in found.others)
    if verdict.nearest is not None:
        yield "<p>the nearest that was tried, which is not the answer:</p>" + _list(verdict.nearest.sentences)
    if verdict.notes:
        yield "<p>notes:</p>" + _list(verdict.notes)


def _heading(verdict: Verdict) -> str:
    rule = f"{verdict.against} ({verdict.paper})" if verdict.paper else verdict.against
    if verdict.conforms:
        return _coloured("p", GOOD, f"{verdict.subject} conforms to {rule}", bold=True)
    step = "" if verdict.deviation is None else f" from step {verdict.deviation.step} on"
    end = ":" if verdict.diagnosis is not None else ", and no mistake that mhat knows explains it"
    return _coloured("p", BAD, f"{verdict.subject} deviates from {rule}{step}{end}", bold=True)


def _diff(diagnosis: Diagnosis) -> str:
    lines = diagnosis.diff.splitlines()
    coloured = (_coloured("span", GOOD if line.startswith("+") else BAD, line) for line in lines)
    return _block(coloured) if lines else ""


def _side_by_side(deviation: Deviation, verdict: Verdict) -> str:
    """Set the values of subject and rule beside the gradients, a row a step."""
    unit = deviation.unit or verdict.observe
    names = ("step", "gradient", verdict.subject, verdict.against)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    steps = list(zip(deviation.gradients, deviation.got, deviation.expected, strict=False))
    rows = [
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in (step, *(f"{value:.6g}" for value in values))) + "</tr>"
        for step, values in enumerate(steps, 1)
    ]
    caption = f"shown by these gradients{escape(deviation.setting)} (in {escape(unit)})"
    return f"<table><caption>{caption}</caption><tr>{head}</tr>{''.join(rows[-MOST_STEPS:])}</table>"


def _places(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.lines:
        yield "<p>in your file:</p>"
        yield _block(f"line {number}: {escape(text)}" for number, text in diagnosis.lines)


def _block(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return f"<pre>{text}</pre>"


def _list(entries: Iterable[str | tuple[str, ...]]) -> str:
    """Set a list; of an entry of several parts each stands on a line of its own, the first one strong."""
    made = []
    for entry in entries:
        if isinstance(entry, str):
            made.append(f"<li>{escape(entry)}</li>")
        else:
            first, *rest = (escape(part) for part in entry if part)
            made.append(f"<li>{'<br/>'.join([f'<b>{first}</b>', *rest])}</li>")
    return f"<ul>{''.join(made)}</ul>" if made else ""


def _knobs(knobs: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={exact(value)}" for name, value in knobs.items())


def _coloured(tag: str, colour: str, text: str, *, bold: bool = False) -> str:
    weight = ";font-weight:bold" if bold else ""
    return f'<{tag} style="color:{colour}{weight}">{escape(text)}</{tag}>'
