"""Take a rule elsewhere as a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def export(
    rule: Any,
    language: str,
    *,
    to: str | Path | None = None,
    force: bool = False,
    knobs: Mapping[str, Any] | None = None,
    **more: Any,
) -> str:
    """Write a rule as a file of its own, which needs no mhat: complete, readable, checked.

    `rule`: a rule, a function written as one, or a name (`"mine.py:my_rule"`, `"cautious(adam)"`). `language`: torch,
    numpy, c, rust ...: `mhat export --help` lists them. `to`: a file to write; one that exists is kept, unless `force`.
    Knobs, as keywords or in `knobs={...}`, are the defaults that the file has.

    Returns the text. Raises UnknownName for a language, rule or knob that there is not, BadValue for what the language
    cannot say, OutputFileError for a file that cannot be written.

    >>> import mhat
    >>> print(mhat.export("sgd", "python", lr=0.1).splitlines()[-1])
        return x - lr * g
    """
    from mhat import exports
    from mhat.errors import UnknownName
    from mhat.language.settings import knobs_set
    from mhat.names import find_rule
    from mhat.outputs import beside, check_output

    if language not in exports.EXPORTS:
        raise UnknownName("language", language, exports.EXPORTS)
    path = None if to is None else check_output(to, (exports.EXPORTS[language].ending,), force=force)
    found = find_rule(rule)
    told = knobs_set("export", more, knobs, found.knobs, {"to": to} if to is not None else {})
    text = exports.export(found, language, told)
    if path is not None:
        with beside(path, force=force) as partial:
            partial.write_text(text, encoding="utf-8")
    return text
