"""Open the laboratory: a page where rules, their knobs and their gradients move."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def lab(
    *rules_and_stream: Any,
    stream: str | None = None,
    landscape: str | None = None,
    steps: int | None = None,
    dtype: str = "float64",
    to: str | Path | None = None,
    force: bool = False,
    exercise: str | None = None,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> Any:
    """Open the page where the pseudo code moves: as a widget of a notebook, or as one file that needs nothing.

    `rules_and_stream`: rules as in `trace` (three at most), and, as the last, the gradients by name: `"adam",
    "constant:10"`; nothing: the story that mhat began with. `stream` or `landscape` name them, too. `to`: a .html file
    to write in place of a widget; one that exists is kept, unless `force`. `exercise`: a page that holds only this one
    (momentum, rmsprop, adam, adamw). Knobs, as keywords or in `knobs={...}`, are what the sliders begin with.

    Returns the widget, whose `.value` gives rules, knobs and gradients back as plain data; with `to` the path. Raises
    MissingExtra without anywidget (the extra `notebook`), BadValue, UnknownName, OutputFileError.

    >>> import mhat, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "adam.html"
    >>> mhat.lab("adam", "spike", to=file) == file
    True
    """
    from mhat import page, streams
    from mhat.language.settings import knobs_set
    from mhat.names import find_rule
    from mhat.notation import parse
    from mhat.outputs import beside, check_output

    named = list(rules_and_stream)
    if stream is None and landscape is None and named and isinstance(named[-1], str):
        last = named[-1].split(":")[0].strip()
        if last in streams.names() and parse(named[-1]).name in streams.names():
            stream = named.pop()
    path = None if to is None else check_output(to, (".html",), force=force)
    found = [find_rule(each) for each in named]
    known = {name: value for rule in found for name, value in rule.knobs.items()}
    told = knobs_set("lab", more, knobs, known, {})
    given = page.given_for(
        found, stream=stream, landscape=landscape, steps=steps, dtype=dtype, knobs=told, exercise=exercise
    )
    if path is None:
        from mhat.page.widget import widget_of

        return widget_of(given)
    text = page.page_text(given, title=" and ".join(rule.name for rule in found) or "mhat lab")
    with beside(path, force=force) as partial:
        partial.write_text(text, encoding="utf-8")
    return path
