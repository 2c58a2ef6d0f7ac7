"""The tables of frameworks, without any framework: every form can be written, and is a rule of the language."""

from __future__ import annotations

import pytest

from mhat import rules
from mhat.conversions.catalogue import FRAMEWORKS, offers
from mhat.conversions.entries import NEUTRAL, Entry, Form
from mhat.conversions.pseudo_code import written
from mhat.language.inference import names_read

FORMS = [
    (framework.name, entry, form)
    for framework in FRAMEWORKS.values()
    for entry in framework.entries
    for form in entry.forms
]
IDS = [f"{where}-{entry.name}-{form.name}-{i}" for i, (where, entry, form) in enumerate(FORMS)]


def settings(entry: Entry, form: Form) -> dict[str, float]:
    """Set every knob to something that is not neutral."""
    known = {knob: default for knob, (_, default) in entry.knobs.items() if knob not in form.lacks}
    return {**{knob: default or 0.5 for knob, default in known.items()}, **form.held}


@pytest.mark.parametrize(("where", "entry", "form"), FORMS, ids=IDS)
def test_every_form_is_a_rule_that_reads_every_knob(where: str, entry: Entry, form: Form) -> None:
    knobs = settings(entry, form)
    rule = written(entry, form, knobs)
    assert names_read(rule.tree) | {state.name for state in rule.tree.states}
    # What is held may be neutral, and is then not there.
    assert {*rule.knobs} == {knob for knob, value in knobs.items() if value != NEUTRAL.get(knob) or knob in rule.knobs}
    assert {*rule.knobs} >= {*knobs} - {*form.held}


@pytest.mark.parametrize(("where", "entry", "form"), FORMS, ids=IDS)
def test_a_form_without_its_neutral_knobs_has_no_trace_of_them(where: str, entry: Entry, form: Form) -> None:
    known = {knob for edit in entry.edits if (knob := edit.knob)} - {*form.needs, "v_start"}
    knobs = {**settings(entry, form), **{knob: NEUTRAL[knob] for knob in known}}
    assert not known & {*written(entry, form, knobs).knobs}


def test_every_switch_of_a_form_is_one_of_its_entry() -> None:
    for _, entry, form in FORMS:
        assert {*form.switches} <= {*entry.switches}
        assert {*form.lacks} <= {*entry.knobs}
        assert form.rule in rules.names()


def test_every_rule_of_the_library_is_offered_by_mhat() -> None:
    moved_by_gradients = {name for name in rules.names() if not rules.named(name).tree.given}
    assert {name for name, row in offers().items() if "numpy" in row} == moved_by_gradients


def test_names_of_frameworks_are_told_apart() -> None:
    names = [name for framework in FRAMEWORKS.values() for name in (framework.name, *framework.aliases)]
    assert len(names) == len({*names})


@pytest.mark.parametrize(("where", "entry", "form"), FORMS, ids=IDS)
def test_what_a_form_lacks_can_be_added_by_hand(where: str, entry: Entry, form: Form) -> None:
    own = settings(entry, form)
    for knob, recipe in FRAMEWORKS[where].recipes.items():
        if knob not in own:
            rule = written(entry, form, {**own, knob: 0.5}, [recipe.edit])
            assert knob in rule.knobs
            assert "{line}" in recipe.template
