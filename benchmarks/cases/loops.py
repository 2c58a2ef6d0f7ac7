"""The loops that drive a subject as its author wrote it, from gradients to parameters. They know no case.

Five styles, and what the loop calls:

    step        make(x, g, ...) is the step itself: a function of x, g and, if it names it, t from 1, and of what it
                keeps, each with its start as the default; it answers with the new x and with what it keeps
    arrays      make() gives an object with `step(x, g)` or `update(x, g)`, or a function of both;
                it answers with the new x, or works in place and answers None
    numbers     the same on single numbers: each coordinate has an optimizer of its own
    network     make(params) gives an object with `step(grads)`, or a function; it works in place, or
                replaces the entries of its list `params`, or answers with a list of new arrays
    whole       make(gradients, start) is the run itself

The first is for subjects whose form is not the point.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any


def subject_of(
    make: Callable[..., Any], style: str = "", tensors: int | None = None, dtype: str = "float64"
) -> Callable[..., Any]:
    """Make run(gradients, start=0.0) of an optimizer as its author wrote it; each run has a fresh one.

    Where no style is named, what must be given x and g is a step, and what makes itself of nothing is for arrays.
    """
    named = {"step": _steps, "arrays": _arrays, "numbers": _numbers, "network": _network, "whole": _whole}
    drive = named[style or ("step" if _needed(make) else "arrays")]

    def run(gradients: Any, start: Any = 0.0) -> Any:
        with np.errstate(all="ignore"):
            return drive(make, gradients, start, np.dtype(dtype))

    run.__name__ = run.__qualname__ = make.__name__
    run.__doc__ = make.__doc__
    if tensors is not None:
        run.tensors = tensors  # type: ignore[attr-defined]
    return run


class Averages:
    """Adam's two moments, for subjects that go wrong elsewhere."""

    def __init__(self, beta1: float = 0.9, beta2: float = 0.999) -> None:
        self.b1, self.b2, self.t = beta1, beta2, 0
        self.m: Array = 0.0
        self.v: Array = 0.0

    def take(self, g: Array) -> tuple[Array, Array]:
        """Average a gradient and its square, and give both corrected."""
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g**2
        return self.m / (1 - self.b1**self.t), self.v / (1 - self.b2**self.t)

    def ratio(self, g: Array) -> Array:
        """Take a gradient, and give the ratio of Adam."""
        m_hat, v_hat = self.take(g)
        return m_hat / (np.sqrt(v_hat) + 1e-8)


def _needed(make: Callable[..., Any]) -> list[str]:
    """List the arguments that have no default."""
    parameters = inspect.signature(make).parameters.values()
    return [parameter.name for parameter in parameters if parameter.default is parameter.empty]


def _steps(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    return _arrays(lambda: _remembering(make), gradients, start, dtype)


def _remembering(step: Callable[..., Any]) -> Callable[..., Any]:
    """Make an optimizer of a step: what it keeps is handed to it again."""
    counts = "t" in _needed(step)
    kept = [each.default for each in inspect.signature(step).parameters.values() if each.default is not each.empty]
    t = 0

    def optimizer(x: Array, g: Array) -> Array:
        nonlocal kept, t
        t += 1
        answer = step(x, g, t, *kept) if counts else step(x, g, *kept)
        moved, *kept = answer if isinstance(answer, tuple) else (answer,)
        return moved

    return optimizer


def _step_of(made: Any) -> Callable[..., Any]:
    for name in ("step", "update"):
        if hasattr(made, name):
            method: Callable[..., Any] = getattr(made, name)
            return method
    called: Callable[..., Any] = made
    return called


def _arrays(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    given = np.array(gradients, dtype=dtype)
    rows = given.reshape(len(given), -1)
    step = _step_of(make())
    x = np.zeros(rows.shape[1:], dtype) + np.asarray(start, dtype)
    parameters = np.empty_like(rows)
    for i, g in enumerate(rows):
        moved = step(x, g.copy())
        x = x if moved is None else moved
        if x.dtype != dtype:
            raise TypeError(f"{make.__name__} left {dtype} for {x.dtype}")
        parameters[i] = x
    return parameters.reshape(given.shape)


def _numbers(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    given = np.array(gradients, dtype=dtype)
    rows = given.reshape(len(given), -1)
    starts = np.zeros(rows.shape[1:], dtype) + np.asarray(start, dtype)
    parameters = np.empty_like(rows)
    for i, x in enumerate(starts):
        step = _step_of(make())
        for j, g in enumerate(rows[:, i]):
            x = step(x, g)
            parameters[j, i] = x
    return parameters.reshape(given.shape)


def _network(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    if not isinstance(gradients, list | tuple):
        whole = np.array(gradients, dtype=dtype)
        (parameters,) = _network(make, [whole.reshape(len(whole), -1)], start, dtype)
        return parameters.reshape(whole.shape)
    given = [np.array(g, dtype=dtype) for g in gradients]
    starts = start if isinstance(start, list | tuple) else [start] * len(given)
    params = [np.zeros(g.shape[1:], dtype) + np.asarray(s, dtype) for g, s in zip(given, starts, strict=True)]
    made = make(params)
    step = _step_of(made)
    parameters = [np.empty_like(g) for g in given]
    for i in range(len(given[0])):
        moved = step([g[i].copy() for g in given])
        current: Sequence[Any] = getattr(made, "params", params) if moved is None else moved
        for kept, param in zip(parameters, current, strict=True):
            kept[i] = param
    return parameters


def _whole(make: Callable[..., Any], gradients: Any, start: Any, dtype: np.dtype[Any]) -> Any:
    return make(np.array(gradients, dtype=dtype), start)
