"""The languages that there are, and the way from a rule to the text of a file. It writes no file."""

from __future__ import annotations

from collections.abc import Mapping

from mhat.errors import BadValue, UnknownName
from mhat.exports import c, keras, latex, numpy, optax, python, rust, torch
from mhat.exports.export import Export
from mhat.exports.settings import with_defaults
from mhat.language.definition import Rule

EXPORTS: dict[str, Export] = {
    each.language: each
    for each in (
        torch.EXPORT,
        optax.EXPORT,
        numpy.EXPORT,
        keras.EXPORT,
        c.EXPORT,
        rust.EXPORT,
        latex.EXPORT,
        python.EXPORT,
    )
}  # fmt: skip


def export(rule: Rule, language: str, knobs: Mapping[str, float] | None = None) -> str:
    """Write a rule in a language; `knobs` are the defaults that the file is to have.

    Raises UnknownName for a language or a knob that there is not, BadValue for what the language cannot say.
    """
    if language not in EXPORTS:
        raise UnknownName("language", language, EXPORTS)
    chosen = EXPORTS[language]
    rule = with_defaults(rule, knobs or {})
    lacking = chosen.lacking(rule)
    if lacking is not None:
        able = [each.language for each in EXPORTS.values() if each.lacking(rule) is None]
        cure = f"Write it as {_either(able)}." if able else "No language says it: mhat.Optimizer runs it."
        raise BadValue(f"{rule.name} cannot be written in {chosen.title}: {lacking}", cure)
    return chosen.write(rule)


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
