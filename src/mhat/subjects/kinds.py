"""What kind of thing it is that somebody wants checked, and who makes a subject of it.

It imports no framework by itself, and leaves rules to whoever knows how they run.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mhat.errors import BadValue, LanguageError, SubjectError, SubjectHangs
from mhat.language import Rule
from mhat.language import rule as rule_of
from mhat.language.vocabulary import ALIASES, plain_spelling
from mhat.subjects import keras, optax, torch
from mhat.subjects.beginnings import found_out
from mhat.subjects.classes import has_step, subject_of_class
from mhat.subjects.conventions.anew import Anew
from mhat.subjects.conventions.choosing import subject_by_convention
from mhat.subjects.conventions.proposals import Asked
from mhat.subjects.conventions.roles import parameters_of
from mhat.subjects.conventions.wrapper import CURE, wrapper_of
from mhat.subjects.functions import subject_of_function
from mhat.subjects.sandbox import USUAL_GUARD, Guard, words_of
from mhat.subjects.schedulers import SCHEDULE, subject_of_scheduler
from mhat.subjects.spelling import spelling_of
from mhat.subjects.subject import Subject

# How a refusal ends where the thing is not written for the plain contract at all.
UNMET = ("which mhat does not know", "takes no gradients", "has no step that mhat can call:")
FRAMEWORKS = {"torch": torch.imported, "optax": optax.imported, "keras": keras.imported}


def import_framework(module: str) -> None:
    """Import the framework that a dotted name belongs to, the way its subjects do; raises MissingExtra."""
    load = FRAMEWORKS.get(module.partition(".")[0])
    if load is not None:
        load()


def rule_in(thing: Any) -> Rule | None:
    """Give the rule that a thing is: a Rule, or a plain function of x and g that is in the rule language."""
    if isinstance(thing, Rule):
        return thing
    if not inspect.isfunction(thing) or not {"x", "g"} <= set(inspect.signature(thing).parameters):
        return None
    rule = rule_of(thing)
    try:
        _ = rule.tree
    except LanguageError:
        return None
    return rule


def subject_of(
    thing: Any,
    name: str | None,
    rule_knobs: Mapping[str, float] | None,
    options: Mapping[str, Any],
    dtype: str | None = None,
    observe: str = "x",
    guard: Guard = USUAL_GUARD,
    convention: str | None = None,
) -> Subject:
    """Make a subject of a function, a class, an object, or an optimizer of a framework.

    What fits neither `run(gradients)` nor a class with `step(params, grads)` is met by the conventions that others
    write for; `convention`: by that one alone.
    """
    if isinstance(thing, Subject):
        return thing
    if convention == SCHEDULE:
        return subject_of_scheduler(thing, name, options, guard)
    if _is_framework(thing, "torch", torch.is_torch_optimizer):
        return torch.subject_of_torch(thing, name, rule_knobs, dtype, options, guard)
    if _is_framework(thing, "keras", keras.is_keras_optimizer):
        return keras.subject_of_keras(thing, name, rule_knobs, dtype, options, guard)
    if _is_optax(thing):
        return optax.subject_of_optax(thing, name, rule_knobs, dtype, options, guard)
    _refuse_made(thing)
    if isinstance(thing, type) or callable(thing) or has_step(thing):
        own = _of_own_code(thing, name, rule_knobs, dtype, options, observe, guard, convention)
        return found_out(replace(own, notes=(*own.notes, *_switched(thing, rule_knobs))), observe)
    raise BadValue(
        f"`{name or words_of(thing, repr)}` is of type {type(thing).__name__}",
        "Name a function run(gradients), a class with step(params, grads), a rule or an optimizer of a framework.",
    )


def _of_own_code(
    thing: Any,
    name: str | None,
    rule_knobs: Mapping[str, float] | None,
    dtype: str | None,
    options: Mapping[str, Any],
    observe: str,
    guard: Guard,
    convention: str | None,
) -> Subject:
    """Make a subject of somebody's own code: by the plain contract, else by a convention that it fits."""
    is_class = isinstance(thing, type) or has_step(thing)
    before = Anew(thing)
    refusal: SubjectError | None = None
    if convention is None:
        try:
            if is_class:
                return subject_of_class(thing, name, rule_knobs, dtype, options, observe, guard)
            return subject_of_function(thing, name, rule_knobs, dtype, options, guard)
        except SubjectHangs:
            raise
        except SubjectError as error:
            refusal = error
    called = name or str(getattr(thing, "__name__", type(thing).__name__))
    # What the trials have left in globals and defaults is no beginning.
    before.restore()
    asked = Asked(thing, called, guard, rule_knobs, dtype, options, observe)
    try:
        return subject_by_convention(asked, convention)
    except SubjectHangs:
        raise
    except SubjectError as error:
        raise _wrapped(asked, _likelier(refusal, error)) from None


def _switched(thing: Any, rule_knobs: Mapping[str, float] | None) -> Iterator[str]:
    """Say which knobs are switched off, since the rule in question does not have them."""
    for knob, value in spelling_of(parameters_of(thing), rule_knobs).switched.items():
        usual = "which must be given" if value is None else f"which is {value:g} by default"
        yield f"it takes {knob}, {usual}, and is judged with {knob}=0: the rule has none"


def _likelier(refusal: SubjectError | None, error: SubjectError) -> SubjectError:
    """Choose what to say of code that could not be driven: why it is no run(gradients), or what else was tried."""
    if refusal is None or (error.said and refusal.what.endswith(UNMET)):
        return error
    if error.said and refusal.what.endswith("tried:"):
        what, said = refusal.what.partition("` ")[2], f"{refusal.said}\n{error.said}"
        return SubjectError(refusal.subject, what, refusal.cure, said)
    return refusal


def _wrapped(asked: Asked, error: SubjectError) -> SubjectError:
    """Give the wrapper for code that is not written for the plain contract, filled in with its names."""
    wrapper = wrapper_of(asked) if error.what.endswith((*UNMET, "tried:")) else ""
    if not wrapper:
        return error
    cure = f"{CURE}\n\n{wrapper.rstrip()}"
    return SubjectError(error.subject, error.what.partition("` ")[2], cure, error.said, wrapper)


def _is_framework(thing: Any, name: str, is_optimizer: Any) -> bool:
    module = sys.modules.get(name)
    return module is not None and isinstance(thing, type) and bool(is_optimizer(thing, module))


def _is_optax(thing: Any) -> bool:
    """Whether a thing is a transformation of optax, or a function that makes one: of a rate, not of gradients."""
    if "optax" not in sys.modules:
        return False
    if optax.is_transformation(thing):
        return True
    if isinstance(thing, functools.partial):
        return _is_optax(thing.func)
    if not inspect.isfunction(thing):
        return False
    signature = inspect.signature(thing)
    if (thing.__module__ or "").startswith("optax") or "GradientTransformation" in str(signature.return_annotation):
        return True
    first = next(iter(signature.parameters), "")
    return plain_spelling(first) in ("lr", *ALIASES["lr"]) and _speaks_of_optax(thing)


def _speaks_of_optax(function: Any) -> bool:
    """Whether the file of a function knows optax, or it imports it; that somebody has loaded it is no sign."""
    known = (
        getattr(each, "__name__", None) or "" for each in list(function.__globals__.values()) if inspect.ismodule(each)
    )
    own = (getattr(each, "__module__", None) or "" for each in list(function.__globals__.values()))
    return "optax" in function.__code__.co_names or any(
        isinstance(name, str) and name.partition(".")[0] == "optax" for name in (*known, *own)
    )


def _refuse_made(thing: Any) -> None:
    """Refuse an optimizer of a framework that is already made: it has parameters of its own."""
    for name, is_optimizer in (("torch", torch.is_torch_optimizer), ("keras", keras.is_keras_optimizer)):
        if _is_framework(type(thing), name, is_optimizer):
            kind = type(thing).__name__
            raise BadValue(f"this {kind} is already made, of parameters of its own", f"Give the class: {kind}.")
