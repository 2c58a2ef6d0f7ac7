"""mhat: a laboratory for optimizers. Write one as its pseudo code; see every line of it as a curve.

    rule                            make a rule of a function or a text
    rules, streams, landscapes      the library
    schedules                       what a knob is worth at each step: warm-up, cosine, steps ...
    modifiers                       from a rule to a rule: clipped(adam)
    trace, plot                     run a rule and record every variable; draw it
    step                            one step on floats, NumPy, torch or JAX arrays
    check, identify, compare        is an implementation right, and if not, which line is wrong
    check_schedule                  which schedule is a scheduler, and if it should be another, where they part
    explain                         why a rule moves as it moves, in words and numbers with their evidence
    convert                         the same training in torch, optax, Keras ...: what to paste, and what cannot be
    export                          a rule as a file of its own in torch, NumPy, C, Rust ..., which needs no mhat
    lab                             the page where the pseudo code moves: a widget, or one file
    read                            the pseudo code of what an implementation does
    save, load, again               traces on disk, and run again
    Optimizer                       a rule that trains NumPy arrays, in place; several, {muon: matrices, adamw: rest}
    bridges                         a rule in SciPy: bridges.scipy.method
    ops                             the functions a rule may call
    errors                          the family of errors

Importing it is light: NumPy, xarray and matplotlib are loaded when they are used.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mhat.displays import shown_by
from mhat.version import VERSION as __version__

if TYPE_CHECKING:
    from mhat import bridges, errors, landscapes, modifiers, ops, rules, schedules, streams
    from mhat.bridges.numpy.optimizer import Optimizer
    from mhat.bridges.numpy.parts import matrices, rest
    from mhat.errors import MhatError
    from mhat.language import Rule, rule
    from mhat.verbs import (
        again,
        check,
        check_schedule,
        compare,
        convert,
        explain,
        export,
        identify,
        lab,
        load,
        plot,
        read,
        save,
        step,
        trace,
    )

_VERBS = (
    "again",
    "check",
    "check_schedule",
    "compare",
    "convert",
    "explain",
    "export",
    "identify",
    "lab",
    "load",
    "plot",
    "read",
    "save",
    "step",
    "trace",
)
_HOMES = {
    "MhatError": "mhat.errors",
    "Optimizer": "mhat.bridges.numpy",
    "Rule": "mhat.language",
    "matrices": "mhat.bridges.numpy",
    "rest": "mhat.bridges.numpy",
    "rule": "mhat.language",
    **dict.fromkeys(_VERBS, "mhat.verbs"),
}
_PACKAGES = ("bridges", "errors", "landscapes", "modifiers", "ops", "rules", "schedules", "streams")

__all__ = [
    "MhatError", "Optimizer", "Rule", "__version__", "again", "bridges", "check", "check_schedule", "compare",
    "convert", "errors", "explain", "export", "identify", "lab", "landscapes", "load", "matrices", "modifiers", "ops",
    "plot", "read", "rest", "rule", "rules", "save", "schedules", "step", "streams", "trace",
]  # fmt: skip


def _late(module: str, function: str) -> Callable[[Any], str]:
    return lambda thing: str(getattr(importlib.import_module(module), function)(thing))


shown_by({
    ("rule", "text"): _late("mhat.printers.python", "rule_text"),
    ("rule", "html"): _late("mhat.printers.html", "rule_html"),
    ("rule", "latex"): _late("mhat.printers.html", "rule_mathjax"),
})  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"mhat.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    # With these Python itself asks whether another name was meant.
    raise AttributeError(f"module 'mhat' has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    return sorted(__all__)
