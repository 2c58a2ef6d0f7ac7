"""Choose the bridge that makes a subject of a thing that has been found. It imports no framework by itself."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mhat.errors import BadValue, LanguageError, UnknownName
from mhat.language import Rule
from mhat.language import rule as rule_of
from mhat.language.vocabulary import ALIASES, plain_spelling
from mhat.subjects import keras, optax, torch
from mhat.subjects.classes import has_step, subject_of_class
from mhat.subjects.functions import subject_of_function
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Subject

FRAMEWORKS = {"torch": torch.imported, "optax": optax.imported, "keras": keras.imported}


def import_framework(module: str) -> None:
    """Import the framework that a dotted name belongs to, the way its bridge does; raises MissingExtra."""
    load = FRAMEWORKS.get(module.partition(".")[0])
    if load is not None:
        load()


def subject_of(
    found: Any,
    name: str | None,
    rule_knobs: Mapping[str, float] | None,
    options: Mapping[str, Any],
    dtype: str | None,
    observe: str,
    limit: Mapping[str, float],
) -> Subject:
    """Make a subject of a rule, a function, a class, an object, or an optimizer of a framework."""
    if isinstance(found, Subject):
        return found
    found = _as_rule(found)
    if isinstance(found, Rule):
        for option in options:
            raise UnknownName(f"option of {found.name}", option, found.knobs, "A rule takes knobs alone.")
        return subject_of_rule(found, name, dtype, observe)
    if _is_framework(found, "torch", torch.is_torch_optimizer):
        return torch.subject_of_torch(found, name, rule_knobs, dtype, options)
    if _is_framework(found, "keras", keras.is_keras_optimizer):
        return keras.subject_of_keras(found, name, rule_knobs, dtype, options)
    if _is_optax(found):
        return optax.subject_of_optax(found, name, rule_knobs, dtype, options)
    _refuse_made(found)
    if isinstance(found, type) or has_step(found):
        return subject_of_class(found, name, rule_knobs, dtype, options, observe, **limit)
    if callable(found):
        return subject_of_function(found, name, rule_knobs, dtype, options, **limit)
    raise BadValue(
        f"`{name or repr(found)}` is of type {type(found).__name__}",
        "Name a function run(gradients), a class with step(params, grads), a rule or an optimizer of a framework.",
    )


def _as_rule(found: Any) -> Any:
    """Give the rule that a plain function of x and g is, if it is in the rule language."""
    if not inspect.isfunction(found) or not {"x", "g"} <= set(inspect.signature(found).parameters):
        return found
    try:
        made = rule_of(found)
        _ = made.tree
    except LanguageError:
        return found
    return made


def _is_framework(found: Any, name: str, is_optimizer: Any) -> bool:
    module = sys.modules.get(name)
    return module is not None and isinstance(found, type) and bool(is_optimizer(found, module))


def _is_optax(found: Any) -> bool:
    """Whether a thing is a transformation of optax, or a function that makes one: of a rate, not of gradients."""
    if "optax" not in sys.modules:
        return False
    if optax.is_transformation(found):
        return True
    if isinstance(found, functools.partial):
        return _is_optax(found.func)
    if not inspect.isfunction(found):
        return False
    signature = inspect.signature(found)
    if (found.__module__ or "").startswith("optax") or "GradientTransformation" in str(signature.return_annotation):
        return True
    first = next(iter(signature.parameters), "")
    return plain_spelling(first) in ("lr", *ALIASES["lr"])


def _refuse_made(found: Any) -> None:
    """Refuse an optimizer of a framework that is already made: it has parameters of its own."""
    for name, is_optimizer in (("torch", torch.is_torch_optimizer), ("keras", keras.is_keras_optimizer)):
        if _is_framework(type(found), name, is_optimizer):
            kind = type(found).__name__
            raise BadValue(f"this {kind} is already made, of parameters of its own", f"Give the class: {kind}.")


def only_definition(path: Path) -> str:
    """Give the name of the one function or class in a file, which is not run for that; raises BadValue."""
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except (OSError, ValueError, SyntaxError):
        # What is wrong with it is said where it is loaded.
        return ""
    names = [
        node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    if len(names) == 1:
        return names[0]
    script = f"or of a script what is fed and what is read: {path} --feed g_list --read x_list."
    if not names:
        raise BadValue(f"there is no function or class in {path}", f"Write run(gradients); {script}")
    raise BadValue(f"there are {len(names)} functions and classes in {path}", f"Name one: {path}:{names[0]}; {script}")
