"""The page in a notebook: an anywidget, whose value gives the rules, knobs and gradients back. It knows no rule."""

from __future__ import annotations

from typing import Any

from mhat.extras import extra
from mhat.page.bundle import part
from mhat.page.given import Given


def widget_of(given: Given) -> Any:
    """Make a widget of a page: `.value` is what it shows now, as plain data. Raises MissingExtra, MissingPage."""
    anywidget = extra("anywidget", "notebook")
    traitlets = extra("traitlets", "notebook")
    script, style = part("widget.js"), part("lab.css")

    class Lab(anywidget.AnyWidget):  # type: ignore[misc, name-defined]
        _esm = script
        _css = style
        given = traitlets.Dict().tag(sync=True)
        value = traitlets.Dict().tag(sync=True)

    return Lab(given=given.data(), value=dict(given.setting or {}))
