"""The real optimizers, where their frameworks are installed: driven by the streams as subjects. It judges nothing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Mapping
from typing import Any

from mhat.conversions.entries import NEUTRAL, Entry, Form, Framework
from mhat.conversions.pseudo_code import written
from mhat.conversions.runs import START, Paths, gradients
from mhat.subjects import kinds
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.sandbox import Guard, quiet
from mhat.subjects.subject import Subject
from mhat.version import VERSION

DTYPE = "float64"


def is_there(framework: Framework) -> bool:
    """Whether a framework is installed, and mhat can drive it."""
    return bool(framework.extra) and importlib.util.find_spec(framework.module) is not None


def version_of(framework: Framework) -> str:
    """Give the version that is installed; nothing if none is."""
    if framework.takes_rules:
        return f"(mhat {VERSION})"
    if not framework.module or importlib.util.find_spec(framework.module) is None:
        return ""
    return importlib.metadata.version(framework.module)


def paths_of(
    framework: Framework, entry: Entry, form: Form, values: Mapping[str, float], several: bool, together: bool,
    limit: float,
) -> Paths:  # fmt: skip
    """Drive an optimizer by every stream, a tensor each, or one after the other where a step looks at all tensors.

    Raises MissingExtra, SubjectError.
    """
    subject, given = subject_of(framework, entry, form, values, limit), gradients(several)
    if together:
        return {name: subject.run(each, START) for name, each in given.items()}
    return dict(zip(given, subject.run(list(given.values()), START), strict=True))


def subject_of(framework: Framework, entry: Entry, form: Form, values: Mapping[str, float], limit: float) -> Subject:
    """Make a subject of an optimizer with its knobs; of a framework without a module, of the rule."""
    if not framework.module:
        return subject_of_rule(written(entry, form, values))
    kinds.import_framework(framework.module)
    with quiet():
        thing: Any = sys.modules[framework.module]
        for part in entry.call.split(".")[1:]:
            thing = getattr(thing, part)
    return kinds.subject_of(thing, entry.call, None, _keywords(entry, form, values), DTYPE, guard=Guard(limit))


def _keywords(entry: Entry, form: Form, values: Mapping[str, float]) -> dict[str, Any]:
    """Give every knob and switch as the framework takes it; what is off there is left out."""
    keywords: dict[str, Any] = {**form.switches}
    for knob, (theirs, default) in entry.knobs.items():
        if knob in form.lacks and default == NEUTRAL[knob]:
            continue
        if default == 0.0 and values[knob] == 0.0:
            continue
        base, bracket, _ = theirs.partition("[")
        keywords[base] = (*keywords.get(base, ()), values[knob]) if bracket else values.get(knob, 0.0)
    return keywords
