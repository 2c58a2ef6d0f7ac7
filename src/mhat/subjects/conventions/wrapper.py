"""The wrapper for code that fits no convention: `run(gradients)` around it, with the user's own names filled in.

What nobody can know is left to be filled in, and marked. It runs nothing.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import COUNTS, GRADS, PARAMS, SHAPES, SHORT_COUNTS, is_required, is_size
from mhat.subjects.conventions.making import has_arguments, methods_of
from mhat.subjects.conventions.proposals import Asked
from mhat.subjects.conventions.roles import MORE_GRADS, MORE_PARAMS, parameters_of
from mhat.subjects.modules import packaged
from mhat.subjects.spelling import STARTS, spelling_of

MARK = "# <- fill in"
CURE = "Put this around it (--wrapper FILE.py writes it), fill in what is marked, and check that file:"
_PAGE = '''\
"""Gradients in, parameters after each step out: drives `{name}` for mhat."""
import sys

import numpy as np

sys.path.insert(0, {folder!r})
import {module} as theirs  # noqa: E402


def {run}(gradients{knobs}, start=0.0):
    x = np.full(np.shape(gradients)[1:], start)
{made}    xs = []
    for t, g in enumerate(gradients, 1):
        {step}
        xs.append(np.array(x))
    return np.array(xs)
'''


def wrapper_of(asked: Asked) -> str:
    """Write the wrapper of a thing; nothing if it stands in no file that could be imported."""
    thing = asked.thing
    owner = thing if isinstance(thing, type) or inspect.isroutine(thing) else type(thing)
    try:
        file = inspect.getsourcefile(owner)
    except TypeError:
        return ""
    if not file or not Path(file).is_file():
        return ""
    dotted, top = packaged(Path(file))
    name = str(owner.__qualname__)
    arguments = parameters_of(owner) if has_arguments(owner) else []
    knobs = spelling_of(arguments, asked.rule_knobs).knobs
    defaults = {p.name: p.default for p in arguments if p.default is not p.empty}
    told = "".join(f", {theirs}={defaults.get(theirs, '1e-3')!r}".replace("'", "") for theirs in knobs.values())
    said = {theirs: theirs for theirs in knobs.values()}
    if isinstance(owner, type):
        made = f"    opt = theirs.{name}({_call(arguments, said, made=True)})\n"
        step = _step(owner)
    else:
        made, step = "", f"x = theirs.{name}({_call(arguments, said)})  {MARK}: what it gives back"
    if "..." in made:
        made = made.rstrip("\n") + f"  {MARK}\n"
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.rpartition(".")[2]).lower().strip("_")
    return _PAGE.format(
        name=name, folder=str(top or Path(file).resolve().parent), module=dotted, run=f"run_{words}", knobs=told,
        made=made, step=step,
    )  # fmt: skip


def _step(owner: type) -> str:
    """Write the call of the step of an object."""
    for method in methods_of(owner):
        own = parameters_of(getattr(owner, method))[1:]
        called = "opt" if method == "__call__" else f"opt.{method}"
        return f"x = {called}({_call(own, {})})  {MARK}: what it is given, and where the new x is"
    return f"x = opt  {MARK}: how it takes a step, and where the new x is"


def _call(arguments: list[inspect.Parameter], said: dict[str, str], *, made: bool = False) -> str:
    """Write what a call is given: ours where the name says what it is, an ellipsis where it does not."""
    parts = []
    for parameter in arguments:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.name in said or is_required(parameter):
            parts.append(f"{parameter.name}={said.get(parameter.name) or _value(parameter.name, made=made)}")
    return ", ".join(parts)


def _value(name: str, *, made: bool) -> str:
    spelled: Any = plain_spelling(name)
    if is_size(name):
        return "np.shape(x)" if spelled.endswith(SHAPES) else "np.size(x)"
    if spelled in PARAMS | MORE_PARAMS | set(STARTS):
        return "[x]" if spelled.endswith("s") else "x"
    if spelled in GRADS | MORE_GRADS or spelled.startswith("grad"):
        return "..." if made else "[g]" if spelled.endswith("s") else "g"
    return "t" if spelled in COUNTS | SHORT_COUNTS and not made else "..."
