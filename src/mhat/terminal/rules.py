"""The command that shows the library of rules: `rules`. It must not know how anything about a rule is found out.

Exit codes: 0 shown, 2 could not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhat.terminal.trace import ForceOption, JsonOption

if TYPE_CHECKING:
    from mhat.language import Rule

FORMS = ("text", "python", "latex", "json")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(rules)


def rules(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="adam, FILE.py:NAME or MODULE:NAME. [all]", show_default=False),
    ] = None,
    family: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this family: adam, sign, matrix ...", show_default=False)
    ] = None,
    setting: Annotated[
        str | None, typer.Option("--as", metavar="FORM", help="text, python, latex or json. [text]", show_default=False)
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="RULE", help="What a rule of yours takes, costs, keeps of the laws, is near.", show_default=False
        ),
    ] = None,
    outside: Annotated[bool, typer.Option("--outside", help="Optimizers that no rule can be, and why.")] = False,
    graph: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw which rules are others with some knobs set.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the library of rules, or show one: its pseudo code, knobs, state and paper."""
    from mhat.errors import BadValue

    form = _form(setting, as_json=as_json)
    if sum(each is not None for each in (name, family, check, graph)) > 1:
        raise BadValue("a name, --family, --check and --graph are four questions", "Ask one at a time.")
    if outside:
        _outside(form, alone=(name, family, check, graph) == (None,) * 4)
    elif graph is not None:
        _draw(graph, form, force=force)
    elif check is not None:
        _check(check, form)
    elif name is not None:
        _show(name, form)
    else:
        _list(family, form)


def _form(setting: str | None, *, as_json: bool) -> str:
    from mhat.errors import BadValue, UnknownName

    if setting is not None and setting not in FORMS:
        raise UnknownName("form", setting, FORMS)
    if as_json and setting not in (None, "json"):
        raise BadValue(f"--json and --as {setting} are two forms", "Keep one of them.")
    return "json" if as_json else setting or "text"


def _list(family: str | None, form: str) -> None:
    from mhat import rules as library
    from mhat.errors import UnknownName
    from mhat.terminal import facts, pages

    families = library.families()
    if family is not None and family not in families:
        raise UnknownName("family", family, families, more="`mhat rules` lists them.")
    names = library.names() if family is None else families[family]
    found = [library.named(each) for each in names]
    if form in ("python", "latex"):
        pages.say("\n\n".join(_written(each, form) for each in found))
        return
    listed = facts.of_rules(found, library.family)
    if form == "json":
        pages.say(facts.as_json(listed))
    else:
        pages.show(pages.rule_list(listed, family))


def _outside(form: str, *, alone: bool) -> None:
    from mhat.errors import BadValue
    from mhat.terminal import facts, pages

    if not alone or form in ("python", "latex"):
        raise BadValue("--outside is a question of its own, answered as text or json", "Ask it alone.")
    told = facts.of_outside()
    if form == "json":
        pages.say(facts.as_json(told))
    else:
        pages.show(pages.outside_list(told))


def _draw(path: Path, form: str, *, force: bool) -> None:
    from mhat import rules as library
    from mhat.figures import save
    from mhat.figures.maps import kinship_map
    from mhat.laws.kinship import settle
    from mhat.names import find_rule
    from mhat.rules.kinship import IDENTITIES
    from mhat.terminal import facts, pages

    kin = [settle(identity, find_rule) for identity in IDENTITIES]
    save(kinship_map(library.families(), IDENTITIES), path, force=force)
    if form == "json":
        pages.say(facts.as_json({"identities": [facts.of_kin(each) for each in kin], "figure": str(path)}))
        return
    proved = sum(each.status == "proved" for each in kin)
    pages.say(f"{len(kin)} identities, {proved} proved and {len(kin) - proved} tested on streams. Drew them to {path}.")


def _show(name: str, form: str) -> None:
    from mhat.names import find_rule
    from mhat.terminal import facts, pages

    rule = find_rule(name)
    if form in ("python", "latex"):
        pages.say(_written(rule, form))
    elif form == "json":
        pages.say(facts.as_json(facts.of_rule(rule)))
    else:
        pages.show(pages.rule_page(facts.of_rule(rule), name))


def _written(rule: Rule, form: str) -> str:
    from mhat.exports import export

    return export(rule, form).rstrip("\n")


def _check(named: str, form: str) -> None:
    from mhat.errors import BadValue
    from mhat.inquiry import examine
    from mhat.terminal import facts, pages, verdict_pages

    if form in ("python", "latex"):
        cure = f"`mhat rules {named} --as {form}` writes it."
        raise BadValue(f"--check is answered as text or json, not {form}", cure)
    card = examine(named)
    if form == "json":
        pages.say(facts.as_json(card.to_dict()))
    else:
        pages.show(verdict_pages.page(card.story))
