"""The tables of `mhat convert` against the real optimizers: names, defaults, forms, and the lines that are pasted."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np
import pytest

from mhat.conversions import real, runs
from mhat.conversions.catalogue import FRAMEWORKS
from mhat.conversions.entries import Entry, Form, Framework
from mhat.conversions.pseudo_code import written
from mhat.subjects import kinds
from mhat.subjects.rules import subject_of_rule

DRIVEN = [FRAMEWORKS[name] for name in ("torch", "optax", "keras")]
ENTRIES = [(framework, entry) for framework in DRIVEN for entry in framework.entries]
FORMS = [(framework, entry, form) for framework, entry in ENTRIES for form in entry.forms]
# A value that is not neutral for each knob that an edit brings.
ON = {
    "l2": 0.02, "weight_decay": 0.03, "momentum": 0.8, "dampening": 0.3, "v_start": 0.2, "eps_root": 1e-6,
    "lr_decay": 0.1, "clip_value": 0.7, "clip_norm": 0.9, "clip_all": 1.1,
}  # fmt: skip
ONE_AT_A_TIME = ("clip_value", "clip_norm", "clip_all")
STEPS = 12


def real_thing(framework: Framework, entry: Entry) -> Any:
    kinds.import_framework(framework.module)
    thing: Any = sys.modules[framework.module]
    for part in entry.call.split(".")[1:]:
        thing = getattr(thing, part)
    return thing


def differences(framework: Framework, entry: Entry, thing: Any) -> list[str]:
    """List what a table says otherwise than a signature."""
    parameters = dict(inspect.signature(thing).parameters)
    parameters.pop("params", None)
    known: dict[str, list[float | None]] = {}
    for theirs, default in entry.knobs.values():
        known.setdefault(theirs.partition("[")[0], []).append(default)
    wrong = [f"{name} is gone" for name in {*known, *entry.switches} - {*parameters}]
    wrong += [f"{name} is new" for name in {*parameters} - {*known} - {*entry.switches} - {*entry.ignored}]
    for name, ours in known.items():
        theirs = parameters[name].default if name in parameters else None
        wanted = (
            [None] if theirs is inspect.Parameter.empty else theirs if isinstance(theirs, tuple) else [theirs or 0.0]
        )
        if [*wanted] != [*dict.fromkeys(ours)] and [*wanted] != ours:
            wrong.append(f"{name} is {theirs}, not {ours}")
    wrong += [f"{name} is not {value}" for name, value in entry.switches.items() if parameters[name].default != value]
    return wrong


@pytest.mark.parametrize(("framework", "entry"), ENTRIES, ids=[entry.call for _, entry in ENTRIES])
def test_names_and_defaults_are_those_of_the_signature(framework: Framework, entry: Entry) -> None:
    assert differences(framework, entry, real_thing(framework, entry)) == []


def test_a_wrong_name_and_a_wrong_default_are_seen() -> None:
    entry = Entry("torch.optim.SGD", {"lr": ("lr", 0.01), "rho": ("rho", 0.9)}, (Form("sgd"),), {"nesterov": False})
    said = differences(FRAMEWORKS["torch"], entry, real_thing(FRAMEWORKS["torch"], entry))
    assert {"rho is gone", "lr is 0.001, not [0.01]", "momentum is new", "fused is new"} <= {*said}


def settings(entry: Entry, form: Form, clipped: str) -> dict[str, float]:
    """Set every knob that an edit brings to something, and the rest to what it is by default."""
    known = {knob: default for knob, (_, default) in entry.knobs.items() if knob not in form.lacks}
    on = {knob: ON.get(knob, 0.01 if default is None else default) for knob, default in known.items()}
    on |= {knob: 0.0 for knob in ONE_AT_A_TIME if knob in on and knob != clipped}
    if form.rule == "nesterov" and "dampening" in on:
        on["dampening"] = 0.0  # torch refuses both together
    return {**on, **form.held}


@pytest.mark.parametrize(
    ("framework", "entry", "form"), FORMS, ids=[f"{entry.call}-{i}" for i, (_, entry, _) in enumerate(FORMS)]
)
def test_every_form_is_what_the_real_optimizer_does(framework: Framework, entry: Entry, form: Form) -> None:
    clipped = ONE_AT_A_TIME[FORMS.index((framework, entry, form)) % 3]
    knobs = settings(entry, form, clipped)
    rule = written(entry, form, knobs)
    several = runs.whole_tensors(rule)
    for name in runs.JUDGED:
        gradients = runs.gradients(several)[name][:STEPS]
        subject = real.subject_of(framework, entry, form, knobs, 60.0)
        found = runs.apart(subject.run(gradients, runs.START), subject_of_rule(rule).run(gradients, runs.START))
        assert found.share <= runs.rounding(rule, several, name)
        assert np.all(np.isfinite(gradients))
