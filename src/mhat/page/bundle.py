"""The built page, as the package carries it. It knows no rule."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from mhat.errors import MhatError

FOLDER = "built"
PARTS = ("lab.js", "widget.js", "lab.css")


class MissingPage(MhatError):
    """The page has not been built: mhat runs from sources that no build has seen."""

    def __init__(self) -> None:
        super().__init__("the page has not been built", "Build it: cd web && npm ci && npm run build; or pip install .")


@cache
def part(name: str) -> str:
    """Give a part of the built page, one of `PARTS`. Raises MissingPage where it was never built."""
    try:
        return (files("mhat.page") / FOLDER / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingPage from None
