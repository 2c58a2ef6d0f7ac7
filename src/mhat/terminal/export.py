"""The command that exports: `export`. It must not know how anything is written.

Exit codes: 0 written, 2 for names that are not there, and for what a language cannot say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mhat.terminal.trace import ForceOption, JsonOption

KnobOption = Annotated[
    list[str] | None,
    typer.Option("--knob", "-k", metavar="NAME=VALUE", help="A default that the file is to have; repeatable."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(export)


def export(
    rule: Annotated[
        str | None,
        typer.Argument(
            metavar="RULE", help="adam, cautious(adam), FILE.py:NAME. [lists languages]", show_default=False
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--as", metavar="LANGUAGE", help="torch, numpy, c, rust, latex ...", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file to write. [printed]", show_default=False),
    ] = None,
    knob: KnobOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a rule as a file of its own, which needs no mhat: complete, readable, checked.

    Without --as the ending of the file says the language, where only one has it: .c, .rs, .tex. Without a rule: the
    languages; with a rule alone: which of them can say it.
    """
    from mhat import verbs
    from mhat.terminal import facts, options, pages

    chosen = language or _meant(output)
    if rule is None or chosen is None:
        _list(rule, output, as_json=as_json)
        return
    text = verbs.export(rule, chosen, to=output, force=force, knobs=options.knobs_of(knob or []))
    if as_json:
        told = {"rule": rule, "language": chosen, "file": None if output is None else str(output), "text": text}
        pages.say(facts.as_json(told))
    elif output is None:
        pages.say(text.rstrip("\n"))
    else:
        pages.say(f"Wrote {output}: {rule} as {chosen}, {text.count(chr(10))} lines.")


def _meant(output: Path | None) -> str | None:
    """Find the language by the ending of a file, where only one has it."""
    from mhat.exports import EXPORTS

    ending = None if output is None else output.suffix.lower()
    able = [each.language for each in EXPORTS.values() if each.ending == ending]
    return able[0] if len(able) == 1 else None


def _list(rule: str | None, output: Path | None, *, as_json: bool) -> None:
    """Say which languages there are, and which of them can say a rule."""
    from mhat.errors import BadValue
    from mhat.exports import EXPORTS
    from mhat.names import find_rule
    from mhat.terminal import facts, pages

    if output is not None:
        able = ", ".join(each.language for each in EXPORTS.values())
        what = f"`{output}` does not say which language is meant" if rule else "there is no rule to write"
        raise BadValue(what, f"Name it: mhat export {rule or 'adam'} --as LANGUAGE -o {output}; {able}.")
    found = None if rule is None else find_rule(rule)
    lacking = {each.language: None if found is None else each.lacking(found) for each in EXPORTS.values()}
    if as_json:
        told = {each.language: {"title": each.title, "ending": each.ending} for each in EXPORTS.values()}
        listed = [{"language": name, **fact, "lacking": lacking[name]} for name, fact in told.items()]
        pages.say(facts.as_json(listed))
        return
    for each in EXPORTS.values():
        why = lacking[each.language]
        pages.say(f"{each.language:8}{each.ending:6}{each.title}" + (f"; not {rule}: {why}" if why else ""))
