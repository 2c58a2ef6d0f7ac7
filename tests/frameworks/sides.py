"""A rule and a framework's optimizer walked by the same gradients, for vectors and matrices. It knows no rule."""

from __future__ import annotations

from typing import Any

import numpy as np

import mhat
from mhat.language import Rule
from mhat.mistakes.dialects import dialects_of

Array = np.ndarray[Any, Any]
STEPS = 100
SHAPES = {"vector": (4,), "matrix": (3, 5), "tall": (5, 3)}
TOLERANCE = 1e-12


def gradients_and_start(shape: str, steps: int = STEPS) -> tuple[Array, Array]:
    """Draw gradients that differ in size, and where to start."""
    random = np.random.default_rng(23)
    sizes = 10.0 ** random.uniform(-2, 1.5, SHAPES[shape])
    return random.normal(size=(steps, *SHAPES[shape])) * sizes, random.normal(size=SHAPES[shape])


def in_dialect(rule: Rule, *names: str) -> Rule:
    """Give the form of a rule in its dialects of these names."""
    (form,) = [form for chosen, form in dialects_of(rule) if sorted(each.name for each in chosen) == sorted(names)]
    return form


def walked(rule: Rule, gradients: Array, start: Array, evaluated: float = False, **knobs: float) -> Array:
    """Walk a rule; the parameters after each step, or those to be evaluated."""
    told: dict[str, Any] = dict(knobs)
    x, state, record = start, None, []
    for step, gradient in enumerate(gradients, 1):
        x, state, names = mhat.step(rule, x, gradient, step, state, **told)
        record.append(names["x_eval"] if evaluated else x)
    return np.array(record)


def apart(ours: Array, theirs: Array) -> float:
    """Give the largest difference relative to the largest size."""
    assert ours.shape == theirs.shape
    assert np.all(np.isfinite(theirs))
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))


def by_torch(optimizer: Any, gradients: Array, start: Array, **options: Any) -> Array:
    """Drive a torch optimizer by given gradients; the parameters after each step."""
    import torch

    parameter = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    driven = optimizer([parameter], **options)
    record = []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        driven.step()
        record.append(parameter.detach().numpy().copy())
    return np.array(record)


def by_optax(transformation: Any, gradients: Array, start: Array) -> Array:
    """Drive an optax transformation by given gradients, in one compiled loop; the parameters after each step."""
    import jax
    import optax  # type: ignore[import-untyped]

    def one(carried: Any, gradient: Any) -> Any:
        x, state = carried
        updates, state = transformation.update(gradient, state, x)
        x = optax.apply_updates(x, updates)
        return (x, state), x

    with jax.enable_x64(True):
        x = jax.numpy.asarray(start, dtype=jax.numpy.float64)
        _, record = jax.lax.scan(one, (x, transformation.init(x)), jax.numpy.asarray(gradients))
        assert record.dtype == np.float64
        return np.asarray(record)
