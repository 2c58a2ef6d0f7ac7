"""Closed forms of all that a rule computes: the door to them. It knows no rule by name, and solves nothing itself.

What was found once is kept, in this process and for the next one. What is not known is searched for in a process of
its own, which is ended when the time is up.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from mhat.engines.symbols.child import CHILD, FAILED
from mhat.engines.symbols.conversions import sympy
from mhat.engines.symbols.forms import ClosedForm, Found, NoClosedForm
from mhat.engines.symbols.gradients import COURSES, Course
from mhat.engines.symbols.search import names_of
from mhat.engines.symbols.solving import START, TIME_UP
from mhat.engines.symbols.stored import keep, kept, of_data
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.inference import Level
from mhat.printers.python import rule_text

SECONDS = 4.0


def closed_forms(
    rule: Rule,
    course: str = "constant",
    knobs: Mapping[str, float] | None = None,
    *,
    seconds: float = SECONDS,
) -> dict[str, Found]:
    """Give, for each variable, what it is at step `t` under a course of gradients, or why there is no such formula.

    `course`: constant, ramp, geometric, alternating, impulse or sine. Knobs stay symbols; those given are only what
    they are where nothing else is said. Beside the variables of the rule there is `x`, and `update`, what is added to
    x. A form that does not agree with the exact engine, at 20 random settings of knobs, gradients and steps, is not
    given. `seconds`: so much processor time it may take, and what is not found by then has no form. Raises
    MissingExtra without SymPy.
    """
    if course not in COURSES:
        raise BadValue(f"{course!r} is no course of gradients", f"Choose {', '.join(COURSES)}.")
    refused = _refused(rule, COURSES[course])
    if refused is not None:
        return {name: NoClosedForm(name, refused) for name in names_of(rule)}
    values = {name: float(value) for name, value in (knobs or {}).items()}
    found = _found(rule, course, seconds)
    return {
        name: replace(form, values={**form.values, **values}) if isinstance(form, ClosedForm) else form
        for name, form in found.items()
    }


class _CutShort(Exception):
    """What was found until the time was up, or something broke."""


def _found(rule: Rule, course: str, seconds: float) -> Mapping[str, Found]:
    try:
        return _remembered(rule, course, seconds)
    except _CutShort as partly:
        found: Mapping[str, Found] = partly.args[0]
        return found


@lru_cache(maxsize=256)
def _remembered(rule: Rule, course: str, seconds: float) -> Mapping[str, Found]:
    """Give what is known of a rule; what was cut short is raised, so that nobody remembers it."""
    known = kept(rule, course)
    if known is not None:
        return known
    if sys.modules.get("sympy", ...) is None or importlib.util.find_spec("sympy") is None:
        sympy()
    answer = CHILD.ask(rule_text(rule.tree), course, seconds)
    if answer is None:
        raise _CutShort({name: NoClosedForm(name, TIME_UP) for name in names_of(rule)})
    if FAILED in answer:
        reason = f"the search for it failed ({answer[FAILED]}), which is a mistake in mhat"
        raise _CutShort({name: NoClosedForm(name, reason) for name in names_of(rule)})
    found = {name: of_data(data) for name, data in answer.items()}
    if any(isinstance(form, NoClosedForm) and TIME_UP in form.reason for form in found.values()):
        raise _CutShort(found)
    keep(rule, course, found)
    return found


def _refused(rule: Rule, course: Course) -> str | None:
    """Say why a rule is not even tried."""
    if rule.level == Level.MATRIX:
        return "the rule works on matrices, and a closed form is for one coordinate"
    taken = sorted({*course.parameters, START, "first", "turn"} & set(rule.knobs))
    if taken:
        return f"the rule has a knob `{taken[0]}`, which the gradients are made of"
    return None
