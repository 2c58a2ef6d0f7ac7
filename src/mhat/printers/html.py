"""A rule as notebooks show it: its code with highlighting, and its formulas beneath. It knows no numbers.

The colours are those of the notebook's own editor where it has any (JupyterLab), else our own, for light and for dark.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator
from html import escape

from mhat.language.definition import Rule
from mhat.language.tree import Tree
from mhat.ops.table import OPERATIONS
from mhat.printers.latex import rule_latex
from mhat.printers.python import rule_text

# A part of the code, what JupyterLab calls its colour, and ours on light and on dark ground.
COLOURS = {
    "keyword": ("keyword", "#8250df", "#d2a8ff"),
    "rule": ("def", "#0550ae", "#79c0ff"),
    "function": ("builtin", "#0a6b3d", "#7ee787"),
    "number": ("number", "#9a4a00", "#ffa657"),
    "start": ("string", "#a31515", "#ff9d94"),
    "knob": ("attribute", "#0b6470", "#76d9e6"),
    "state": ("variable-2", "#8a3b76", "#f0a6e0"),
}
DARK_PAGES = (
    "html[theme=dark]", "html[data-theme=dark]", "body[data-theme=dark]", "body[data-jp-theme-light=false]",
    "body.vscode-dark",
)  # fmt: skip
LIGHT_PAGES = ":not([data-theme=light]):not([data-jp-theme-light=true]):not(.vscode-light)"


def rule_html(rule: Rule) -> str:
    """Set a rule for a notebook: its code, its formulas, its paper."""
    paper = f"<div>{escape(rule.paper)}</div>" if rule.paper else ""
    formulas = f"<div>{escape(rule_mathjax(rule), quote=False)}</div>"
    return f'<div class="mhat-rule"><style>{_style()}</style><pre>{code_html(rule)}</pre>{formulas}{paper}</div>'


def rule_mathjax(rule: Rule | Tree) -> str:
    """Set a rule as a displayed formula, states first."""
    return f"$$\n{rule_latex(rule, starts=True)}\n$$"


def code_html(rule: Rule | Tree) -> str:
    """Print the code of a rule, each part in an element of its class, everything escaped."""
    tree = rule.tree if isinstance(rule, Rule) else rule
    text = rule_text(tree)
    lines = text.splitlines(keepends=True)
    parts: list[str] = []
    row, column = 1, 0
    for token, kind in _kinds(text, tree):
        part = escape(token.string)
        parts += [_between(lines, (row, column), token.start), f'<span class="{kind}">{part}</span>' if kind else part]
        row, column = token.end
    return "".join(parts)


def _kinds(text: str, tree: Tree) -> Iterator[tuple[tokenize.TokenInfo, str]]:
    """Yield the parts of the code, each with its kind, or nothing if it has no colour."""
    names = {**dict.fromkeys(tree.knob_names, "knob"), **dict.fromkeys(tree.state_names, "state")}
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NUMBER:
            yield token, "number"
        elif token.type == tokenize.STRING:
            yield token, "start"
        elif token.type == tokenize.NAME:
            defined = "rule" if before == "def" else "keyword" if keyword.iskeyword(token.string) else ""
            yield token, defined or names.get(token.string) or ("function" if token.string in OPERATIONS else "")
        elif token.type == tokenize.OP:
            yield token, ""
        before = token.string


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """Give the blanks and line ends between two places of a text."""
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right]
    return "".join([lines[first - 1][left:], *lines[first : last - 1], lines[last - 1][:right]])


def _style() -> str:
    pages = [f"{page} .mhat-rule" for page in DARK_PAGES]
    asked = f"@media(prefers-color-scheme:dark){{html{LIGHT_PAGES}>body{LIGHT_PAGES} .mhat-rule{{{_own(2)}}}}}"
    classes = (
        f".mhat-rule .{part}{{color:var(--jp-mirror-editor-{jupyter}-color,var(--mhat-{part}))}}"
        for part, (jupyter, *_) in COLOURS.items()
    )
    return "".join([f".mhat-rule{{{_own(1)}}}", asked, f"{','.join(pages)}{{{_own(2)}}}", *classes])


def _own(ground: int) -> str:
    """Give our own colours on light (1) or dark (2) ground."""
    return ";".join(f"--mhat-{part}:{colours[ground]}" for part, colours in COLOURS.items())
