"""Exported Python, imported as modules. It knows no test."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from mhat.exports import export
from mhat.language import Rule


@contextmanager
def module_of(rule: Rule, language: str) -> Iterator[types.ModuleType]:
    """Import what is exported; for as long as doctest and annotations may ask for it by name."""
    name = f"exported_{language}_{rule.name}"
    made = types.ModuleType(name)
    sys.modules[name] = made
    try:
        exec(compile(export(rule, language), f"{name}.py", "exec"), made.__dict__)
        yield made
    finally:
        del sys.modules[name]


def numpy_subject(rule: Rule, module: types.ModuleType, dtype: str) -> Callable[..., np.ndarray]:
    """Drive an exported function of NumPy in a dtype; a rule that reads `h` is given the size of the gradient."""
    function = getattr(module, rule.name)

    def run(gradients: Any, start: Any = 0.0, loss: float = 1.5, **knobs: float) -> np.ndarray:
        gradients = np.asarray(gradients, dtype)
        x = np.broadcast_to(np.asarray(start, dtype), gradients.shape[1:]).copy()
        out, state = np.empty_like(gradients), None
        for i, g in enumerate(gradients):
            given = {"loss": loss, "h": abs(g), "t": i + 1}
            told = [value for name, value in given.items() if name in rule.tree.inputs]
            carried = [] if state is None else [state]
            result = function(x, g, *told, *carried, **knobs)
            x, state = result if isinstance(result, tuple) else (result, None)
            out[i] = x
        return out

    return run
