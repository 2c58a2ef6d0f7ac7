"""Optimizers of Keras as subjects. It imports keras when it is used, and no other framework by itself."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mhat.extras import extra
from mhat.subjects.framework import dtype_to_run_in, name_of, subject_of_optimizer
from mhat.subjects.sandbox import USUAL_GUARD, Guard
from mhat.subjects.spelling import keywords_of
from mhat.subjects.subject import Array, Subject

BACKENDS = ("jax", "torch", "tensorflow")


def subject_of_keras(
    optimizer: Any,
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    dtype: str | None = None,
    options: Mapping[str, Any] | None = None,
    guard: Guard = USUAL_GUARD,
) -> Subject:
    """Make a subject of a class of `keras.optimizers`; `options` are its other keywords (amsgrad, nesterov ...).

    It runs on the backend that Keras has. While it runs `floatx` is its dtype, since the learning rate is kept
    in that. Raises BadValue, MissingExtra, SubjectError.
    """
    keras = imported()
    name = name or name_of(optimizer, "keras.optimizers")
    dtype = dtype_to_run_in(name, dtype)
    parameters = list(inspect.signature(optimizer).parameters.values())
    keywords = keywords_of(name, parameters, rule_knobs, options, skip=["name"])

    # Keras says at once what it does not take.
    with guard.running(name):
        optimizer(**keywords.arguments({}))

    def drive(gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        with guard.running(name), _precision(keras, dtype):
            return _driven(keras, optimizer(**keywords.arguments(knobs)), gradients, starts, dtype)

    return subject_of_optimizer(optimizer, name, drive, keywords, dtype)


def imported() -> Any:
    """Import keras, on a backend that is installed if the user has chosen none; raises MissingExtra."""
    if "keras" not in sys.modules and not os.environ.get("KERAS_BACKEND"):
        backend = next((each for each in (_configured(), *BACKENDS) if each and importlib.util.find_spec(each)), None)
        if backend is not None:
            os.environ["KERAS_BACKEND"] = backend
    return extra("keras", "keras", "keras with a backend (jax, torch or tensorflow)", needs=BACKENDS)


def _configured() -> str:
    """Give the backend of the user's configuration, which Keras also writes by itself, with what it likes best."""
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        return str(json.loads((folder / "keras.json").read_text(encoding="utf-8"))["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def is_keras_optimizer(thing: Any, keras: Any) -> bool:
    """Whether a thing is a class of optimizers, given the module."""
    return isinstance(thing, type) and issubclass(thing, keras.optimizers.Optimizer)


def _driven(keras: Any, optimizer: Any, gradients: list[Array], starts: list[Array], dtype: str) -> list[Array]:
    to_array, to_tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor
    variables = [keras.Variable(start, dtype=dtype) for start in starts]
    optimizer.build(variables)
    record = [np.empty(g.shape) for g in gradients]
    for i in range(len(gradients[0])):
        optimizer.apply([to_tensor(g[i], dtype=dtype) for g in gradients], variables)
        for kept, variable in zip(record, variables, strict=True):
            kept[i] = to_array(keras.ops.cast(variable.value, "float64" if dtype == "float64" else "float32"))
    return record


@contextlib.contextmanager
def _precision(keras: Any, dtype: str) -> Iterator[None]:
    """Let Keras, and jax under it, have float64 for a while if that is what is computed in."""
    before = keras.config.floatx()
    with contextlib.ExitStack() as stack:
        if dtype == "float64" and keras.config.backend() == "jax":
            jax = sys.modules["jax"]
            switched = jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
            stack.enter_context(switched)
        keras.config.set_floatx(dtype if dtype in ("float64", "float32") else "float32")
        try:
            yield
        finally:
            keras.config.set_floatx(before)
