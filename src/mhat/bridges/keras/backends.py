"""What the backends of Keras do differently: traces, doubles in them, gradients of a step. It knows no rule."""

from __future__ import annotations

import contextlib
import importlib
import os
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from mhat.errors import BadValue, MissingExtra
from mhat.subjects.keras import imported

BACKENDS = ("torch", "jax")
Array = Any


def refusal(backend: str) -> BadValue:
    """Say that mhat does not step what Keras runs on."""
    return BadValue(
        f"Keras runs on {backend} here, and a rule of mhat steps on torch or jax",
        "Choose one before Keras is imported: KERAS_BACKEND=torch or KERAS_BACKEND=jax in the environment.",
    )


def check_backend() -> None:
    """Refuse what Keras runs on where mhat does not; raises BadValue."""
    if (backend := keras.config.backend()) not in BACKENDS:
        raise refusal(backend)


with warnings.catch_warnings():
    # What Keras and its backend warn of when they are imported is not for the user of an optimizer.
    warnings.simplefilter("ignore")
    try:
        keras: Any = imported()
    except MissingExtra:
        if (chosen := os.environ.get("KERAS_BACKEND", "")) in ("", *BACKENDS):
            raise
        raise refusal(chosen) from None


def is_traced(value: Any) -> bool:
    """Whether a value is not known yet, since JAX is tracing."""
    return keras.config.backend() == "jax" and isinstance(value, importlib.import_module("jax").core.Tracer)


def doubles() -> AbstractContextManager[Any]:
    """Switch doubles on for what is traced within; torch always has them."""
    if keras.config.backend() != "jax":
        return contextlib.nullcontext()
    jax: Any = importlib.import_module("jax")
    switch: AbstractContextManager[Any] = (
        jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
    )
    return switch


def without_gradients() -> AbstractContextManager[Any]:
    """Keep a step out of what torch differentiates; JAX differentiates what it is asked to."""
    return importlib.import_module("torch").no_grad() if keras.config.backend() == "torch" else contextlib.nullcontext()


def uncompiled(step: Callable[..., None]) -> Callable[..., None]:
    """Keep a step out of what torch compiles, which would walk through a rule's tree and gain nothing."""
    if keras.config.backend() != "torch":
        return step
    kept: Callable[..., None] = importlib.import_module("torch").compiler.disable(step)
    return kept


def native(value: Any) -> Array:
    """Give the tensor of the backend that a variable holds; anything else as it is."""
    return value.value if isinstance(value, keras.Variable) else value


def has_kernels() -> bool:
    """Whether tensors may lie where a compiled kernel steps them: torch on the CPU."""
    return str(keras.config.backend()) == "torch"


def is_plain(tensor: Array) -> bool:
    """Whether a tensor of torch is an array in memory, without gaps."""
    return bool(tensor.is_cpu and not tensor.is_sparse and tensor.is_contiguous())


def is_stateless() -> bool:
    """Whether variables have other values for a while than their own."""
    return bool(importlib.import_module("keras.src.backend.common.stateless_scope").in_stateless_scope())
