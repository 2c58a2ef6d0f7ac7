"""Passages as one HTML page that needs nothing else: its style in it, for light and dark, and for paper."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from mhat.writing.html import html_of
from mhat.writing.passages import Passage

STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--ground:#fff;--soft:#59636e;--line:#d1d9e0;--code:#f6f8fa;--good:#1a7f37;
--bad:#cf222e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--ground:#0d1117;--soft:#9198a1;--line:#3d444d;--code:#151b23;--good:#3fb950;
--bad:#f85149}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
.mhat-page{max-width:46rem;margin:2rem auto;padding:0 1rem}
.mhat-page h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
.mhat-page pre{font:14px/1.45 ui-monospace,monospace;background:var(--code);padding:.5rem .75rem;border-radius:6px;
margin:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
.mhat-page code{font:.9em ui-monospace,monospace;background:var(--code);padding:0 .2em;border-radius:3px}
.mhat-page p{margin:.4rem 0}
.mhat-page ol,.mhat-page ul{padding-left:1.6rem}
.mhat-page li{margin:.5rem 0}
.mhat-page ol>li{margin:1rem 0;break-inside:avoid}
.mhat-page ol>li::marker{color:var(--soft)}
.mhat-page math{font-size:1.15rem}
.mhat-page small{font-size:.8rem;border:1px solid var(--line);border-radius:1rem;padding:0 .5rem;white-space:nowrap}
.mhat-page .proved,.mhat-page .tested{color:var(--good)!important}
.mhat-page .refuted{color:var(--bad)!important}
.mhat-page li>div{margin:.35rem 0}
.mhat-page details,.mhat-page summary{display:inline;cursor:pointer}
.mhat-page details[open]{display:block}
.mhat-page summary::marker{content:""}
.mhat-page table{border-collapse:collapse;margin:.5rem 0}
.mhat-page th,.mhat-page td{padding:.2rem .8rem;text-align:right;border-bottom:1px solid var(--line)}
.mhat-page th:first-child,.mhat-page td:first-child{text-align:left}
@media print{body{font-size:11pt;background:#fff;color:#000}.mhat-page{max-width:none;margin:0}
.mhat-page h2{break-after:avoid}.mhat-page li,.mhat-page table{break-inside:avoid}.mhat-page pre{border:1px solid #ccc}}
"""


def sheet_of(passages: Iterable[Passage], title: str) -> str:
    """Set passages as a whole page."""
    head = f'<meta charset="utf-8"/><meta name="viewport" content="width=device-width"/><title>{escape(title)}</title>'
    body = html_of(passages, "mhat-page")
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head><body>{body}</body></html>\n'
