"""What `mhat convert` says of which rule is where. It converts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from mhat.conversions import Offer
from mhat.conversions.catalogue import FRAMEWORKS
from mhat.conversions.entries import NEUTRAL, SENTENCES
from mhat.errors import UnknownName
from mhat.notation.decimals import exact
from mhat.terminal import pages

Facts = dict[str, dict[str, dict[str, Any]]]
# A cell of the table, so that it fits into 80 columns.
WIDEST = 10
# Names of knobs whose meaning differs from place to place, in a word.
WORDS = {"l2": "coupled", "weight_decay": "decoupled"}


def facts_of(offers: Mapping[str, Mapping[str, Offer]], rule: str | None) -> Facts:
    """Give plain facts: what each framework calls a rule, and the defaults of its knobs; raises UnknownName."""
    if rule is not None and rule not in offers:
        raise UnknownName("rule", rule, offers, "`mhat convert` lists which rule is where.")
    chosen = offers if rule is None else {rule: offers[rule]}
    return {name: {where: _fact(offer) for where, offer in row.items()} for name, row in chosen.items()}


def _fact(offer: Offer) -> dict[str, Any]:
    entry, form = offer.entry, offer.form
    knobs = {
        theirs: {"knob": knob, "default": default, "meaning": SENTENCES.get(knob, "")}
        for knob, (theirs, default) in entry.knobs.items()
        if knob not in form.lacks
    }
    needs = {entry.knobs[knob][0]: "not 0" for knob in form.needs if not entry.knobs[knob][1]}
    return {
        "call": entry.title,
        "switches": dict(form.switches),
        "needs": needs,
        "knobs": knobs,
        "held": dict(form.held),
    }


def table(found: Facts) -> list[RenderableType]:
    """List which rule is where, a line a rule."""
    names = [name for name, framework in FRAMEWORKS.items() if not framework.takes_rules]
    rows: list[list[str | Text]] = [
        [Text(rule, style="bold"), *(_short(row.get(name)) for name in names)] for rule, row in found.items()
    ]
    end = (
        "mhat itself (numpy) has every rule of the library, and takes any other as pseudo code. "
        "`mhat convert adam` shows what each framework calls it and its knobs; "
        "`mhat convert adam --from keras --to torch` converts it."
    )
    return [pages.grid(rows, ("rule", *names)), Text(""), pages.prose(end)]


def _short(fact: dict[str, Any] | None) -> str:
    if fact is None:
        return ""
    name = str(fact["call"]).rpartition(".")[2].removesuffix("Optimizer").removesuffix("Classifier")
    return name if len(name) <= WIDEST else f"{name[: WIDEST - 1]}…"


def card(rule: str, found: Facts) -> list[RenderableType]:
    """Show what each framework calls a rule, with the defaults of its knobs."""
    parts: list[RenderableType] = []
    for where, fact in found[rule].items():
        told = [*(f"{name}={value}" for name, value in {**fact["switches"], **fact["needs"]}.items())]
        told += [_knob(theirs, knob) for theirs, knob in _joined(fact["knobs"]) if theirs not in fact["needs"]]
        parts += [Text.assemble((where, "bold"), f"  {fact['call']}"), pages.prose(", ".join(told), indent=4)]
    absent = [name for name in FRAMEWORKS if name not in found[rule]]
    if absent:
        parts += [Text(""), pages.prose(f"Not in {', '.join(absent)}.", style="dim")]
    first, *_ = found[rule]
    other = next((name for name in FRAMEWORKS if name in found[rule] and name != first), "numpy")
    return [*parts, Text(""), pages.prose(f"`mhat convert {rule} --from {first} --to {other}` converts it.")]


def _joined(knobs: Mapping[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Join the parts of a tuple: betas=(0.9, 0.999)."""
    joined: dict[str, dict[str, Any]] = {}
    for theirs, knob in knobs.items():
        base, bracket, _ = theirs.partition("[")
        before = joined.get(base, {"default": ()})["default"] if bracket else ()
        joined[base] = {**knob, "default": (*before, knob["default"])} if bracket else knob
    return list(joined.items())


def _knob(theirs: str, knob: dict[str, Any]) -> str:
    default = knob["default"]
    if isinstance(default, tuple):
        return f"{theirs}=({', '.join(map(exact, default))})"
    default = "..." if default is None else exact(float(default))
    word = WORDS.get(knob["knob"])
    shown = f"{theirs}={default}"
    return f"{shown} ({word})" if word and knob["knob"] in NEUTRAL else shown
