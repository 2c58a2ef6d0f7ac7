"""Transformations of optax as subjects. It imports jax and optax when it is used, and no other framework."""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mhat.errors import SubjectError
from mhat.extras import extra
from mhat.subjects.framework import dtype_to_run_in, name_of, subject_of_optimizer
from mhat.subjects.sandbox import USUAL_GUARD, Guard
from mhat.subjects.spelling import Keywords, SpelledKnobs, keywords_of
from mhat.subjects.subject import Array, Subject

KEPT = 64  # compiled updates; one a setting of the knobs and shape of the tensors
CURE = "Name a function that makes a transformation, such as optax:adam, or a transformation itself."


def subject_of_optax(
    factory: Any,
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    dtype: str | None = None,
    options: Mapping[str, Any] | None = None,
    guard: Guard = USUAL_GUARD,
) -> Subject:
    """Make a subject of an optax transformation, or of a function that makes one of knobs.

    `options` are other keywords of the function. Tensors are a list of parameters; the update is compiled, as
    in a training step. Raises BadValue, MissingExtra, SubjectError.
    """
    jax, optax = imported()
    name = name or ("optax:transformation" if is_transformation(factory) else name_of(factory, "optax"))
    dtype = dtype_to_run_in(name, dtype)
    keywords = Keywords(SpelledKnobs(), options or {})
    if not is_transformation(factory):
        meant = {"decay": "rho"} if "rmsprop" in getattr(factory, "__name__", "") else {}
        keywords = keywords_of(name, inspect.signature(factory).parameters.values(), rule_knobs, options, (), meant)
    driver = _Driver(name, factory, keywords, jax, optax, dtype, guard)
    driver.made({})
    return subject_of_optimizer(factory, name, driver.drive, keywords, dtype)


def is_transformation(thing: Any) -> bool:
    """Whether a thing is a transformation itself: what it does, not what makes it."""
    return isinstance(thing, tuple) and callable(getattr(thing, "init", None)) and hasattr(thing, "update")


def imported() -> tuple[Any, Any]:
    """Import jax and optax; raises MissingExtra."""
    return extra("jax", "optax", "optax", needs=("jaxlib",)), extra("optax", "optax")


class _Driver:
    """One transformation or its factory, and the updates that have been compiled for it."""

    def __init__(
        self, name: str, factory: Any, keywords: Keywords, jax: Any, optax: Any, dtype: str, guard: Guard
    ) -> None:
        self.name = name
        self.factory = factory
        self.keywords = keywords
        self.jax = jax
        self.optax = optax
        self.dtype = dtype
        self.guard = guard
        self.compiled: dict[Any, tuple[Any, Callable[..., Any]]] = {}

    def precision(self) -> contextlib.AbstractContextManager[Any]:
        """Let jax have float64 for a while, if that is what is computed in."""
        if self.dtype != "float64":
            return contextlib.nullcontext()
        if hasattr(self.jax, "enable_x64"):
            switched: contextlib.AbstractContextManager[Any] = self.jax.enable_x64(True)
            return switched
        older: contextlib.AbstractContextManager[Any] = importlib.import_module("jax.experimental").enable_x64()
        return older

    def made(self, knobs: Mapping[str, float]) -> Any:
        """Make the transformation; raises SubjectError if it is none."""
        if is_transformation(self.factory):
            return self.factory
        with self.guard.running(self.name), self.precision():
            transformation = self.factory(**self.keywords.arguments(knobs))
        if not is_transformation(transformation):
            raise SubjectError(
                self.name, f"made a {type(transformation).__name__}, which is no transformation of optax", CURE
            )
        return transformation

    def update(self, knobs: Mapping[str, float]) -> tuple[Any, Callable[..., Any]]:
        """Give the transformation with these knobs and its compiled step."""
        key = tuple(sorted(knobs.items()))
        # Knobs that record what is done with them make a transformation of their own.
        records = any(type(value) is not float for value in knobs.values())
        if records or key not in self.compiled:
            made, optax = self.made(knobs), self.optax

            def step(tensors: Any, state: Any, gradients: Any) -> Any:
                updates, state = made.update(gradients, state, tensors)
                return optax.apply_updates(tensors, updates), state

            if len(self.compiled) >= KEPT:
                del self.compiled[next(iter(self.compiled))]
            if records:
                return made, step
            self.compiled[key] = made, self.jax.jit(step)
        return self.compiled[key]

    def drive(self, gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        made, step = self.update(knobs)
        jnp = self.jax.numpy
        with self.guard.running(self.name), self.precision():
            tensors = [jnp.asarray(start, dtype=self.dtype) for start in starts]
            streams = [np.asarray(jnp.asarray(g, dtype=self.dtype)) for g in gradients]
            state = made.init(tensors)
            record = []
            for i in range(len(gradients[0])):
                tensors, state = step(tensors, state, [stream[i] for stream in streams])
                record.append(tensors)
            columns = zip(*record, strict=True)
            return [np.stack([np.asarray(x, dtype=np.float64) for x in column]) for column in columns]
